"""Cuts: instants at which one task ends and all later ones wait for it, so that nothing is under way and none is owed.

What lies between two cuts depends on nothing outside. A task is a cut where every earlier task leads to it and every
later one follows from it, by labels, and where no credit is out.
"""

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import NamedTuple

from archsim.model.taskgraph import Segment, Task

_LOOKED_AT = 2
"""Iterations of a segment that are looked at: the first, and one that follows an equal one, as all others do."""


class Stretch(NamedTuple):
    """From one cut to the next, `times` over: whole segments, then `tasks` of one iteration.

    `closes` is what the end of the last time completes, or empty.
    """

    before: tuple[Segment, ...]
    tasks: tuple[Task, ...]
    times: int
    closes: str

    @property
    def segments(self) -> tuple[Segment, ...]:
        """All that happens each time, as segments."""
        return (*self.before, Segment(self.tasks)) if self.tasks else self.before

    def executions(self) -> Iterator[tuple[Task, int]]:
        """Its tasks, and how often they are executed in all."""
        for segment in self.before:
            for task in segment.tasks:
                yield task, segment.times * self.times
        for task in self.tasks:
            yield task, self.times


def stretches(segments: Sequence[Segment]) -> Iterator[Stretch]:
    """The program from cut to cut; all in one piece where it has none."""
    cuts = _cuts(segments)
    held: list[Segment] = []
    at = 0
    for segment in _at_work(segments):
        size, looked_at = len(segment.tasks), min(segment.times, _LOOKED_AT)
        marks = [tuple(cut for cut in range(size) if at + size * n + cut in cuts) for n in range(looked_at)]
        at += size * looked_at
        if segment.times > 1 and not all(size - 1 in found for found in marks):
            held.append(segment)
            if size - 1 in marks[-1]:
                yield Stretch(tuple(held), (), 1, "")
                held.clear()
        elif len(set(marks)) == 1 and not held:
            yield from _pieces(held, segment, marks[0], segment.times, last=True)
        else:
            for n, found in enumerate(marks):
                yield from _pieces(held, segment, found, max(1, n * (segment.times - 1)), last=n + 1 == looked_at)
    if held:
        yield Stretch(tuple(held), (), 1, "")


def _pieces(held: list[Segment], segment: Segment, cuts: Sequence[int], times: int, *, last: bool) -> Iterator[Stretch]:
    """One iteration from cut to cut; what was held back comes before its first one, what follows its last is held."""
    start, size = 0, len(segment.tasks)
    for cut in cuts:
        closes = segment.closes if last and cut + 1 == size else ""
        yield Stretch(tuple(held), segment.tasks[start : cut + 1], times, closes)
        held.clear()
        start = cut + 1
    if start < size:
        held.append(Segment(segment.tasks[start:], 1, segment.closes))


def _at_work(segments: Sequence[Segment]) -> Iterator[Segment]:
    return (segment for segment in segments if segment.tasks and segment.times > 0)


def _cuts(segments: Sequence[Segment]) -> frozenset[int]:
    """Cuts among the tasks of the first two iterations of every segment, numbered in program order."""
    search = _Search()
    for segment in _at_work(segments):
        for _ in range(min(segment.times, _LOOKED_AT)):
            for task in segment.tasks:
                search.add(task)
        if segment.times > _LOOKED_AT:
            search.owe(segment.tasks, segment.times - _LOOKED_AT)
    return frozenset(search.cuts)


class _Search:
    """Walks through the tasks in program order; `cuts` are those that stood up to every task so far.

    `_leads` are the tasks from which none follows yet. Of the maker of each label it is known what the latest cut is
    that it follows from, or is: a task that does not follow from a cut, by its labels, shows that it is none.
    """

    def __init__(self) -> None:
        self.cuts = [-1]
        self._at = 0
        self._leads: set[int] = set()
        self._makers: dict[str, tuple[int, int]] = {}
        self._owed: dict[str, int] = {}

    def add(self, task: Task) -> None:
        """The next task."""
        at, cuts, follows = self._at, self.cuts, -1
        self._at += 1
        for label in task.after:
            maker = self._makers.get(label)
            if maker is not None:
                self._leads.discard(maker[0])
                follows = max(follows, maker[1])
        while cuts[-1] > follows:
            cuts.pop()
        self._leads.add(at)
        if task.takes or task.gives:
            self.owe((task,), 1)
        if len(self._leads) == 1 and not self._owed:
            cuts.append(at)
            follows = at
        for label in task.makes:
            self._makers[label] = (at, follows)

    def owe(self, tasks: Sequence[Task], times: int) -> None:
        """Credits that some tasks take and do not give, or give and did not take."""
        for task in tasks:
            given = ((name, -amount) for name, amount in task.gives)
            for name, amount in chain(task.takes, given):
                owed = self._owed.pop(name, 0) + amount * times
                if owed:
                    self._owed[name] = owed
