"""The program: tasks unrolled lazily, in program order, each waiting for the makers of its labels."""

from collections import Counter
from collections.abc import Mapping, Sequence

from archsim.engine.live import Iteration, LiveTask, Loop, Place
from archsim.engine.rows import Parts
from archsim.model.run import Span
from archsim.model.taskgraph import Flow, Segment, Task, TaskGraph

_NOTHING = Flow(legs=(), own=0, loads=())
"""The flow of a task that has none: it lasts as long as the launch."""


class Program:
    """Segments in program order, one iteration at a time.

    A label resolves, when its task is unrolled, to the latest earlier task that makes it, across iterations and
    segments. The next iteration is due as soon as any task of the newest one has started, so that only what buffers
    and labels allow runs ahead.
    """

    def __init__(self, graph: TaskGraph, parts: Mapping[int, Parts]) -> None:
        buffers = frozenset(name for name, _ in graph.buffers)
        self.loops = tuple(_loop(segment, buffers, parts) for segment in graph.segments)
        self.live: dict[int, LiveTask] = {}
        self.newest: Iteration | None = None
        self._ahead = iter([loop for loop in self.loops if loop.places and loop.times > 0])
        self._makers: dict[str, LiveTask] = {}
        self._rank = 1

    def due(self) -> bool:
        """Whether the next iteration should be unrolled."""
        return self.newest is None or self.newest.started

    def unroll(self) -> list[LiveTask]:
        """The tasks of the next iteration, now live; none where the program is at its end."""
        newest = self.newest
        if newest is not None and newest.number + 1 < newest.loop.times:
            loop, number = newest.loop, newest.number + 1
        else:
            following = next(self._ahead, None)
            if following is None:
                return []
            loop, number = following, 0
        self.newest = Iteration(loop, number, len(loop.places))
        return [self._admit(place, self.newest) for place in loop.places]

    def retire(self, task: LiveTask) -> None:
        """Take a task that ended out of the live ones, and let go of what it refers to."""
        task.ended = True
        task.flows = []
        task.place.completed += 1
        task.iteration.unfinished -= 1
        del self.live[task.rank]

    def _admit(self, place: Place, iteration: Iteration) -> LiveTask:
        task = self.live[self._rank] = LiveTask(place, iteration, self._rank)
        self._rank += len(place.flows)
        for label in place.task.after:
            maker = self._makers.get(label)
            if maker is not None and not maker.ended and task not in maker.waiters[-1:]:
                maker.waiters.append(task)
                task.waits += 1
        for label in place.task.makes:
            self._makers[label] = task
        return task


def _loop(segment: Segment, buffers: frozenset[str], parts: Mapping[int, Parts]) -> Loop:
    places = tuple(_place(task, index, buffers, parts) for index, task in enumerate(segment.tasks))
    return Loop(segment, places, segment.times)


def _place(task: Task, index: int, buffers: frozenset[str], parts: Mapping[int, Parts]) -> Place:
    takes, gives = _totals(task.takes), _totals(task.gives)
    for name in (*takes, *gives):
        if name not in buffers:
            raise ValueError(f"{task.operator} uses buffer {name}, which the graph doesn't have")
    span = Span(task.operator, task.phase)
    return Place(task, index, span, task.flows or (_NOTHING,), takes, gives, parts.get(id(task), ()))


def _totals(amounts: Sequence[tuple[str, int]]) -> dict[str, int]:
    if not amounts:
        return {}
    totals: Counter[str] = Counter()
    for name, amount in amounts:
        totals[name] += amount
    return dict(totals)
