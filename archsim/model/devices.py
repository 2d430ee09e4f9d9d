"""Devices that are simulated each by itself: in what they differ, and how long each waits for the others."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from fractions import Fraction

from archsim.model.run import Run
from archsim.model.taskgraph import TaskGraph


@dataclass(frozen=True, slots=True)
class Devices:
    """So many devices that share every operator, and in what they are not alike.

    Kernels of the first `stragglers` take `slowdown` times as long; where `parts` are named, these components serve
    so much more slowly. The duration of every kernel varies, with a coefficient of variation of `variation`.
    """

    count: int
    stragglers: int = 0
    slowdown: Fraction = Fraction(1)
    parts: frozenset[str] | None = None
    variation: float = 0.0


@dataclass(frozen=True, slots=True)
class DeviceTime:
    """Picoseconds of a run that a device is at work on kernels of its own, and those that it waits for others."""

    device: int
    kernels: int
    waits: int


def device_times(graph: TaskGraph, run: Run, devices: Devices) -> tuple[DeviceTime, ...]:
    """Where the time of each device went; what all do together (collectives, the host) is the rest of the run.

    Kernels and collectives count as long as they take alone: a device has no two at once. At fidelities that cut flows
    into chunks they take a little less or more, and what a device waits is off by that.
    """
    own: Counter[int | None] = Counter()
    for task, times in graph.executions():
        own[task.device] += task.alone * times
    apart = run.picoseconds - own[None]
    return tuple(DeviceTime(n, own[n], max(0, apart - own[n])) for n in range(devices.count))
