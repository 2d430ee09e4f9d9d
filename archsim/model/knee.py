"""How much of the lesser legs the slowest one does not hide, where two nearly tie."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from math import isqrt

from archsim.model.taskgraph import TICKS, Port


def root_of_powers(legs: Iterable[int], knee: int) -> int:
    """(sum of leg^knee)^(1/knee) of whole numbers, rounded down; exact integers, so that it is the same everywhere."""
    found: int = sum(leg**knee for leg in legs)
    for _ in range(knee.bit_length() - 1):
        found = isqrt(found)
    return found


def unhidden(ticks: Mapping[Port, int], ways: Iterable[Iterable[Port]], stall: int, knee: int) -> int:
    """Picoseconds by which the legs of a flow together take longer than the slowest of them.

    Ports of one way pass on the same bytes one after the other, so the slowest of them stands for all.
    """
    stages: dict[Port, int] = {}
    for stage, ports in enumerate(ways):
        for port in ports:
            stages.setdefault(port, stage)
    slowest: dict[Hashable, int] = {None: stall // TICKS}
    for port, spent in ticks.items():
        place: Hashable = stages.get(port, port)
        slowest[place] = max(slowest.get(place, 0), spent // TICKS)
    return max(0, root_of_powers(slowest.values(), knee) - max(slowest.values()))
