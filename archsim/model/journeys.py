"""How long a flow waits for its bytes: latencies of tensors side by side, first parts, and bounded buffers."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

from archsim.model.request import Move, Requester
from archsim.model.taskgraph import TICKS, Port, Stop, Strand


class Journey(NamedTuple):
    """A tensor that is waited for: its bytes, picoseconds to its first byte, and ticks that it takes by itself."""

    size: int
    latency: int
    ticks: int


def strands_of(moves: Sequence[Move], ways: Sequence[tuple[Stop, ...]]) -> tuple[Strand, ...]:
    """The ways of tensors: a move that goes on from where the one before it ended is the same journey."""
    found: list[Strand] = []
    end, waits = ("", ""), not all(move.posted for move in moves)
    for move, stops in zip(moves, ways, strict=True):
        posted = move.posted and waits
        if found and end == (move.tensor, move.source) and found[-1].posted == posted:
            found[-1] = Strand((*found[-1].stops, *stops), posted)
        else:
            found.append(Strand(stops, posted))
        end = (move.tensor, move.target)
    return tuple(found)


def journeys_of(strands: Iterable[Strand]) -> list[Journey]:
    """What is waited for; side by side, latencies don't add up."""
    awaited = [strand.stops for strand in strands if strand.stops and not strand.posted]
    return [
        Journey(stops[0].units, sum(stop.latency for stop in stops), max(stop.ticks for stop in stops))
        for stops in awaited
    ]


class Timing(NamedTuple):
    """A flow alone: its own time and Little's part of it in ticks, the picoseconds before and after."""

    own: int
    stall: int
    fill: int
    drain: int


def timed(
    journeys: Sequence[Journey], ticks: Mapping[Port, int], compute: Collection[Port], requester: Requester
) -> Timing:
    """How long a flow takes that needs some ticks of each port, those that `compute` on what has arrived among them."""
    lead = max((one.size for one in journeys), default=0)
    grains = max(1, -(-lead // (requester.ways * requester.grain)))
    supplied = max((spent for port, spent in ticks.items() if port not in compute), default=0)
    computed = max((spent for port, spent in ticks.items() if port in compute), default=0)
    stall = _stalled(journeys, _grain(computed, grains) + requester.turnaround, requester)
    own = max(stall, *ticks.values(), 0)
    if computed >= supplied:
        return Timing(own, stall, _filled(journeys, supplied, grains), 0)
    measured = requester.trip or requester.turnaround
    return Timing(
        own, stall, _begun(journeys, own, requester.buffers, measured), _grain(computed, grains) if lead else 0
    )


def _near(journeys: Sequence[Journey]) -> int:
    """Picoseconds to the first byte of the largest tensor."""
    return max(((one.size, one.latency) for one in journeys), default=(0, 0))[1]


def _filled(journeys: Sequence[Journey], supplied: int, grains: int) -> int:
    """Picoseconds until one of `grains` parts of everything has arrived, which takes `supplied` ticks in all."""
    each = (one.latency + _grain(one.ticks, grains) for one in journeys)
    return max((_near(journeys) + _grain(supplied, grains), *each)) if journeys else 0


def _begun(journeys: Sequence[Journey], own: int, buffers: int | None, trip: int) -> int:
    """Picoseconds until all has begun to arrive, less what `buffers` hold of the largest by then.

    A kernel whose window was measured has a launch that leaves the whole trip to the machine: nothing is taken off.
    """
    lead, route = max((one.size for one in journeys), default=0), max((one.latency for one in journeys), default=0)
    if trip:
        return route
    held = lead if buffers is None else min(lead, buffers)
    ahead = min(route - _near(journeys), own * held // (lead * TICKS)) if lead else 0
    return max((route - ahead, *(one.latency + (one.ticks - own) // TICKS for one in journeys)))


def _stalled(journeys: Sequence[Journey], computed: int, requester: Requester) -> int:
    """Ticks that the requester's window leaves: a buffer is free again when its grain is computed."""
    if requester.buffers is None:
        return 0
    flying = max((one.size * (max(one.latency, requester.trip) + computed) for one in journeys), default=0)
    return flying * TICKS // requester.buffers


def _grain(ticks: int, grains: int) -> int:
    """Picoseconds of one of `grains` equal parts of some ticks."""
    return -(-ticks // TICKS) // grains
