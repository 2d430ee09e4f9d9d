"""What legs ask of the ports that serve them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from archsim.model.taskgraph import PS_PER_SECOND, TICKS, Leg, Need, Port, Stop

_TICKS_PER_SECOND = PS_PER_SECOND * TICKS


class Service(NamedTuple):
    """An action at a node of the graph: its port, rate and latency, and the instances that an address chooses from.

    `pool` is the instances of all devices where work goes to any idle one, None where it does not.
    """

    node: str
    action: str
    port: Port
    rate: int | None
    latency: int
    ways: int
    pool: int | None

    def sped_up(self, factor: float, peak: int | None) -> Service:
        """The same at another rate, which is no more than the peak where that is known."""
        if self.rate is None or factor == 1:
            return self
        rate = int(self.rate * factor)
        return self._replace(rate=rate if peak is None else min(rate, max(peak, self.rate)))


class Piece(NamedTuple):
    """A leg, where it is served, and what one device asks there."""

    leg: Leg
    at: Service
    stop: Stop


class Served(NamedTuple):
    """A move where it is served: its pieces, their stops, and the legs of the rows that it opens."""

    pieces: tuple[Piece, ...]
    stops: tuple[Stop, ...]
    opened: tuple[Leg, ...]


def piece_of(leg: Leg, at: Service, units: int) -> Piece:
    """A leg of which one device asks `units`; the wait of a write is nobody's."""
    ticks = leg.critical * _TICKS_PER_SECOND // at.rate if at.rate else 0
    latency = 0 if at.action == "write" else at.latency
    return Piece(leg, at, Stop(at.port, at.action, units, leg.critical, ticks, latency, at.ways, at.pool is not None))


def demands(pieces: Iterable[Piece]) -> tuple[tuple[Need, ...], dict[Port, int]]:
    """Demands by port and action, in the order of the legs, and ticks taken of each port.

    A port is taken by all the work where it is pooled, by the busiest instance where it is not.
    """
    sums: dict[tuple[Port, str], tuple[int, int]] = {}
    loads: dict[Port, int] = {}
    for leg, at, stop in pieces:
        spent = slots = stop.ticks
        if at.rate is not None and at.pool is not None:
            slots = leg.critical * leg.ways * _TICKS_PER_SECOND // (at.pool * at.rate)
        before = sums.get((at.port, leg.action), (0, 0))
        sums[at.port, leg.action] = (before[0] + spent, before[1] + leg.bill)
        if slots:
            loads[at.port] = loads.get(at.port, 0) + slots
    return tuple(Need(port, action, *pair) for (port, action), pair in sums.items()), loads


def by_port(needs: Iterable[Need]) -> dict[Port, int]:
    """Ticks of the busiest instance of each port: its actions share its time."""
    ticks: dict[Port, int] = {}
    for need in needs:
        ticks[need.port] = ticks.get(need.port, 0) + need.ticks
    return ticks
