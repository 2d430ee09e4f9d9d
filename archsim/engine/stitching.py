"""Stitching: the program from cut to cut, each piece simulated once, whatever it is called, and put together.

A piece depends on nothing but its own timing: launches, fills, drains, own times, loads, leads, weights, labels and
credits. So a growing cache costs one piece of attention per token, and a drawn layer nothing where its like was seen.
A piece that is one kernel of one flow meets nobody, not even itself: it is a single event, known without playing it.
"""

from dataclasses import replace
from functools import lru_cache
from itertools import accumulate
from typing import NoReturn

from archsim.engine.cuts import Stretch, stretches
from archsim.engine.errors import Deadlock, EventLimit
from archsim.engine.flow_level import FlowLevel
from archsim.engine.rows import Parts, fused
from archsim.engine.tally import Completions, busy, counts
from archsim.model.run import Mark, Run, Span
from archsim.model.taskgraph import Flow, Port, Segment, Task, TaskGraph

_SMALL = 1024
"""Executions of tasks up to which a piece is remembered: a larger one is a whole program, that is played as it is."""

_REMEMBERED = 1 << 14
"""Pieces kept in mind, those not asked for the longest forgotten first."""


_ALL_DIFFERENT = 4096
"""Different pieces from which on a program of which most pieces differ is played as a whole, which costs less."""


class _AllDifferentError(Exception):
    """Hardly a piece of the program comes again."""


def stitched(graph: TaskGraph, max_events: int | None) -> Run:
    """The run of a graph, equal to the full one in all but `events`: those of equal pieces count once.

    Raises Deadlock, or EventLimit where more than `max_events` are needed.
    """
    try:
        return _Stitches(graph, max_events).run()
    except _AllDifferentError:
        return FlowLevel(graph, repeats=True).run(max_events)
    except (Deadlock, ValueError):  # the program as a whole tells of the same with its own names
        return FlowLevel(graph, repeats=True).run(max_events)


