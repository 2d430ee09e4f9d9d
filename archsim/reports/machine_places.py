"""Where the boxes of a drawing stand: a column per layer, alike in size, room left for what is drawn around them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from archsim.reports.machine_layout import Joint, Layout

WIDTH, GAP, APART = 176.0, 172.0, 30.0
"""Of a box, between columns, and between boxes of a column."""

MARGIN, PADDING, HEADER, LEAST = 20.0, 34.0, 92.0, 700.0
LANE, LOOP = 42.0, 138.0
"""Heights of a link that goes around, and of one within a group."""


class Box(NamedTuple):
    """A rectangle by its upper left corner."""

    x: float
    y: float
    width: float
    height: float

    @property
    def right(self) -> float:
        """The right edge."""
        return self.x + self.width

    @property
    def bottom(self) -> float:
        """The lower edge."""
        return self.y + self.height

    @property
    def center(self) -> tuple[float, float]:
        """The middle."""
        return self.x + self.width / 2, self.y + self.height / 2


@dataclass(frozen=True, slots=True)
class Places:
    """Boxes of the groups around a level, the frame of the device, links that pass below the boxes, and the whole."""

    boxes: Mapping[str, Box]
    frame: Box
    level: float
    lanes: tuple[Joint, ...]
    floor: float
    width: float
    height: float


def places(layout: Layout, height: float) -> Places:
    """Boxes of a height, columns centred on one line."""
    above = dict.fromkeys(layout.loops, LOOP)
    columns = [_column(names, height, above) for names in layout.layers]
    rise = max(above.get(name, 0.0) - y for column in columns for name, y in column.items())
    level = HEADER + PADDING + rise
    boxes = {
        name: Box(MARGIN + PADDING + index * (WIDTH + GAP), level + y, WIDTH, height)
        for index, column in enumerate(columns)
        for name, y in column.items()
    }
    spans = {joint: layout.layer(joint.target) - layout.layer(joint.source) for joint in layout.joints}
    lanes = tuple(sorted((joint for joint, span in spans.items() if span > 1), key=lambda joint: (spans[joint], joint)))
    floor = max(box.bottom for box in boxes.values())
    inner = len(layout.layers) * (WIDTH + GAP) - GAP + (GAP if 0 in spans.values() else 0.0)
    frame = Box(MARGIN, HEADER, inner + 2 * PADDING, floor + LANE * len(lanes) + PADDING - HEADER)
    outside = GAP + WIDTH if layout.outward else 0.0
    width = max(frame.right + outside + MARGIN, LEAST)
    return Places(boxes, frame, level, lanes, floor, width, frame.bottom + 3 * MARGIN)


def _column(names: Sequence[str], height: float, above: Mapping[str, float]) -> dict[str, float]:
    """Upper edges of boxes below each other, their middle at zero; what stands above the first one does not count."""
    edges, y = {}, 0.0
    for index, name in enumerate(names):
        y += above.get(name, 0.0) if index else 0.0
        edges[name] = y
        y += height + APART
    middle = (y - APART) / 2
    return {name: edge - middle for name, edge in edges.items()}
