"""The graph of a machine in characters: groups in a row, what each link between them carries below its name."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from archsim.model.component import Connector
from archsim.model.graph import DEVICE
from archsim.reports.machine_layout import Joint, layout
from archsim.reports.portrait import Portrait, delay, energy, offers, rate

Block = tuple[str, ...]
"""Four lines of one length."""

_APART = 5
_EMPTY: Block = ("", "", "", "")


def graph(portrait: Portrait, width: int) -> tuple[Block, ...]:
    """Rows of four lines: the way from main memory to tiles first, the other links as many beside each other as fit."""
    drawn = layout(portrait.machine, portrait.main)
    others = [(joint,) for joint in drawn.joints if joint not in drawn.chain]
    ways = [block for way in (drawn.chain, *others) if way for block in _way(portrait, way, width)]
    within = [
        _row(_group(portrait, group), _link(portrait, link), _node(f"each other: {topology(portrait, link)}"))
        for group, link in drawn.loops.items()
    ]
    between = [
        _row(_node(DEVICE), _link(portrait, link), _node(f"other devices: {topology(portrait, link) or 'one to one'}"))
        for link in filter(None, (drawn.outward,))
    ]
    alone = {name for groups in drawn.layers for name in groups} - {end for joint in drawn.joints for end in joint[1:]}
    lone = [_group(portrait, name) for name in sorted(alone - set(drawn.loops))]
    return tuple(_packed((*ways, *within, *between, *lone), width))


def topology(portrait: Portrait, link: str) -> str:
    """How a link joins equal things: `mesh 4 × 4`; empty where it joins two groups."""
    item = portrait.machine.components[link]
    if not isinstance(item, Connector) or item.topology is None:
        return ""
    return item.topology + (f" {' × '.join(map(str, item.shape))}" if item.shape else "")


def counted(portrait: Portrait, group: str) -> str:
    """A group with the number of its instances in one device: `sm × 132`."""
    count = portrait.machine.components[group].count
    return group if count == 1 else f"{group} × {count:,}"


def _way(portrait: Portrait, way: Sequence[Joint], width: int) -> Iterator[Block]:
    """Links end to end; in two rows where one is too long."""
    block = _group(portrait, way[0].source)
    for joint in way:
        block = _row(block, _link(portrait, joint.link), _group(portrait, joint.target))
    if len(block[0]) <= width or len(way) == 1:
        yield block
        return
    half = len(way) // 2
    yield from _way(portrait, way[:half], width)
    yield from _way(portrait, way[half:], width)


def _packed(blocks: Sequence[Block], width: int) -> Iterator[Block]:
    row = _EMPTY
    for block in blocks:
        if row[0] and len(row[0]) + _APART + len(block[0]) > width:
            yield row
            row = _EMPTY
        row = _row(row, _node(" " * _APART), block) if row[0] else block
    if row[0]:
        yield row


def _group(portrait: Portrait, name: str) -> Block:
    return _node(counted(portrait, name))


def _node(text: str) -> Block:
    return (text, *(" " * len(text) for _ in _EMPTY[1:]))


def _link(portrait: Portrait, link: str) -> Block:
    (offer,) = offers(portrait, link)
    carried = (rate(offer.action.rate, "B"), delay(offer.action.latency), energy(offer))
    width = max(len(text) for text in (link, *carried))
    top = f" ── {link} {'─' * (width - len(link))}── "
    return (top, *(f"    {text}".ljust(len(top)) for text in carried))


def _row(*blocks: Block) -> Block:
    first, second, third, fourth = ("".join(lines) for lines in zip(*blocks, strict=True))
    return first, second, third, fourth
