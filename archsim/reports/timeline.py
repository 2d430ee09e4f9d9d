"""A run as a timeline that Perfetto loads: a track per operator stream and component, counters of bandwidth and power.

Chrome's trace format counts in microseconds and Perfetto rounds to nanoseconds, so a simulated picosecond is written
as a nanosecond of the trace: what the viewer calls 1 ms is 1 us of the machine. The names of the tracks say so.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from archsim.model.component import ACTIVE_ACTION
from archsim.model.price import Price
from archsim.model.pricing import joules_of
from archsim.model.result import Result
from archsim.model.run import Interval
from archsim.model.tariff import Place
from archsim.model.taskgraph import PS_PER_SECOND, Flow, Task

SCALE = "1 ns here is 1 ps of the machine"
_PER_MICROSECOND = 1000
_WATTS = "W, static included"

Event = dict[str, Any]


def render(result: Result) -> str:
    """The timeline as JSON text; empty tracks only where the run was not asked to keep one."""
    components = [name for name in result.machine.components if name in result.utilization]
    names = ["operators", *_devices(result), *components]
    tracks = {name: number for number, name in enumerate(names, start=1)}
    events = [*_names(result, tracks), *_slices(result, tracks), *_counters(result)]
    return json.dumps({"displayTimeUnit": "ns", "otherData": {"scale": SCALE}, "traceEvents": events}) + "\n"


def _names(result: Result, tracks: Mapping[str, int]) -> Iterator[Event]:
    title = f"{result.workload.name} on {result.hardware.name} ({SCALE})"
    yield {"ph": "M", "pid": 1, "name": "process_name", "args": {"name": title}}
    for name, number in tracks.items():
        yield {"ph": "M", "pid": 1, "tid": number, "name": "thread_name", "args": {"name": name}}
        yield {"ph": "M", "pid": 1, "tid": number, "name": "thread_sort_index", "args": {"sort_index": number}}


def _devices(result: Result) -> list[str]:
    """Tracks of the kernels of each device, where devices are told apart."""
    return [_of(number) for number in range(result.plan.apart.count)] if result.plan.apart else []


def _of(device: int) -> str:
    return f"operators of device {device}"


def _track(task: Task, result: Result) -> str:
    return "operators" if task.device is None or result.plan.apart is None else _of(task.device)


def _slices(result: Result, tracks: Mapping[str, int]) -> Iterator[Event]:
    """Tasks on the operators' track or their device's, and on each component's the time in which a flow used it.

    Slices of one track must nest: what would overlap on it moves to a further lane of the same name.
    """
    lanes = _Lanes(tracks)
    for interval in sorted(result.run.timeline, key=lambda item: (item.start, -item.end)):
        track = _track(interval.task, result)
        yield lanes.slice(track, interval, interval.start, interval.end, {"phase": interval.task.phase})
        for flow, (start, end) in zip(interval.task.flows, interval.flows, strict=False):
            for component, moved in _bills(flow, result).items():
                if end > start and component in tracks:
                    yield lanes.slice(component, interval, start, end, moved)


class _Lanes:
    """Numbers of lanes: the first of a track is its own, further ones are opened where slices overlap."""

    def __init__(self, tracks: Mapping[str, int]) -> None:
        self._tracks = tracks
        self._free: dict[str, list[int]] = {name: [0] for name in tracks}

    def slice(self, track: str, interval: Interval, start: int, end: int, details: Mapping[str, Any]) -> Event:
        ends = self._free[track]
        lane = next((index for index, free in enumerate(ends) if free <= start), len(ends))
        ends[lane : lane + 1] = [end]
        return {
            "ph": "X",
            "pid": 1,
            "tid": self._tracks[track] + 1000 * lane,
            "name": interval.task.operator,
            "ts": start / _PER_MICROSECOND,
            "dur": (end - start) / _PER_MICROSECOND,
            "args": dict(details),
        }


def _bills(flow: Flow, result: Result) -> dict[str, dict[str, int]]:
    """What a flow counts at each component, by action."""
    bills: dict[str, dict[str, int]] = {}
    for leg in flow.legs:
        actions = bills.setdefault(result.machine.group_of(leg.component), {})
        actions[leg.action] = actions.get(leg.action, 0) + leg.bill
    return bills


def _counters(result: Result) -> Iterator[Event]:
    """Watts of the whole machine and bytes per second of each memory and link, as they change."""
    static = sum(item.static.value * result.machine.instances(name) for name, item in result.machine.components.items())
    changes: dict[str, dict[int, float]] = {_WATTS: {0: static}}
    rows = [(entry.row, entry.price) for entry in result.entries]
    prices = {Place(row.operator, row.phase, row.component, row.action): price for row, price in rows}
    for name, amount, (start, end) in _amounts(result, prices):
        if end > start:
            steps, rate = changes.setdefault(name, {}), amount * PS_PER_SECOND / (end - start)
            steps[start] = steps.get(start, 0.0) + rate
            steps[end] = steps.get(end, 0.0) - rate
    for name, steps in changes.items():
        yield from _levels(name, steps)


def _amounts(result: Result, prices: Mapping[Place, Price]) -> Iterator[tuple[str, float, tuple[int, int]]]:
    """Joules and bytes with the time that they are spread over: of a flow, or of its task for tiles at work."""
    for interval in result.run.timeline:
        task = interval.task
        for flow, used in zip(task.flows, interval.flows, strict=False):
            for component, actions in _bills(flow, result).items():
                for action, count in actions.items():
                    whole = (interval.start, interval.end) if action == ACTIVE_ACTION else used
                    price = prices.get(Place(task.operator, task.phase, component, action))
                    if price is not None:
                        yield _WATTS, joules_of(count, price.value), whole
                    if result.machine.actions[component][action].unit == "B":
                        yield f"{component}, B/s", count, used


def _levels(name: str, steps: Mapping[int, float]) -> Iterator[Event]:
    level = 0.0
    for at in sorted(steps):
        level += steps[at]
        yield {"ph": "C", "pid": 1, "name": name, "ts": at / _PER_MICROSECOND, "args": {"value": max(0.0, level)}}
