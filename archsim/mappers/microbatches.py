"""Pipeline parallelism of equal devices: contiguous layers on each group of them, microbatches under way at once.

A group of devices runs its layers as a machine of its own would, and sends the activations to the next group. A batch
is cut into as many equal microbatches as there are stages, or into the most below that which divide it; every
microbatch reads the weights anew.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from archsim.mappers.collectives import Fabric
from archsim.mappers.course import Course
from archsim.mappers.passes import Pass, Unit, loads, passes
from archsim.mappers.pipeline import pipeline
from archsim.mappers.sequences import of_one
from archsim.mappers.stages import partition
from archsim.model.plan import Declaration, Placement, PlanError
from archsim.model.taskgraph import Task, TaskGraph
from archsim.model.trace import Block, Phase, Resident, Role, Trace

_BUFFERS = 2
"""Activations that a group of devices can hold for the next, and the next before it works on them."""

_WHERE = ("hardware", "mapper", "pipeline_parallel")


@dataclass(frozen=True)
class Cut:
    """A trace cut in two ways: its passes by one of `microbatches`, and unit i of each pass onto stage `placed[i]`."""

    trace: Trace
    courses: tuple[Pass, ...]
    placed: tuple[int, ...]
    microbatches: int

    @property
    def warnings(self) -> tuple[str, ...]:
        """What a reader should know of the time of a prompt."""
        prompts = any(unit.phase == "prefill" for one in self.courses for unit in one.units)
        text = (
            "a prompt passes the stages whole: they do not work on pieces of it at once, so its time is an upper bound"
        )
        return (text,) if prompts else ()

    def stages(self) -> Iterator[Trace]:
        """What each stage has of the model: its layers, and what it must hold over the run."""
        last = self.courses[-1]
        kept = loads(self.trace, last)
        for stage in range(self.placed[-1] + 1):
            mine = [index for index, place in enumerate(self.placed) if place == stage]
            held: dict[Role, int] = {}
            for index in mine:
                for role, size in kept[index].items():
                    held[role] = held.get(role, 0) + size
            blocks = tuple(Block(last.units[index].operators, last.units[index].phase) for index in mine)
            yield replace(self.trace, blocks=blocks, residents=tuple(Resident(*item) for item in held.items()))


def cut(trace: Trace, stages: int, batch: int) -> Cut:
    """Layers over `stages`, so that the fullest holds the least, and the batch over microbatches.

    Raises:
        PlanError: where there are fewer layers than stages.
    """
    microbatches = max(number for number in range(1, min(stages, batch) + 1) if batch % number == 0)
    courses = tuple(passes(trace, microbatches))
    placed = partition([sum(load.values()) for load in loads(trace, courses[-1])], stages)
    if placed[-1] + 1 < stages:
        parts = f"no more than {placed[-1] + 1} parts: layers, embedding, head"
        message = f"pipeline_parallel {stages}, but the model has {parts}"
        raise PlanError(message, _WHERE)
    return Cut(trace, courses, placed, microbatches)


def fullest(placements: Iterable[tuple[Placement, ...]]) -> tuple[Placement, ...]:
    """The placements of the stage that holds most: what a device keeps at the most."""
    return max(placements, key=lambda placed: sum(item.bytes for item in placed))


@dataclass(frozen=True)
class Group:
    """The devices of one stage: `kernels` makes the tasks of a block there, `fabric` joins its devices to the next's.

    A transfer starts with a small kernel of `launch` picoseconds. Each device sends all of its copy of the activations
    to its counterpart.
    """

    kernels: Callable[[Block], Iterable[Task]]
    fabric: Fabric
    launch: int

    @property
    def layout(self) -> Group:
        """The ways between stages, as a course asks for them."""
        return self

    def tasks(self, unit: Unit) -> Iterable[Task]:
        """The kernels of a unit, one after the other."""
        return self.kernels(Block(unit.operators, unit.phase))

    def sampled(self, name: str) -> tuple[Task, ...]:
        """Sampling is not modelled."""
        return ()

    def crossing(self, source: int, target: int, size: int) -> tuple[Task, ...]:
        """Activations from each device to its counterpart in the next stage, read and written at either end."""
        wire = self.fabric.machine.exchange(self.fabric.link, "outputs", size, None)
        local = self.fabric.pass_over(size, size, 0, self.fabric.everywhere)
        return (Task("pipeline_send", "", (wire, local), self.launch + self.fabric.latency),)


def pipelined(one: Cut, group: Group, host: int) -> TaskGraph:
    """All microbatches through all stages, `host` picoseconds before each one's next token."""
    course = Course(group, one.placed, host, shared=True)
    passages = [course.passage(each) for each in one.courses]
    return pipeline(passages, one.microbatches, one.microbatches, _BUFFERS)


def read_anew(one: Cut, homes: Mapping[Role, str]) -> Iterator[Declaration]:
    """What the microbatches together ask of the homes beyond the unique bytes of the trace: weights, once for each."""
    extra: dict[tuple[str, Phase, Role], int] = {}
    for operator, phase, times in one.trace.executions():
        part = of_one(operator, one.microbatches)
        for whole, piece in zip(operator.reads, part.reads, strict=True):
            if whole.role != "activations":
                key = (operator.name, phase, whole.role)
                extra[key] = extra.get(key, 0) + (piece.bytes * one.microbatches - whole.bytes) * times
    reason = f"each of {one.microbatches} microbatches reads the weights anew"
    return (Declaration(*key, homes[key[2]], size, reason) for key, size in extra.items() if size)
