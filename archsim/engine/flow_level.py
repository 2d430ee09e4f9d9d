"""The `flow` fidelity: tasks as launches and flows, ports divided by weighted max-min fairness.

A task starts when the makers of its labels have ended and its credits can be taken. Each of its flows waits for
launch and fill, shares its ports until its own time is used up, and drains; the task ends with its last flow.
"""

from collections.abc import Callable, Hashable, Mapping
from functools import partial
from typing import Protocol

from simpy.events import Event, EventPriority

from archsim.engine.bounds import MOST_EVENTS, check_length
from archsim.engine.credits import Credits
from archsim.engine.deadlock import complaint
from archsim.engine.errors import Deadlock
from archsim.engine.flownet import FlowNet
from archsim.engine.held import Held
from archsim.engine.kernel import Clock, Timer
from archsim.engine.live import Iteration, LiveFlow, LiveTask, Stage
from archsim.engine.program import Program
from archsim.engine.repeats import Repeats
from archsim.engine.rows import Parts
from archsim.engine.tally import Completions, busy, completions, counts
from archsim.model.run import Interval, Mark, Run
from archsim.model.taskgraph import TaskGraph

_NO_ROWS: Mapping[int, Parts] = {}


class Net(Protocol):
    """What serves flows between their fill and their drain, at a fidelity of its own."""

    @property
    def fidelity(self) -> str:
        """The fidelity by name."""

    def join(self, flow: LiveFlow) -> None:
        """Serve a flow from now on."""

    def state(self, flow: LiveFlow, now: int) -> Hashable:
        """What the future of a flow depends on."""

    def counted(self, done: Completions) -> Mapping[tuple[str, str], int]:
        """Units of one device that servers counted, by component and action; none where nothing counts."""


class FlowLevel:
    """One simulation of a task graph, with a net that serves its flows.

    `parts` are those of tasks that stand for several in a row.
    """

    def __init__(
        self,
        graph: TaskGraph,
        net: Callable[[Clock, Callable[[LiveFlow], None]], Net] = FlowNet,
        *,
        repeats: bool,
        timeline: bool = False,
        parts: Mapping[int, Parts] = _NO_ROWS,
    ) -> None:
        self._clock = Clock()
        self._net = net(self._clock, self._served)
        self._credits = Credits(graph.buffers)
        self._program = Program(graph, parts)
        self._held = Held()
        self._marks: list[Mark] = []
        self._timeline: list[Interval] | None = [] if timeline else None
        skip = repeats and not timeline
        self._repeats = (
            Repeats(self._clock, self._program, self._credits, self._held, self._net.state) if skip else None
        )

    def run(self, max_events: int | None) -> Run:
        """Simulate to the end. Raises Deadlock, or EventLimit after `max_events`; at once where a billion would be."""
        if max_events is None:
            check_length(self._program.loops)
        self._unroll()
        events = self._clock.play(self._program.live, max_events or MOST_EVENTS)
        if self._program.live:
            raise Deadlock(complaint(self._program.live.values(), self._credits))
        done = completions(self._program.loops)
        return Run(
            picoseconds=self._clock.total,
            counts=counts(done),
            held=self._held.spans,
            busy=busy(done),
            marks=tuple(self._marks),
            events=events,
            fidelity=self._net.fidelity,
            served=self._net.counted(done),
            timeline=tuple(self._timeline or ()),
        )

    def _unroll(self) -> None:
        while self._program.due():
            tasks = self._program.unroll()
            if not tasks:
                break
            for task in tasks:
                if not task.waits:
                    self._ask(task)

    def _ask(self, task: LiveTask) -> None:
        if not task.place.takes or self._credits.take(task):
            self._start(task)

    def _start(self, task: LiveTask) -> None:
        now = self._clock.now
        task.iteration.started = True
        task.began = now
        self._held.begin(task, now)
        launch = task.place.task.launch
        flows = task.place.flows
        task.unfinished = len(flows)
        task.flows = [
            LiveFlow(flow, task, EventPriority(task.rank + number), now, flow.own) for number, flow in enumerate(flows)
        ]
        for flow in task.flows:
            delay = launch + flow.flow.fill
            if delay:
                Timer(self._clock, delay, flow.rank, partial(self._share, flow))
            else:
                self._share(flow)

    def _share(self, flow: LiveFlow, _: Event | None = None) -> None:
        flow.since = flow.entered = flow.departed = self._clock.now
        if flow.left:
            flow.stage = Stage.SHARE
            self._net.join(flow)
        else:
            self._drain(flow)

    def _served(self, flow: LiveFlow) -> None:
        flow.departed = self._clock.now
        if flow.flow.drain:
            self._drain(flow)
        else:
            self._finish(flow)

    def _drain(self, flow: LiveFlow) -> None:
        flow.stage = Stage.DRAIN
        Timer(self._clock, flow.flow.drain, flow.rank, partial(self._finish, flow))

    def _finish(self, flow: LiveFlow, _: Event | None = None) -> None:
        flow.stage = Stage.DONE
        task = flow.task
        task.unfinished -= 1
        if not task.unfinished:
            self._end(task)

    def _end(self, task: LiveTask) -> None:
        if self._timeline is not None:
            used = tuple((flow.entered, flow.departed) for flow in task.flows)
            self._timeline.append(Interval(task.place.task, task.began, self._clock.now, used))
        self._program.retire(task)
        self._held.end(self._clock.now)
        if task.place.gives:
            for queued in self._credits.give(task):
                self._start(queued)
        waiters, task.waiters = task.waiters, []
        for waiter in waiters:
            waiter.waits -= 1
            if not waiter.waits:
                self._ask(waiter)
        self._unroll()
        if not task.iteration.unfinished:
            self._close(task.iteration)

    def _close(self, iteration: Iteration) -> None:
        loop = iteration.loop
        if loop.segment.closes and iteration.number + 1 == loop.times:
            self._marks.append(Mark(loop.segment.closes, self._clock.total))
        if self._repeats is not None:
            self._repeats.watch(iteration)