class _Stitches:
    """Pieces of one program put together, in program order."""

    def __init__(self, graph: TaskGraph, max_events: int | None) -> None:
        self._graph = graph
        self._limit = max_events
        self._total = 0
        self._events = 0
        self._held: dict[Span, int] = {}
        self._marks: list[Mark] = []
        self._pieces: dict[tuple[int, ...], Run] = {}
        self._counted: set[TaskGraph] = set()
        self._kernels: dict[int, tuple[Span, int]] = {}
        self._timings: set[tuple[int, ...]] = set()

    def run(self) -> Run:
        done = Completions()
        for number, stretch in enumerate(stretches(self._graph.segments)):
            if len(self._counted) > max(_ALL_DIFFERENT, number // 2):
                raise _AllDifferentError
            if len(stretch.tasks) == 1 and not stretch.before and _meets_nobody(stretch.tasks[0]):
                self._add_kernel(stretch.tasks[0], stretch.times)
            else:
                self._add(self._piece(stretch), stretch.times)
            if stretch.closes:
                self._marks.append(Mark(stretch.closes, self._total))
            for task, times in stretch.executions():
                done.add(task, times)
        return Run(
            picoseconds=self._total,
            counts=counts(done),
            held=self._held,
            busy=busy(done),
            marks=tuple(self._marks),
            events=self._events,
            fidelity="flow",
        )

    def _add(self, piece: Run, times: int) -> None:
        for span, held in piece.held.items():
            self._held[span] = self._held.get(span, 0) + held * times
        self._marks += [Mark(mark.what, self._total + mark.at) for mark in piece.marks]
        self._total += piece.picoseconds * times

    def _add_kernel(self, task: Task, times: int) -> None:
        known = self._kernels.get(id(task))
        if known is None:
            known = self._kernels[id(task)] = Span(task.operator, task.phase), task.alone
            self._count_kernel(task)
        span, alone = known
        if alone:
            self._held[span] = self._held.get(span, 0) + alone * times
            self._total += alone * times

    def _count_kernel(self, task: Task) -> None:
        """One event for a kernel whose like did not come before."""
        timing = (task.launch, *(part for flow in task.flows for part in (flow.fill, flow.own, flow.drain)))
        if timing not in self._timings:
            self._timings.add(timing)
            self._count(1)

    def _piece(self, stretch: Stretch) -> Run:
        if stretch.before:
            return self._simulated(stretch.segments)
        key = tuple(map(id, stretch.tasks))
        if key not in self._pieces:  # the graph keeps the tasks, so their ids stay theirs
            self._pieces[key] = self._simulated(stretch.segments)
        return self._pieces[key]

    def _simulated(self, segments: tuple[Segment, ...]) -> Run:
        if sum(len(segment.tasks) * segment.times for segment in segments) > _SMALL:
            piece = self._played(TaskGraph(segments, self._graph.buffers))
            self._count(piece.events)
            return piece
        bare = _bare(segments, self._graph.buffers)
        piece = _remembered(bare)
        if bare not in self._counted:
            self._counted.add(bare)
            self._count(piece.events)
        return _named(piece, segments)

    def _played(self, graph: TaskGraph) -> Run:
        left = None if self._limit is None else max(0, self._limit - self._events)
        try:
            return _played(graph, left)
        except EventLimit:
            if left is None:
                raise
            self._stop()

    def _count(self, events: int) -> None:
        self._events += events
        if self._limit is not None and self._events > self._limit:
            self._stop()

    def _stop(self) -> NoReturn:
        raise EventLimit(f"stopped after {self._limit} events, in what starts at {self._total} ps")


def _meets_nobody(task: Task) -> bool:
    return len(task.flows) <= 1 and not task.takes and not task.gives


def _alone(row: tuple[Task, ...]) -> Parts:
    """How long tasks in a row take by themselves, credits left aside: whoever simulates the whole has seen to them."""
    if all(len(task.flows) <= 1 for task in row):
        ends = accumulate(task.alone for task in row)
        return tuple((end, Span(task.operator, task.phase)) for end, task in zip(ends, row, strict=True))
    piece = _remembered(_bare((Segment(tuple(replace(task, takes=(), gives=()) for task in row)),), ()))
    ends = accumulate(piece.held.get(Span(f"0.{place}", ""), 0) for place in range(len(row)))
    return tuple((end, Span(task.operator, task.phase)) for end, task in zip(ends, row, strict=True))


@lru_cache(maxsize=_REMEMBERED)
def _remembered(bare: TaskGraph) -> Run:
    return _played(bare, None)


def _played(graph: TaskGraph, max_events: int | None) -> Run:
    """The run of a graph, what lies in a row as one; without credits nothing is exclusive."""
    if not graph.buffers:
        return FlowLevel(graph, repeats=any(segment.times > 1 for segment in graph.segments)).run(max_events)
    rows = fused(graph, _alone)
    return FlowLevel(rows.graph, repeats=True, parts=rows.parts).run(max_events)


def _bare(segments: tuple[Segment, ...], buffers: tuple[tuple[str, int], ...]) -> TaskGraph:
    """What the timing of some segments depends on, tasks and closings named by their places alone."""
    owing = any(task.takes or task.gives for segment in segments for task in segment.tasks)
    ports: dict[Port, Port] = {}
    return TaskGraph(
        tuple(
            Segment(
                tuple(_bare_task(task, f"{n}.{place}", ports) for place, task in enumerate(segment.tasks)),
                segment.times,
                segment.closes and str(n),
            )
            for n, segment in enumerate(segments)
        ),
        buffers if owing else (),
    )


def _bare_task(task: Task, name: str, ports: dict[Port, Port]) -> Task:
    flows = tuple(
        Flow((), flow.own, _bare_loads(flow, ports), flow.fill, flow.drain, flow.lead, flow.weight)
        for flow in task.flows
    )
    return Task(name, "", flows, task.launch, task.after, task.makes, task.takes, task.gives)


def _bare_loads(flow: Flow, ports: dict[Port, Port]) -> tuple[tuple[Port, int], ...]:
    """Loads of ports that are numbered as they first appear."""
    return tuple((ports.setdefault(port, Port("", str(len(ports)))), load) for port, load in flow.loads)


def _named(piece: Run, segments: tuple[Segment, ...]) -> Run:
    """The run of a bare piece with the names that its tasks and closings bear here."""
    spans = {
        Span(f"{n}.{place}", ""): Span(task.operator, task.phase)
        for n, segment in enumerate(segments)
        for place, task in enumerate(segment.tasks)
    }
    held: dict[Span, int] = {}
    for bare, picoseconds in piece.held.items():
        span = spans.get(bare, bare)
        held[span] = held.get(span, 0) + picoseconds
    marks = tuple(Mark(segments[int(mark.what)].closes, mark.at) for mark in piece.marks)
    return replace(piece, held=held, marks=marks)


forget = _remembered.cache_clear
"""Forget all pieces: what is simulated next starts with nothing known."""
