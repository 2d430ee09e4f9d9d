"""What a mapper asks of a machine: tensors to move, work on them, and who asks for the bytes."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import NamedTuple


class Move(NamedTuple):
    """`bytes` of a tensor on one device: read at `source`, carried, written at `target` (tiles do neither).

    `busiest` is the part of the busiest requester, where the requesters have links of their own, `fullest` that of the
    fullest instance of a memory at either end; an even share where left out. Nobody waits for a move that is
    `posted`: a result on its way home. All devices together move `over` times the bytes; as often as there are devices
    where left out, since then they do the same. At the source they stand in runs of `run` bytes; a stream if left out.
    It serves them `faster` than its sustained rate says, where a kernel asks so.
    """

    tensor: str
    source: str
    target: str
    bytes: int
    busiest: int | None = None
    posted: bool = False
    fullest: int | None = None
    over: Fraction | None = None
    run: int | None = None
    faster: float = 1.0


@dataclass(frozen=True, slots=True)
class Work:
    """`amount` of an action on one device; the busiest of `ways` instances spends `critical`, idle slots included.

    All devices together do `over` times the amount; the number of devices where left out.
    """

    component: str
    action: str
    amount: int
    critical: int
    ways: int
    over: Fraction | None = None


@dataclass(frozen=True, slots=True)
class Requester:
    """Who asks for the bytes: `ways` instances of a device, each with `window` bytes outstanding (None: no limit).

    A window that stands for a measured rate is used up once in a `trip` of so many picoseconds, however near the bytes.
    It is asked for again `turnaround` picoseconds after it came. `knee` (a power of two) says how sharply the slowest
    leg hides the others; None: wholly. With `streams` all that is carried is one leg: it passes from memory to memory.
    """

    ways: int
    window: int | None = None
    grain: int = 1
    trip: int = 0
    knee: int | None = None
    turnaround: int = 0
    streams: bool = False

    @property
    def buffers(self) -> int | None:
        """Bytes outstanding of all instances."""
        return None if self.window is None else self.ways * self.window
