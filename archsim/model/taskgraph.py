"""The mapper's answer and the engine's question: legs, flows, tasks and their order.

Sizes are exact integers: bytes, MACs or operations for counts, picoseconds for delays, and ticks (2**-64 picoseconds)
for the time that a flow needs of a port. With integers equal layers take equal time, to the last tick.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

TICKS = 1 << 64
"""Ticks in a picosecond."""

PS_PER_SECOND = 10**12
"""Picoseconds in a second."""


class Port(NamedTuple):
    """What actions of one component share: its time is served to one sum of work."""

    component: str
    name: str


class Leg(NamedTuple):
    """One tensor's use of one component: what the ledger books and what the busiest instance serves.

    `bill` counts all instances, `critical` the busiest one, `ways` the instances at work: critical <= bill <=
    critical x ways.
    """

    component: str
    action: str
    tensor: str
    bill: int
    critical: int
    ways: int


class Need(NamedTuple):
    """What a flow asks of a port by one action: ticks of the busiest instance, and units of all instances."""

    port: Port
    action: str
    ticks: int
    units: int


class Stop(NamedTuple):
    """What one device asks of a port on behalf of a leg, for fidelities that serve it piece by piece.

    `units` is its part of the bill, `critical` that of the busiest of `instances`, and `ticks` the time that it
    takes; where they are `pooled`, each requester has one to itself. `latency` is picoseconds to the first byte.
    """

    port: Port
    action: str
    units: int
    critical: int
    ticks: int
    latency: int
    instances: int
    pooled: bool


class Strand(NamedTuple):
    """The way of a tensor, stop by stop; nobody waits for one that is `posted`: a result on its way home."""

    stops: tuple[Stop, ...]
    posted: bool = False


class Course(NamedTuple):
    """A flow of one device as its machine laid it out: what travels side by side, and the work on what has arrived.

    `ways` requesters have `window` bytes outstanding each (None: no limit), which arrive in parts of at least `grain`.
    `drain` picoseconds follow the last part (the depth of a reduction); all of it takes `pace` ticks or more.
    """

    strands: tuple[Strand, ...]
    work: tuple[Stop, ...]
    ways: int
    window: int | None = None
    grain: int = 1
    drain: int = 0
    pace: int = 0

    @property
    def stops(self) -> tuple[Stop, ...]:
        """All stops of tensors, then those of the work."""
        return (*(stop for strand in self.strands for stop in strand.stops), *self.work)


@dataclass(frozen=True, slots=True)
class Flow:
    """Legs that advance together, with the delays around them.

    `own` is its time alone in ticks; `loads` what it takes of each port over its life, in ticks, never more than
    `own`. `fill` and `drain` are picoseconds before and after. `lead` is the bytes asked for (0 where nothing moves)
    by `weight` requesters. `stall` is Little's bound in ticks, already part of `own`; `needs` are its demands by port
    and action: both kept to name the limiter. `course` says the same in parts, and `place` whose ports they are where
    they are not the component's own.
    """

    legs: tuple[Leg, ...]
    own: int
    loads: tuple[tuple[Port, int], ...]
    fill: int = 0
    drain: int = 0
    lead: int = 0
    weight: int = 1
    stall: int = 0
    needs: tuple[Need, ...] = ()
    course: Course | None = field(default=None, compare=False, repr=False)
    place: str = ""


@dataclass(frozen=True, slots=True)
class Task:
    """A launch, then flows side by side; the task ends with the last.

    `after` and `makes` are labels, as tensors in a sequential program: a label means the latest earlier task that
    makes it, across layer and segment borders; a label that no earlier task makes is ready from the start. `takes`
    and `gives` are credits of named buffers: all that are taken are taken together at the start, or none; those given
    come back at the end. `device` is the one whose kernel it is, of equal ones that share their work, and in a folded
    plan the first stands for all; None where all do it together, or nobody is told apart. Where they do unlike things
    and are to be told apart, `each` says what every device does instead, by itself; the task is the busiest one's.
    """

    operator: str
    phase: str
    flows: tuple[Flow, ...]
    launch: int = 0
    after: tuple[str, ...] = ()
    makes: tuple[str, ...] = ()
    takes: tuple[tuple[str, int], ...] = ()
    gives: tuple[tuple[str, int], ...] = ()
    device: int | None = None
    each: tuple[tuple[Task, ...], ...] = ()

    @property
    def alone(self) -> int:
        """Picoseconds that it takes where nothing shares its ports."""
        flows = (flow.fill + -(-flow.own // TICKS) + flow.drain for flow in self.flows)
        return self.launch + max(flows, default=0)


@dataclass(frozen=True, slots=True)
class Segment:
    """Tasks in program order, `times` over; `closes` names what the last of them completes (a token), or is empty."""

    tasks: tuple[Task, ...]
    times: int = 1
    closes: str = ""


@dataclass(frozen=True, slots=True)
class TaskGraph:
    """Segments in program order and the sizes of the buffers that credits are taken from."""

    segments: tuple[Segment, ...]
    buffers: tuple[tuple[str, int], ...] = ()

    def executions(self) -> Iterator[tuple[Task, int]]:
        """Each task once, in the order in which it first comes, and how often it is executed wherever it stands."""
        times: dict[int, int] = {}
        tasks: dict[int, Task] = {}
        for segment in self.segments:
            for task in segment.tasks:
                times[id(task)] = times.get(id(task), 0) + segment.times
                tasks[id(task)] = task
        return zip(tasks.values(), times.values(), strict=True)
