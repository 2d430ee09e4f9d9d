"""Links as lines: as wide as the logarithm of their bandwidth, as dark as a byte on them is dear."""

from __future__ import annotations

from math import cos, log10, pi, sin

from archsim.model.component import Connector
from archsim.model.graph import topology as joined
from archsim.reports.machine_graph import topology
from archsim.reports.machine_layout import Joint, Layout
from archsim.reports.machine_places import GAP, LANE, WIDTH, Box, Places
from archsim.reports.portrait import Portrait, delay, energy, offers, rate
from archsim.reports.svg import Element, add, energy_class, lines, shortened, text

_THIN, _THICK = 1.5, 9.0
_SLOW, _FAST = 9.0, 14.0
"""Powers of ten of bytes per second that the thin and the thick line stand for."""

_GLYPH, _MOST = 54.0, 8
_LABEL = 18
_BEND = 52.0
"""How much of the gap a bend takes."""


def edges(parent: Element, portrait: Portrait, layout: Layout, places: Places) -> None:
    """All links between groups, around them, within them, and to other devices."""
    for joint in places.lanes:  # first, so that the labels of the others stand upon them
        _around(parent, portrait, joint, places)
    for joint in (joint for joint in layout.joints if joint not in places.lanes):
        if layout.layer(joint.source) == layout.layer(joint.target):
            _beside(parent, portrait, joint, places)
        else:
            meeting = sum(other.target == joint.target for other in layout.joints if other not in places.lanes)
            _between(parent, portrait, joint, places, gathers=meeting > 1)
    for group, link in layout.loops.items():
        _within(parent, portrait, group, link, places)
    if layout.outward:
        _outward(parent, portrait, layout.outward, places)


def line_width(bytes_per_second: int | None) -> float:
    """Pixels of an edge."""
    if bytes_per_second is None:
        return _THICK
    share = (log10(bytes_per_second) - _SLOW) / (_FAST - _SLOW)
    return _THIN + (_THICK - _THIN) * min(max(share, 0.0), 1.0)


def described(portrait: Portrait, link: str) -> str:
    """A link in words: what it carries and costs."""
    carried, latency, cost = _carried(portrait, link)
    return f"{link}: {carried} each way, {latency}, {cost}"


def _carried(portrait: Portrait, link: str) -> tuple[str, str, str]:
    (offer,) = offers(portrait, link)
    return rate(offer.action.rate, "B"), delay(offer.action.latency), energy(offer)


def _edge(parent: Element, portrait: Portrait, link: str, path: str) -> Element:
    (offer,) = offers(portrait, link)
    group = add(parent, "g")
    add(group, "title").text = described(portrait, link)
    kind = f"edge {energy_class(offer.price.value)}"
    add(group, "path", kind, d=path, stroke_width=line_width(offer.action.rate))
    return group


def _between(parent: Element, portrait: Portrait, joint: Joint, places: Places, *, gathers: bool) -> None:
    """From a box to one of the next column: level where its label stands, bent where it meets others."""
    source, target = places.boxes[joint.source], places.boxes[joint.target]
    (_, y), (_, end) = source.center, target.center
    start, stop = (target.x - _BEND, target.x) if gathers else (source.right, source.right + _BEND)
    turn = (start + stop) / 2
    path = f"M{source.right:g} {y:g} H{start:g} C{turn:g} {y:g} {turn:g} {end:g} {stop:g} {end:g} H{target.x:g}"
    middle = (source.right + start) / 2 if gathers else (stop + target.x) / 2
    at = ((source.right + target.x) / 2 if y == end else middle, y if gathers else end)
    _label(_edge(parent, portrait, joint.link, path), portrait, joint.link, at)


def _beside(parent: Element, portrait: Portrait, joint: Joint, places: Places) -> None:
    """Between boxes of one column, bent to their right."""
    source, target = places.boxes[joint.source], places.boxes[joint.target]
    (_, y), (_, end) = source.center, target.center
    path = (
        f"M{source.right:g} {y:g} C{source.right + 80:g} {y:g} {source.right + 80:g} {end:g} {target.right:g} {end:g}"
    )
    _label(_edge(parent, portrait, joint.link, path), portrait, joint.link, (source.right + 92, (y + end) / 2))


