"""What is under way: loops, iterations, tasks and flows, as they change while the engine runs."""

from dataclasses import dataclass, field
from enum import IntEnum

from simpy.events import EventPriority

from archsim.engine.kernel import Timer
from archsim.model.run import Span
from archsim.model.taskgraph import TICKS, Flow, Segment, Task


class Stage(IntEnum):
    """Where a flow is: before its first byte, sharing ports, after its last byte, or done."""

    FILL = 0
    SHARE = 1
    DRAIN = 2
    DONE = 3


@dataclass(slots=True, eq=False)
class Place:
    """A task's place in a segment, its flows, its credits by buffer, and how often it was completed.

    Of a task that stands for several in a row, `parts` says when each of them ends, from its start, and whose time
    that is.
    """

    task: Task
    index: int
    span: Span
    flows: tuple[Flow, ...]
    takes: dict[str, int]
    gives: dict[str, int]
    parts: tuple[tuple[int, Span], ...] = ()
    completed: int = 0


@dataclass(slots=True, eq=False)
class Loop:
    """A segment under way: where whole periods are skipped, `times` shrinks by `skipped` iterations."""

    segment: Segment
    places: tuple[Place, ...]
    times: int
    skipped: int = 0


@dataclass(slots=True, eq=False)
class Iteration:
    """One pass through a loop: how many of its tasks are unfinished, and whether any has started."""

    loop: Loop
    number: int
    unfinished: int
    started: bool = False


@dataclass(slots=True, eq=False)
class LiveTask:
    """One execution of a task.

    `rank` is its place in program order; the ranks after it are its flows'. `waits` counts the tasks that it waits for,
    `waiters` are those that wait for it, `began` is when it started, `unfinished` counts its flows.
    """

    place: Place
    iteration: Iteration
    rank: int
    waits: int = 0
    waiters: list["LiveTask"] = field(default_factory=list)
    flows: list["LiveFlow"] = field(default_factory=list)
    began: int = 0
    unfinished: int = 0
    ended: bool = False

    @property
    def name(self) -> str:
        """Operator and iteration, as in `produce.1[0]`."""
        return f"{self.place.task.operator}[{self.iteration.number + self.iteration.loop.skipped}]"


Dock = dict["LiveFlow", None]
"""The flows that share one port."""


@dataclass(slots=True, eq=False)
class LiveFlow:
    """One execution of a flow: in `stage` since `since`, with `left` ticks to go then, `pace` of them a picosecond.

    Up to `slack` ticks left are none. It shared its ports from when it `entered` until it `departed`. `timer` is the
    one that is valid for it while it shares the ports of its `docks`.
    """

    flow: Flow
    task: LiveTask
    rank: EventPriority
    since: int
    left: int
    stage: Stage = Stage.FILL
    pace: int = TICKS
    slack: int = 0
    entered: int = 0
    departed: int = 0
    docks: tuple[Dock, ...] = ()
    timer: Timer | None = None
