"""Where the boxes of a drawing stand: a column per layer, alike in size, room left for what is drawn around them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from archsim.reports.machine_layout import Joint, Layout

WIDTH, GAP, APART = 176.0, 172.0, 30.0
"""Of a box, between columns, and between boxes of a column."""

MARGIN, PADDING, HEADER = 20.0, 34.0, 92.0
LANE, LOOP, LOOP_STEP = 42.0, 138.0, 46.0
"""Heights of a link that goes around, of a link within a group, and of each further one."""


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
    """Boxes of the groups, the frame of the device around them, links that pass below the boxes, and the whole size."""

    boxes: Mapping[str, Box]
    frame: Box
    lanes: tuple[Joint, ...]
    floor: float
    width: float
    height: float


def places(layout: Layout, height: float) -> Places:
    """Boxes of a height, columns centred on one line."""
    above = {name: LOOP + LOOP_STEP * (len(links) - 1) for name, links in layout.loops.items()}
    tall = [sum(height + APART + above.get(name, 0.0) for name in names) for names in layout.layers]
    tall = [whole - APART - above.get(names[0], 0.0) for whole, names in zip(tall, layout.layers, strict=True)]
    top = HEADER + PADDING + max(above.get(names[0], 0.0) for names in layout.layers)
    boxes: dict[str, Box] = {}
    for index, names in enumerate(layout.layers):
        y = top + (max(tall) - tall[index]) / 2 - above.get(names[0], 0.0)
        for name in names:
            y += above.get(name, 0.0)
            boxes[name] = Box(MARGIN + PADDING + index * (WIDTH + GAP), y, WIDTH, height)
            y += height + APART
    spans = {joint: layout.layer(joint.target) - layout.layer(joint.source) for joint in layout.joints}
    lanes = tuple(sorted((joint for joint, span in spans.items() if span > 1), key=lambda joint: (spans[joint], joint)))
    floor = max(box.bottom for box in boxes.values())
    inner = len(layout.layers) * (WIDTH + GAP) - GAP + (GAP if 0 in spans.values() else 0.0)
    frame = Box(MARGIN, HEADER, inner + 2 * PADDING, floor + LANE * len(lanes) + PADDING - HEADER)
    outside = GAP + WIDTH if layout.outward else 0.0
    tallest = max(frame.height, len(layout.outward) * (height / 2 + APART) - APART)
    return Places(boxes, frame, lanes, floor, frame.right + outside + MARGIN, HEADER + tallest + 3 * MARGIN)
