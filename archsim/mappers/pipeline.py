"""Stages that sequences pass one after the other: exclusive places, bounded buffers, a bounded number in flight.

A mapper says what one sequence does in each stage, as tasks in a row, and how it gets to the next; this module turns
that into a graph. A stage works on one sequence at a time. A result leaves its stage for an output buffer at once,
crosses when the next stage has a free input buffer, and stays there until that stage is done with it. Whoever ends
its pass lets the next one start: tokens of one sequence never overlap, since no more are in flight than there are.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from archsim.model.taskgraph import Segment, Task, TaskGraph

_STEP = ("step",)
"""Tasks of one pass follow each other."""

_SEQUENCES = "sequences"

_Credits = tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class Stage:
    """What one sequence does in one place: `tasks` in a row (at least one), then the way to the stage that follows.

    Tasks of the place called `name` are exclusive, and so is the way that leaves it; `crossing` runs beside the
    place's next sequence. Without a crossing the result is handed over in no time. After the last stage of a pass, the
    crossing leads back to the first.
    """

    name: str
    tasks: tuple[Task, ...]
    crossing: tuple[Task, ...] = ()


@dataclass(frozen=True, slots=True)
class Passage:
    """The stages of one pass of one sequence, in order; `closes` names what all sequences have done after it."""

    stages: tuple[Stage, ...]
    closes: str = ""


def pipeline(passages: Sequence[Passage], batch: int, in_flight: int, buffers: int = 2) -> TaskGraph:
    """The graph of `batch` sequences that make each passage in turn, `in_flight` of them at a time.

    `buffers` results fit on either side of a crossing. With two, and crossings no slower than stages, a token of all
    sequences takes the longer of one pass and `in_flight` x the slowest stage.

    Raises:
        ValueError: where nothing is in flight, there is no buffer, a stage has no task, or a pass comes by a place
            twice (full buffers would then wait for each other).
    """
    if not 1 <= in_flight <= batch or buffers < 1:
        raise ValueError(f"{in_flight} of {batch} sequences in flight, with {buffers} buffers")
    if not all(stage.tasks for passage in passages for stage in passage.stages):
        raise ValueError("a stage without tasks")
    if any(len({stage.name for stage in passage.stages}) < len(passage.stages) for passage in passages):
        raise ValueError("a pass comes by a place twice")
    if batch == 1:
        rows = _Rows()
        return TaskGraph(tuple(segment for passage in passages for segment in rows.alone(passage)))
    segments = tuple(Segment(tuple(_shared(passage)), batch, passage.closes) for passage in passages)
    sizes = [(_SEQUENCES, in_flight)]
    for name in dict.fromkeys(stage.name for passage in passages for stage in passage.stages):
        sizes += [(_place(name), 1), (_way(name), 1), (_output(name), buffers), (_input(name), buffers)]
    return TaskGraph(segments, tuple(sizes))


class _Rows:
    """The tasks of a stage in a row; the same task gives the same one, so that equal layers stand once."""

    def __init__(self) -> None:
        self._made: dict[int, tuple[Task, Task]] = {}

    def alone(self, passage: Passage) -> Iterator[Segment]:
        """A passage of one sequence: it meets nobody, so it takes no credits."""
        runs = [(row, sum(1 for _ in equal)) for row, equal in groupby(map(self._row, passage.stages))]
        for index, (row, times) in enumerate(runs):
            yield Segment(row, times, passage.closes if index + 1 == len(runs) else "")

    def _row(self, stage: Stage) -> tuple[Task, ...]:
        return tuple(map(self._linked, (*stage.tasks, *stage.crossing)))

    def _linked(self, task: Task) -> Task:
        if id(task) not in self._made:  # the task is kept beside its copy: its id stays its own
            self._made[id(task)] = (replace(task, after=_STEP, makes=_STEP), task)
        return self._made[id(task)][0]


def _shared(passage: Passage) -> Iterator[Task]:
    """The tasks of one of several sequences, with the credits that they take and give."""
    first, last = 0, len(passage.stages) - 1
    for index, stage in enumerate(passage.stages):
        opens: _Credits = ((_SEQUENCES, 1),) if index == first else ()
        closes: _Credits = ((_SEQUENCES, 1),) if index == last else ()
        done: _Credits = ((_input(stage.name), 1),) if index > first else ()
        place: _Credits = ((_place(stage.name), 1),)
        out: _Credits = ((_output(stage.name), 1),)
        entry: _Credits = ((_input(passage.stages[index + 1].name), 1),) if index < last else ()
        way: _Credits = ((_way(stage.name), 1),)
        crossing = stage.crossing or (Task(stage.tasks[-1].operator, stage.tasks[-1].phase, ()),)
        yield from _row(stage.tasks, opens + place + out, place + done, starts=index == first)
        yield from _row(crossing, entry + way, out + way + closes)


def _row(tasks: Sequence[Task], takes: _Credits, gives: _Credits, *, starts: bool = False) -> Iterator[Task]:
    """Tasks one after the other: the first takes credits, the last gives them."""
    for index, task in enumerate(tasks):
        yield replace(
            task,
            after=() if starts and index == 0 else _STEP,
            makes=_STEP,
            takes=takes if index == 0 else (),
            gives=gives if index + 1 == len(tasks) else (),
        )


def _place(name: str) -> str:
    return f"stage {name}"


def _way(name: str) -> str:
    return f"way from {name}"


def _output(name: str) -> str:
    return f"output of {name}"


def _input(name: str) -> str:
    return f"input of {name}"