def _around(parent: Element, portrait: Portrait, joint: Joint, places: Places) -> None:
    """Below all boxes: down in the gap behind the one, up in the gap before the other; deeper lanes lie further out."""
    source, target = places.boxes[joint.source], places.boxes[joint.target]
    lane = places.lanes.index(joint)
    inset = len(places.lanes) - 1 - lane
    y, start, end = places.floor + LANE * (lane + 1) - 6, source.right + 18 + 12 * inset, target.x - 18 - 12 * inset
    leaves, enters = source.bottom - 16 - 14 * inset, target.bottom - 16 - 14 * inset
    path = (
        f"M{source.right:g} {leaves:g} H{start - 8:g} Q{start:g} {leaves:g} {start:g} {leaves + 8:g} "
        f"V{y - 8:g} Q{start:g} {y:g} {start + 8:g} {y:g} H{end - 8:g} Q{end:g} {y:g} {end:g} {y - 8:g} "
        f"V{enters + 8:g} Q{end:g} {enters:g} {end + 8:g} {enters:g} H{target.x:g}"
    )
    group = _edge(parent, portrait, joint.link, path)
    words = f"{shortened(joint.link, _LABEL)}  {' · '.join(_carried(portrait, joint.link))}"
    text(group, words, ((start + end) / 2, y - 11), "on-line", "middle")


def _within(parent: Element, portrait: Portrait, group: str, link: str, places: Places) -> None:
    """A loop over the box, in it how the instances are joined."""
    box, half = places.boxes[group], 46.0
    middle, top = box.center[0], box.y - 84
    path = (
        f"M{middle - half:g} {box.y:g} V{top + 12:g} Q{middle - half:g} {top:g} {middle - half + 12:g} {top:g} "
        f"H{middle + half - 12:g} Q{middle + half:g} {top:g} {middle + half:g} {top + 12:g} V{box.y:g}"
    )
    drawn = _edge(parent, portrait, link, path)
    label = f"{shortened(link, _LABEL)} · {topology(portrait, link)}"
    words = ((label, "link on-line"), (" · ".join(_carried(portrait, link)), "quiet on-line"))
    lines(drawn, words, (middle, top - 27), 17)
    _glyph(drawn, portrait, link, (middle - _GLYPH / 2, top + 15))


def _glyph(parent: Element, portrait: Portrait, name: str, corner: tuple[float, float]) -> None:
    """Dots joined as the instances are; of a large topology a part."""
    link = portrait.machine.components[name]
    if not isinstance(link, Connector) or link.topology is None:
        return
    count = portrait.machine.components[link.between[0]].count
    kind, shape = link.topology, None
    if kind in ("mesh", "torus"):
        rows, columns = (min(length, _MOST) for length in link.shape or (round(count**0.5),) * 2)
        shape, span = (rows, columns), max(rows, columns, 2) - 1
        dots = [(column / span, row / span) for row in range(rows) for column in range(columns)]
    else:
        dots = _dots(kind, min(count, _MOST + 1))
    joints = joined("mesh" if kind == "torus" else kind, len(dots), shape)
    at = [(corner[0] + x * _GLYPH, corner[1] + y * _GLYPH) for x, y in dots]
    for a, b in joints:
        add(parent, "line", "wire", x1=at[a][0], y1=at[a][1], x2=at[b][0], y2=at[b][1])
    for x, y in at:
        add(parent, "circle", "dot", cx=x, cy=y, r=3)


def _dots(kind: str, count: int) -> list[tuple[float, float]]:
    """Places of the instances in a square of one: in a row, in a circle, or around the first."""
    if kind == "line":
        return [(index / max(1, count - 1), 0.5) for index in range(count)]
    hub = [(0.5, 0.5)] if kind in ("star", "switch") else []
    around = count - len(hub)
    turns = [2 * pi * index / max(1, around) for index in range(around)]
    return [*hub, *((0.5 + sin(turn) / 2, 0.5 - cos(turn) / 2) for turn in turns)]


def _outward(parent: Element, portrait: Portrait, link: str, places: Places) -> None:
    """From the frame of the device to the others."""
    frame, height, middle = places.frame, 62.0, places.level
    ghost = Box(frame.right + GAP, middle - height / 2, WIDTH, height)
    drawn = _edge(parent, portrait, link, f"M{frame.right:g} {middle:g} H{ghost.x:g}")
    _label(drawn, portrait, link, ((frame.right + ghost.x) / 2, middle))
    add(drawn, "rect", "frame", x=ghost.x, y=ghost.y, width=ghost.width, height=ghost.height, rx=10)
    shape = topology(portrait, link)
    words = (("other devices", "link"), *(((shape, "quiet"),) if shape else ()))
    lines(drawn, words, (ghost.center[0], middle + (4 if len(words) == 1 else -4)), 18)


def _label(parent: Element, portrait: Portrait, link: str, at: tuple[float, float]) -> None:
    """Name and bandwidth above the line, latency and energy below it."""
    carried, latency, cost = _carried(portrait, link)
    lines(parent, ((shortened(link, _LABEL), "link on-line"), (carried, "on-line")), (at[0], at[1] - 27), 16)
    lines(parent, ((cost, "on-line"), (latency, "quiet on-line")), (at[0], at[1] + 22), 16)
