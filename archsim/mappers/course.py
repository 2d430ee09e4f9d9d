"""The course of one sequence: the units of a pass by stage, with the ways between the stages."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import Protocol

from archsim.mappers.passes import Pass, Unit, entering, written
from archsim.mappers.pipeline import Passage, Stage
from archsim.mappers.region import private
from archsim.model.taskgraph import Task
from archsim.model.trace import Phase


class Ways(Protocol):
    """How a token is chosen at the end of a pass, and how results get from stage to stage. Tasks without a phase."""

    def sampled(self, name: str) -> Iterable[Task]:
        """The choice of a token from logits that are spread over the stage."""

    def crossing(self, source: int, target: int, size: int) -> tuple[Task, ...]:
        """`size` bytes from one stage to another."""


class Works(Protocol):
    """What happens in a stage, and between stages."""

    @property
    def layout(self) -> Ways:
        """The ways between stages."""

    def tasks(self, unit: Unit) -> Iterable[Task]:
        """The tasks of a unit in program order; the same objects for the same unit."""


@dataclass(frozen=True)
class Course:
    """Passes of a model whose unit i stands in stage `placed[i]`.

    `shared` gives each stage ports of its own, as it needs where several sequences are on the way. `host` is what each
    token waits for outside, in picoseconds.
    """

    work: Works
    placed: Sequence[int]
    host: int
    shared: bool
    _private: dict[tuple[int, int], tuple[Task, Task]] = field(default_factory=dict)
    _crossings: dict[tuple[int, int, int, Phase], tuple[Task, ...]] = field(default_factory=dict)

    @property
    def layout(self) -> Ways:
        """The ways between the stages."""
        return self.work.layout

    def passage(self, one: Pass) -> Passage:
        """The stages of a pass in order."""
        grouped = groupby(zip(self.placed, one.units, strict=True), key=lambda pair: pair[0])
        stages = [(index, [unit for _, unit in members]) for index, members in grouped]
        looped = entering(stages[0][1], written(one.units))
        found = []
        for place, (index, units) in enumerate(stages):
            tasks = [task for unit in units for task in self.work.tasks(unit)]
            phase = units[-1].phase
            if place + 1 < len(stages):
                target, after = stages[place + 1]
                size = sum(entering(after, written(one.units)).values())
                way = self._crossing(index, target, size, phase)
            else:
                sampled = self.layout.sampled("sampling") if looped else ()
                tasks += [replace(task, phase=phase) for task in sampled]
                way = self._back(index, stages[0][0], sum(looped.values()), phase) if looped else ()
            found.append(Stage(str(index), self._own(tasks, index), self._own(way, index)))
        return Passage(tuple(found), one.closes)

    def _crossing(self, source: int, target: int, size: int, phase: Phase) -> tuple[Task, ...]:
        key = (source, target, size, phase)
        if key not in self._crossings:
            tasks = self.layout.crossing(source, target, size) if source != target else ()
            self._crossings[key] = tuple(replace(task, phase=phase) for task in tasks)
        return self._crossings[key]

    def _back(self, source: int, target: int, size: int, phase: Phase) -> tuple[Task, ...]:
        """The token on its way to the first stage, by the host where it takes part."""
        host = (Task("host", phase, (), self.host),) if self.host else ()
        return (*self._crossing(source, target, size, phase), *host)

    def _own(self, tasks: Iterable[Task], index: int) -> tuple[Task, ...]:
        return tuple(self._own_task(task, index) for task in tasks) if self.shared else tuple(tasks)

    def _own_task(self, task: Task, index: int) -> Task:
        key = (id(task), index)
        if key not in self._private:  # the task is kept beside its copy: its id stays its own
            self._private[key] = (private(task, f"stage {index}"), task)
        return self._private[key][0]
