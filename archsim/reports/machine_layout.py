"""Where the components of a machine stand: the main memory first, the tiles last, each behind what feeds it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from archsim.model.component import Connector
from archsim.model.graph import DEVICE
from archsim.model.machine import Machine


class Joint(NamedTuple):
    """A link between two groups, from the one nearer to the main memory."""

    link: str
    source: str
    target: str


@dataclass(frozen=True, slots=True)
class Layout:
    """Groups by layer, links between them, and the longest way from the main memory to the tiles.

    `loops` are links that join the instances of one group, by group; `outward` joins whole devices (none: empty).
    """

    layers: tuple[tuple[str, ...], ...]
    joints: tuple[Joint, ...]
    chain: tuple[Joint, ...]
    loops: Mapping[str, str]
    outward: str

    def layer(self, group: str) -> int:
        """The layer that a group stands in."""
        return next(index for index, groups in enumerate(self.layers) if group in groups)


def layout(machine: Machine, main: str) -> Layout:
    """The places of all components."""
    links = {name: item for name, item in machine.components.items() if isinstance(item, Connector)}
    groups = sorted((name for name in machine.components if name not in links), key=lambda name: name != main)
    inner = {name: link for name, link in links.items() if DEVICE not in link.between}
    drawn = [_joint(name, link, machine, main) for name, link in inner.items() if link.between[0] != link.between[1]]
    ranks = _ranks(groups, drawn, machine)
    joints = tuple(joint if ranks[joint.source] <= ranks[joint.target] else _turned(joint) for joint in drawn)
    return Layout(
        layers=tuple(tuple(name for name in groups if ranks[name] == rank) for rank in sorted(set(ranks.values()))),
        joints=joints,
        chain=_chain(main, sorted(joints, key=lambda joint: ranks[joint.source]), machine),
        loops={link.between[0]: name for name, link in inner.items() if link.between[0] == link.between[1]},
        outward=next((name for name in links if name not in inner), ""),
    )


def _joint(name: str, link: Connector, machine: Machine, main: str) -> Joint:
    """As the file says, but away from the main memory and towards the tiles."""
    joint = Joint(name, *link.between)
    from_tiles = machine.components[joint.source].pooled and not machine.components[joint.target].pooled
    return _turned(joint) if joint.target == main or from_tiles else joint


def _turned(joint: Joint) -> Joint:
    return Joint(joint.link, joint.target, joint.source)


def _ranks(groups: Sequence[str], joints: Sequence[Joint], machine: Machine) -> dict[str, int]:
    """The longest way to each group; in a circle the earliest one comes first."""
    feeds = {name: [joint.source for joint in joints if joint.target == name] for name in groups}
    ranks: dict[str, int] = {}
    while len(ranks) < len(groups):
        waiting = [name for name in groups if name not in ranks]
        ready = [name for name in waiting if all(feed in ranks for feed in feeds[name])] or waiting[:1]
        found = {name: 1 + max((ranks[feed] for feed in feeds[name] if feed in ranks), default=-1) for name in ready}
        ranks |= found
    last = max(ranks.values())
    for name in groups:
        fed = [ranks[joint.target] for joint in joints if joint.source == name]
        if machine.components[name].pooled and not fed:
            ranks[name] = last
    for name in groups[1:]:
        fed = [ranks[joint.target] for joint in joints if joint.source == name]
        if not feeds[name] and fed:
            ranks[name] = max(0, min(fed) - 1)
    return ranks


def _chain(main: str, ordered: Iterable[Joint], machine: Machine) -> tuple[Joint, ...]:
    """The longest way from the main memory, to tiles where it reaches any."""
    ways: dict[str, tuple[Joint, ...]] = {main: ()}
    for joint in ordered:
        way = ways.get(joint.source)
        if way is not None and len(way) >= len(ways.get(joint.target, ())):
            ways[joint.target] = (*way, joint)
    ends = {name: way for name, way in ways.items() if way and machine.components[name].pooled} or ways
    return max(ends.values(), key=len)
