"""Near-memory devices in a row: each keeps layers, or parts of one, and sequences pass them one after the other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby

from archsim.mappers.collectives import device_link
from archsim.mappers.fusion import groups
from archsim.mappers.near_cuts import Cut, leaving
from archsim.mappers.near_mapping import NearMapping
from archsim.mappers.passes import Load, Pass, Unit, alike, passes, placements
from archsim.mappers.pipeline import Passage, Stage, pipeline
from archsim.mappers.region import private
from archsim.mappers.stages import overfull, partition, refusal
from archsim.model.machine import Machine
from archsim.model.plan import Declaration, Plan
from archsim.model.taskgraph import Task
from archsim.model.trace import Phase, Role, Trace


@dataclass(frozen=True)
class Row:
    """How sequences pass the devices, and the tasks of each unit there, made once."""

    mapping: NearMapping
    batch: int
    in_flight: int
    buffers: int
    fusion: bool
    _tasks: dict[tuple[int, int], tuple[Task, ...]] = field(default_factory=dict)

    @property
    def home(self) -> str:
        """The memory of weights and caches."""
        return self.mapping.units.paths.main

    @property
    def homes(self) -> Mapping[Role, str]:
        """Where what must be held rests."""
        return {"weights": self.home, "kv": self.home, "state": self.home}

    @property
    def room(self) -> int | None:
        """Bytes of it on one device."""
        memory = self.mapping.machine.components[self.home]
        return None if memory.capacity_bytes is None else memory.capacity_bytes * memory.count

    def holds(self, sizes: Sequence[int], devices: int) -> bool:
        """Whether units of these sizes fit so many devices, in order."""
        held: Counter[int] = Counter()
        for stage, size in zip(partition(sizes, devices), sizes, strict=True):
            held[stage] += size
        return self.room is None or max(held.values()) <= self.room

    def tasks(self, unit: Unit, device: int) -> tuple[Task, ...]:
        """What one sequence does in a unit on a device."""
        key = (id(unit), device)
        if key not in self._tasks:
            parts = groups(unit.operators, fusion=self.fusion)
            tasks = [task for part in parts for task in self.mapping.made(part, unit.phase).tasks]
            self._tasks[key] = tuple(self.own(task, device) for task in tasks)
        return self._tasks[key]

    def own(self, task: Task, device: int) -> Task:
        """A task with the ports of its device, which it needs where several sequences are on their way."""
        return private(task, f"device {device}") if self.batch > 1 else task


def in_row(trace: Trace, machine: Machine, row: Row) -> Plan:
    """A pipeline of devices that holds a trace.

    Raises:
        PlanError: where the devices cannot hold it; it says by how much, and how many could.
    """
    whole = alike(passes(trace, row.batch))
    last = Cut.of(whole[-1], trace, row.room)  # all passes read the same weights, and the last the longest caches
    placed = _placed(last.loads, machine.devices, row)
    courses = (*(Cut.of(one, trace, row.room).course for one in whole[:-1]), last.course)
    used = placed[-1] + 1
    crossings = _Crossings(row, machine.actions[device_link(machine)]["move"].latency)
    return Plan(
        graph=pipeline([crossings.passage(one, placed) for one in courses], row.batch, row.in_flight, row.buffers),
        placements=placements(trace, row.homes, machine.devices),
        declarations=tuple(_declared(trace, courses, row)),
        parallel={"pipeline_parallel": machine.devices},
        in_flight=row.in_flight,
        settings={"in a row": f"{used} of {machine.devices} devices in use", "buffers": str(row.buffers)},
    )


def _placed(kept: Sequence[Load], devices: int, row: Row) -> tuple[int, ...]:
    """The device of each unit.

    Raises:
        PlanError: where one cannot hold its units.
    """
    sizes = [sum(load.values()) for load in kept]
    stages = partition(sizes, devices)
    worst = overfull(kept, stages, row.homes, {row.home: row.room})
    if worst:
        raise refusal(worst, lambda count: row.holds(sizes, count), devices)
    return stages


@dataclass(frozen=True)
class _Crossings:
    """Stages with the ways between them."""

    row: Row
    latency: int
    _ways: dict[tuple[int, int, Phase], tuple[Task, ...]] = field(default_factory=dict)
    _first: dict[int, tuple[Task, Task]] = field(default_factory=dict)

    def passage(self, one: Pass, placed: Sequence[int]) -> Passage:
        """The stages of a pass in order; from the last, the token goes back to the first by the host."""
        members = groupby(zip(placed, one.units, strict=True), key=lambda pair: pair[0])
        stages = [(device, [unit for _, unit in pairs]) for device, pairs in members]
        found = []
        for (device, units), size in zip(stages, leaving([units for _, units in stages]), strict=True):
            tasks = [task for unit in units for task in self.row.tasks(unit, device)]
            tasks[0] = self._arrived(tasks[0])
            way = self._way(device, size, units[-1].phase)
            found.append(Stage(str(device), tuple(tasks), (*way, *self._host(device, stages, units[-1].phase))))
        return Passage(tuple(found), one.closes)

    def _arrived(self, task: Task) -> Task:
        """The first task of a device, which waits for what arrives there."""
        if id(task) not in self._first:  # the task is kept beside its copy: its id stays its own
            launch = task.launch + self.row.mapping.stack.near_memory.arrival
            self._first[id(task)] = (replace(task, launch=launch), task)
        return self._first[id(task)][0]

    def _way(self, device: int, size: int, phase: Phase) -> tuple[Task, ...]:
        key = (device, size, phase)
        if key not in self._ways:
            machine = self.row.mapping.machine
            flow = machine.exchange(device_link(machine), "outputs", size, None)
            self._ways[key] = (self.row.own(Task("crossing", phase, (flow,), self.latency), device),)
        return self._ways[key] if size else ()

    def _host(self, device: int, stages: Sequence[tuple[int, list[Unit]]], phase: Phase) -> tuple[Task, ...]:
        step = self.row.mapping.stack.step
        spent = step.base + step.per_sequence
        return (Task("host", phase, (), spent),) if spent and device == stages[-1][0] else ()


def _declared(trace: Trace, courses: Sequence[Pass], row: Row) -> Iterator[Declaration]:
    """What homes serve beyond the trace: each sequence reads the weights anew."""
    extra: Counter[tuple[Phase, str, str, str]] = Counter()
    for unit in (unit for one in courses for unit in one.units):
        extra.update(_served(unit, row))
    for operator, phase, times in trace.executions():
        for tensor in operator.reads:
            extra[phase, tensor.role, row.home, "read"] -= tensor.bytes * times
    reason = f"{row.batch} sequences read one after the other, each the weights anew"
    for (phase, role, component, action), size in extra.items():
        if size and role != "activations":
            yield Declaration("(all)", phase, role, component, size, reason, action)


def _served(unit: Unit, row: Row) -> Mapping[tuple[Phase, str, str, str], int]:
    """What all sequences read in a unit by role, and beyond it as declared: by tensor, component and action."""
    found: Counter[tuple[Phase, str, str, str]] = Counter()
    for operator in unit.operators:
        for tensor in operator.reads:
            found[unit.phase, tensor.role, row.home, "read"] += row.batch * tensor.bytes
    for group in groups(unit.operators, fusion=row.fusion):
        for item in row.mapping.made(group, unit.phase).declared:
            found[unit.phase, item.tensor, item.component, item.action] += row.batch * item.extra
    return found
