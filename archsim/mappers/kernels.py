"""Which kernel does an operator, and how it occupies the tiles: closed forms, as a library's heuristic has them.

A kernel never takes time here: it says how much work the busiest tile gets, how many tiles are at work, and what the
software adds.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from archsim.model.kernel_table import Knee, Window

_ALL = (Fraction(0), Fraction(1))

PARTIAL_BYTES = 4
"""Partial sums are kept in fp32."""


@dataclass(frozen=True, slots=True)
class Kernel:
    """How an operator runs on one device.

    `ways` tiles are at work, the busiest on `share` of the whole; it spends `critical` MAC slots. `weight_reads` and
    `input_reads` say how often each byte is read from the innermost memory, `partials` the bytes of partial sums
    written to it and read back: by a kernel after it, if `adding` says what software adds to that one. For `stores`
    picoseconds the busiest tile only writes results. `launch` is picoseconds of software; `window` the bytes
    outstanding per tile; `text` names it for the reader. `issued` are the MACs that matrix instructions do for the
    whole operator, padding included (None: no more than it asks for). `chain` are picoseconds of steps that wait for
    each other, beside all that it moves and computes; `knee` says how sharply the slowest of its legs hides the
    others; `padding` is how much more activations it moves than there are; `turnaround` are picoseconds until a tile
    asks again. With `streams` what it moves is one leg of the knee, whatever memories it passes. Homes serve it
    `supply` times as fast as their sustained rate says.
    """

    ways: int
    critical: int
    share: Fraction
    launch: int = 0
    weight_reads: Fraction = Fraction(1)
    input_reads: Fraction = Fraction(1)
    partials: int = 0
    window: Window = "tile"
    text: str = ""
    covers: tuple[Fraction, Fraction] = _ALL
    issued: int | None = None
    chain: int = 0
    knee: Knee | None = None
    padding: Fraction = Fraction(1)
    turnaround: int = 0
    adding: int | None = None
    stores: int = 0
    streams: bool = False
    supply: float = 1.0

    def portion(self, count: int) -> int:
        """What of a count falls to the part that it covers; the portions of all parts add up to the count."""
        if self.covers is _ALL:
            return count
        low, high = self.covers
        return count * high.numerator // high.denominator - count * low.numerator // low.denominator

    def billed(self, macs: int) -> int:
        """MACs that the part issues where the whole operator asks for so many."""
        return self.portion(max(macs, self.issued or 0))


@dataclass(frozen=True, slots=True)
class Rates:
    """Bytes and MACs per second that the choice of a kernel weighs (None: no limit).

    `supply` is the home's, `operands` the innermost memory's, both of a whole device; `lane` is the link's and `macs`
    the MAC unit's of one tile.
    """

    tiles: int
    supply: int | None
    operands: int | None
    macs: int | None
    lane: int | None = None

    @property
    def of_operands(self) -> int | None:
        """Of the innermost memory to all tiles at once."""
        known = [rate for rate in (self.operands, self.lane and self.lane * self.tiles) if rate]
        return min(known, default=None)

    @property
    def of_lane(self) -> float | None:
        """Of one tile to the innermost memory: its own link, or an even part of what all of them share."""
        return self.lane or (self.operands / self.tiles if self.operands else None)


def even(macs: int, tiles: int, issued: int | None = None) -> Kernel:
    """Work that divides evenly over all tiles; each reads its operands once."""
    return Kernel(tiles, -(-macs // tiles) if issued is None else issued, Fraction(1, tiles))


def padded(rows: int, step: int) -> int:
    """Rows filled up to whole steps."""
    return -(-rows // step) * step
