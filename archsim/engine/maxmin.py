"""Weighted max-min fairness: how fast flows advance that meet at ports.

One level, in bytes per picosecond and requester, rises for all flows. A flow stops at its own pace (1: as fast as
alone), or when one of its ports is full. So flows that meet at a port get bytes there in proportion to their
requesters, whatever their sizes, and what one flow can't use goes to the others (Bertsekas and Gallager, Data
Networks, section 6.5.2, with weights and upper bounds).

Everything is an integer: paces are ticks per picosecond, and a level is a ratio of two integers, so that the answer
depends on nothing but the flows.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from heapq import heappop, heapreplace

from archsim.model.taskgraph import TICKS, Flow, Port

_FULL = TICKS * TICKS
_URGE_DIGITS = 32
_LEVEL_DIGITS = 192


@dataclass(frozen=True, slots=True, eq=False)
class Demand:
    """What a flow asks for.

    `urge` is its pace per unit of level; `uses` is the share of each port that it fills at pace 1, of TICKS.
    """

    urge: int
    uses: tuple[tuple[Port, int], ...]


def demand(flow: Flow) -> Demand:
    """The demand of a flow whose own time is not zero.

    A flow that moves no bytes counts as one that asks for a byte per picosecond of its own time: among such flows, each
    gets port time in proportion to its weight.
    """
    asked = flow.lead * TICKS if flow.lead else flow.own
    urge = max(1, (flow.weight * flow.own * TICKS << _URGE_DIGITS) // asked)
    return Demand(urge, tuple((port, -(-load * TICKS // flow.own)) for port, load in flow.loads if load))


def paces(demands: Sequence[Demand]) -> tuple[int, ...]:
    """The pace of each flow, in ticks per picosecond: TICKS where nothing holds it back."""
    pace = [TICKS] * len(demands)
    ports = _contended(demands)
    room = dict.fromkeys(ports, _FULL)
    slope = {port: sum(demands[index].urge * use for index, use in users) for port, users in ports.items()}
    rising = {index for users in ports.values() for index, _ in users}
    fulls = [(0, number, port) for number, port in enumerate(ports)]
    for fastest in sorted(rising, key=lambda index: (-demands[index].urge, index)):
        while fastest in rising:
            port = _next_full(fulls, room, slope)
            if port is None or TICKS * slope[port] <= room[port] * demands[fastest].urge:
                stopped = [fastest]
            else:
                stopped = [index for index, _ in ports[port] if index in rising]
                for index in stopped:
                    pace[index] = max(1, demands[index].urge * room[port] // slope[port])
            for index in stopped:
                rising.remove(index)
                _settle(demands[index], pace[index], room, slope)
    return tuple(pace)


def _contended(demands: Sequence[Demand]) -> dict[Port, list[tuple[int, int]]]:
    """The users of each port that would be more than full if all flows ran at pace 1."""
    users: dict[Port, list[tuple[int, int]]] = {}
    for index, one in enumerate(demands):
        for port, use in one.uses:
            users.setdefault(port, []).append((index, use))
    return {port: shares for port, shares in users.items() if sum(use for _, use in shares) > TICKS}


def _next_full(fulls: list[tuple[int, int, Port]], room: dict[Port, int], slope: dict[Port, int]) -> Port | None:
    """The port that is full at the lowest level, among those where a flow still rises.

    `fulls` is a heap of such levels. A level only grows as flows stop, so an entry that is out of date is too low, and
    it is enough to renew the lowest.
    """
    while fulls:
        level, number, port = fulls[0]
        if not slope[port]:
            heappop(fulls)
            continue
        now = (room[port] << _LEVEL_DIGITS) // slope[port]
        if now <= level:
            return port
        heapreplace(fulls, (now, number, port))
    return None


def _settle(one: Demand, pace: int, room: dict[Port, int], slope: dict[Port, int]) -> None:
    """Take a flow that stopped out of its ports: what it uses, and what it would have used of a rising level."""
    for port, use in one.uses:
        if port in room:
            room[port] -= pace * use
            slope[port] -= one.urge * use
