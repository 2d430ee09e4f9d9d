"""Equal devices, each by itself: the kernels of a folded plan once for every device, which meet in collectives.

A device has its own ports, so it waits for nobody but where all exchange something: in a collective, for the host, and
at the end of a token.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import lru_cache
from math import exp, log, sqrt
from random import Random
from statistics import NormalDist, fmean, pstdev

from archsim.model.devices import Devices
from archsim.model.slowing import at_work, lasting, slower
from archsim.model.taskgraph import Flow, Leg, Port, Segment, Task, TaskGraph

LEVELS = 100
"""Equally likely durations that a kernel is drawn from, so that equal ones are made once."""

_FINEST = 10**6
"""Parts of one that a duration is told in."""


def apart(graph: TaskGraph, devices: Devices, seed: int) -> TaskGraph:
    """The graph with a task per device and kernel, a collective as one task of all; durations drawn from the seed.

    Counts add up to those of the folded graph, and without stragglers and variation so does time, where all devices do
    the same.
    """
    return TaskGraph(tuple(_Apart(devices, seed).segments(graph)), graph.buffers)


@dataclass
class _Apart:
    """Makes tasks of devices, alike ones once."""

    devices: Devices
    seed: int
    _made: dict[tuple[int, int, int], Task] = field(default_factory=dict)
    _slow: dict[tuple[int, int, bool], Task] = field(default_factory=dict)
    _met: dict[int, Task] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._draws = [Random(f"{self.seed}/device {n}/kernels") for n in range(self.devices.count)]
        self._levels = durations(self.devices.variation) if self.devices.variation else ()

    def segments(self, graph: TaskGraph) -> Iterator[Segment]:
        """Segments in program order; layers that draw are each for itself."""
        last = graph.segments[-1:]
        for segment in graph.segments:
            ends = bool(segment.closes) or segment in last
            if not self._levels:
                yield Segment(tuple(self._tasks(segment, ends=ends)), segment.times, segment.closes)
                continue
            for number in range(segment.times):
                closes = segment.closes if number + 1 == segment.times else ""
                yield Segment(tuple(self._tasks(segment, ends=ends)), 1, closes)

    def _tasks(self, segment: Segment, *, ends: bool) -> Iterator[Task]:
        for task in segment.tasks:
            if task.device is None:
                yield self._together(task)
            elif task.each:
                alone = enumerate(task.each)
                yield from (self._alone(one, device, 1) for device, tasks in alone for one in tasks)
            else:
                yield from (self._alone(task, device, self.devices.count) for device in range(self.devices.count))
        if ends and segment.tasks[-1].device is not None:
            yield self._together(segment.tasks[-1], over=True)

    def _alone(self, task: Task, device: int, sharing: int) -> Task:
        """The kernel of one device, as long as it takes there this time, with its part of what is `sharing`."""
        level = int(self._draws[device].random() * LEVELS) if self._levels else 0
        key = (id(task), level, device)  # the graph keeps the task, so its id stays its own
        if key not in self._made:
            self._made[key] = _of_device(self._lasting(task, level, device), device, sharing)
        return self._made[key]

    def _lasting(self, task: Task, level: int, device: int) -> Task:
        """The kernel of all that are as slow, at one of the durations that are drawn."""
        behind = device < self.devices.stragglers
        key = (id(task), level, behind)
        if key not in self._slow:
            drawn = self._levels[level] if self._levels else Fraction(1)
            self._slow[key] = at_work(task, self._behind(task, drawn) if behind else lasting(task, drawn))
        return self._slow[key]

    def _behind(self, task: Task, drawn: Fraction) -> Task:
        if self.devices.parts is None:
            return lasting(task, self.devices.slowdown * drawn)
        return lasting(self._slowest(task), drawn)

    def _slowest(self, task: Task) -> Task:
        """The task as long as the slower parts of a straggler take."""
        factor, parts = self.devices.slowdown, self.devices.parts or ()
        return slower(task, lambda port, ticks: _times(ticks, factor) if port.component in parts else ticks)

    def _together(self, task: Task, *, over: bool = False) -> Task:
        """What all devices do at once on the ports of each; or nothing but wait for each other, where it is over."""
        key = -id(task) if over else id(task)
        if key not in self._met:
            one = Task(task.operator, task.phase, (), 0, task.after, task.makes) if over else self._slowest(task)
            flows = tuple(replace(flow, loads=tuple(self._everywhere(flow))) for flow in one.flows)
            after, makes = (tuple(self._labels(labels)) for labels in (one.after, one.makes))
            self._met[key] = replace(one, flows=flows, after=after, makes=makes)
        return self._met[key]

    def _everywhere(self, flow: Flow) -> Iterator[tuple[Port, int]]:
        for device in range(self.devices.count):
            for port, load in flow.loads:
                yield Port(port.component, f"{port.name} of device {device}"), load

    def _labels(self, labels: tuple[str, ...]) -> Iterator[str]:
        return (f"{label} {device}" for device in range(self.devices.count) for label in labels)


@lru_cache(maxsize=16)
def durations(variation: float) -> tuple[Fraction, ...]:
    """Equally likely durations around a mean of one, log-normal, with a coefficient of variation of `variation`."""
    if variation < 1 / _FINEST:  # less than what a duration is told in
        return (Fraction(1),) * LEVELS
    width = sqrt(log(1 + variation**2))
    drawn = [exp(width * NormalDist().inv_cdf((level + 0.5) / LEVELS)) for level in range(LEVELS)]
    mean, spread = fmean(drawn), pstdev(drawn)
    levels = (1 + (value - mean) / spread * variation for value in drawn)
    return tuple(Fraction(round(level * _FINEST), _FINEST) for level in levels)


def _of_device(task: Task, device: int, sharing: int) -> Task:
    """The kernel on the ports of a device, with its part of a bill that so many share; parts add up to the whole."""
    place = f"device {device}"
    after, makes = (tuple(f"{label} {device}" for label in labels) for labels in (task.after, task.makes))
    flows = tuple(
        replace(
            flow,
            legs=tuple(_part(leg, device, sharing) for leg in flow.legs),
            loads=tuple((Port(port.component, f"{port.name} of {place}"), load) for port, load in flow.loads),
            lead=flow.lead // sharing,
            weight=flow.weight // sharing,
            needs=tuple(need._replace(units=_share(need.units, device, sharing)) for need in flow.needs),
            place=place,
        )
        for flow in task.flows
    )
    return replace(task, flows=flows, after=after, makes=makes, device=device)


def _part(leg: Leg, device: int, sharing: int) -> Leg:
    if sharing == 1:
        return leg
    bill = _share(leg.bill, device, sharing)
    return Leg(leg.component, leg.action, leg.tensor, bill, leg.critical, max(1, leg.ways // sharing))


def _share(count: int, device: int, sharing: int) -> int:
    """A device's part of a count; parts add up to the whole."""
    return count * (device + 1) // sharing - count * device // sharing


def _times(ticks: int, factor: Fraction) -> int:
    return -(-ticks * factor.numerator // factor.denominator)
