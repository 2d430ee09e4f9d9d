"""What bank conflicts leave of a DRAM channel's rate when accesses fall on random banks.

No formula gives it: a table of a burst-level model, made by `benchmarks/dram_bursts.py`. It has no units: `load` is how
busy the banks would be if nothing else than the data bus and the pace of activations held the accesses back.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from fractions import Fraction

_LOADS = tuple(Fraction(load, 100) for load in (10, 20, 30, 40, 50, 60, 70, 80, 90, 100, 125, 150, 200, 400))

_WHOLE = 1000

_KEPT: dict[int, dict[int, tuple[int, ...]]] = {
    4: {
        1: (1000, 1000, 952, 869, 799, 709, 637, 575, 522, 478, 492, 502, 514, 535),
        2: (1000, 1000, 987, 963, 940, 866, 802, 735, 668, 612, 625, 632, 641, 654),
        4: (1000, 1000, 999, 996, 993, 957, 926, 865, 800, 743, 753, 758, 764, 772),
        8: (1000, 1000, 1000, 1000, 1000, 992, 986, 941, 892, 848, 853, 855, 857, 860),
        16: (1000, 1000, 1000, 1000, 1000, 1000, 1000, 974, 943, 914, 916, 917, 918, 919),
        32: (1000, 1000, 1000, 1000, 1000, 1000, 1000, 989, 971, 955, 955, 956, 956, 956),
        64: (1000, 1000, 1000, 1000, 1000, 1000, 1000, 996, 988, 980, 980, 980, 980, 980),
    },
    8: {
        1: (1000, 931, 825, 714, 617, 538, 476, 426, 386, 352, 362, 368, 377, 390),
        2: (1000, 990, 957, 895, 811, 718, 638, 571, 516, 470, 479, 485, 493, 505),
        4: (1000, 1000, 996, 982, 953, 885, 804, 726, 657, 598, 607, 612, 618, 627),
        8: (1000, 1000, 1000, 999, 997, 979, 930, 863, 790, 722, 729, 733, 737, 742),
        16: (1000, 1000, 1000, 1000, 1000, 999, 991, 954, 894, 827, 832, 834, 836, 839),
        32: (1000, 1000, 1000, 1000, 1000, 1000, 1000, 992, 952, 899, 901, 902, 903, 904),
        64: (1000, 1000, 1000, 1000, 1000, 1000, 1000, 1000, 982, 948, 949, 949, 949, 950),
    },
    16: {
        1: (964, 825, 673, 555, 468, 404, 355, 317, 286, 261, 267, 271, 277, 285),
        2: (998, 966, 876, 755, 646, 559, 490, 436, 393, 357, 364, 368, 374, 382),
        4: (1000, 999, 984, 931, 843, 742, 654, 582, 523, 475, 482, 486, 491, 499),
        8: (1000, 1000, 1000, 996, 976, 910, 822, 737, 663, 601, 608, 611, 616, 621),
        16: (1000, 1000, 1000, 1000, 1000, 992, 952, 881, 796, 723, 729, 732, 734, 738),
        32: (1000, 1000, 1000, 1000, 1000, 1000, 997, 976, 903, 825, 829, 831, 832, 833),
        64: (1000, 1000, 1000, 1000, 1000, 1000, 1000, 1000, 969, 897, 900, 900, 901, 902),
    },
    32: {
        1: (901, 687, 527, 423, 353, 303, 265, 235, 212, 193, 196, 199, 202, 207),
        2: (990, 896, 737, 600, 501, 429, 374, 332, 298, 271, 275, 278, 282, 287),
        4: (1000, 992, 930, 807, 684, 586, 512, 453, 406, 368, 373, 376, 380, 386),
        8: (1000, 1000, 998, 969, 879, 767, 672, 595, 533, 482, 487, 489, 493, 498),
        16: (1000, 1000, 1000, 1000, 992, 934, 839, 747, 670, 606, 610, 613, 616, 620),
        32: (1000, 1000, 1000, 1000, 1000, 999, 972, 893, 803, 727, 731, 732, 734, 737),
        64: (1000, 1000, 1000, 1000, 1000, 1000, 1000, 988, 914, 827, 830, 832, 833, 834),
    },
    64: {
        1: (801, 547, 403, 319, 263, 224, 195, 173, 155, 141, 143, 144, 146, 149),
        2: (965, 770, 582, 460, 380, 323, 281, 249, 223, 202, 205, 207, 209, 212),
        4: (1000, 957, 798, 640, 528, 448, 389, 344, 308, 278, 281, 283, 286, 290),
        8: (1000, 1000, 970, 849, 712, 605, 525, 463, 414, 374, 378, 380, 382, 386),
        16: (1000, 1000, 1000, 990, 911, 788, 686, 605, 540, 488, 492, 494, 496, 499),
        32: (1000, 1000, 1000, 1000, 999, 956, 854, 755, 674, 609, 611, 613, 615, 617),
        64: (1000, 1000, 1000, 1000, 1000, 1000, 985, 895, 802, 724, 727, 728, 730, 731),
    },
}
"""Thousandths by banks, accesses to choose from, and load."""


def kept(load: Fraction, banks: int, queue: int) -> Fraction:
    """The share of the rate that bus, activations and banks would allow; between entries of the table, on a line."""
    low, high = _around(tuple(_KEPT), banks)
    first, second = (_by_queue(_KEPT[entry], load, queue) for entry in (low, high))
    return _between(Fraction(low), first, Fraction(high), second, Fraction(banks))


def _by_queue(entries: dict[int, tuple[int, ...]], load: Fraction, queue: int) -> Fraction:
    low, high = _around(tuple(entries), queue)
    first, second = (_by_load(entries[entry], load) for entry in (low, high))
    return _between(Fraction(low), first, Fraction(high), second, Fraction(queue))


def _by_load(shares: Sequence[int], load: Fraction) -> Fraction:
    points = [(Fraction(0), Fraction(1)), *zip(_LOADS, (Fraction(share, _WHOLE) for share in shares), strict=True)]
    index = min(max(bisect_right(points, load, key=lambda point: point[0]), 1), len(points) - 1)
    return _between(*points[index - 1], *points[index], min(load, _LOADS[-1]))


def _around(known: Sequence[int], wanted: int) -> tuple[int, int]:
    """The two entries beside what is wanted; the last of the table beyond its ends."""
    low = max((item for item in known if item <= wanted), default=known[0])
    return low, min((item for item in known if item >= wanted), default=known[-1])


def _between(low: Fraction, first: Fraction, high: Fraction, second: Fraction, at: Fraction) -> Fraction:
    return first if low == high else first + (second - first) * (at - low) / (high - low)
