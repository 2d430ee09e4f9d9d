"""What an operator waits for: the ports that its busiest instances need, against launches and outstanding requests."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from archsim.model.machine import Machine
from archsim.model.run import Run, Span
from archsim.model.taskgraph import PS_PER_SECOND, TICKS, Port, Task, TaskGraph


@dataclass(frozen=True, slots=True)
class OperatorTime:
    """One line of the operator table.

    `time_s` is the time that the operator held; `limiter` what took the largest part of it and `second_limiter` the
    next; `achieved` and `peak` are rates of the busiest port in `unit` per second, over the time that the operator ran:
    longer than what it held where it ran beside others. `bound_s` is the time of its mapped traffic at peak rates of
    all devices (the roofline).
    """

    operator: str
    phase: str
    time_s: float
    share: float
    limiter: str
    second_limiter: str
    achieved: float
    peak: float | None
    unit: str
    bound_s: float


@dataclass(slots=True)
class _Demand:
    """Sums over all executions of one operator: by port and action, of what no port explains, and by device."""

    ticks: dict[Port, int] = field(default_factory=dict)
    units: dict[tuple[Port, str], int] = field(default_factory=dict)
    stall: int = 0
    overhead: int = 0
    alone: Counter[int | None] = field(default_factory=Counter)

    def ran(self, held: int, whole: int) -> int:
        """Picoseconds of the whole that it ran, one execution after another, on the device where that took longest."""
        return max(held, min(whole, max(self.alone.values(), default=0)))


def operator_times(graph: TaskGraph, run: Run, machine: Machine) -> tuple[OperatorTime, ...]:
    """The operators of a run in program order; devices that are each by itself count together."""
    demands: dict[Span, _Demand] = {}
    for task, times in graph.executions():
        _add(demands.setdefault(Span(task.operator, task.phase), _Demand()), task, times)
    return tuple(_line(span, demand, run, machine) for span, demand in demands.items())


def _add(demand: _Demand, task: Task, times: int) -> None:
    for flow in task.flows:
        for need in flow.needs:
            demand.ticks[need.port] = demand.ticks.get(need.port, 0) + need.ticks * times
            place = (need.port, need.action)
            demand.units[place] = demand.units.get(place, 0) + need.units * times
        demand.stall += flow.stall * times
    demand.alone[task.device] += task.alone * times
    around = task.launch + max((flow.fill + flow.drain for flow in task.flows), default=0)
    demand.overhead += around * times * TICKS


def _line(span: Span, demand: _Demand, run: Run, machine: Machine) -> OperatorTime:
    held = run.held.get(span, 0)
    waits = {" ".join(port): ticks for port, ticks in demand.ticks.items() if ticks}
    waits |= {"outstanding requests": demand.stall, "launch and fill": demand.overhead}
    first, second = sorted(waits, key=lambda name: -waits[name])[:2]
    busiest = max(demand.ticks, key=lambda port: demand.ticks[port], default=None)
    achieved, peak, unit = _rates(busiest, demand, demand.ran(held, run.picoseconds) / PS_PER_SECOND, machine)
    return OperatorTime(
        operator=span.operator,
        phase=span.phase,
        time_s=held / PS_PER_SECOND,
        share=held / run.picoseconds if run.picoseconds else 0.0,
        limiter=first if waits[first] else "nothing",
        second_limiter=second if waits[second] else "nothing",
        achieved=achieved,
        peak=peak,
        unit=unit,
        bound_s=_bound(demand, machine),
    )


def _rates(port: Port | None, demand: _Demand, seconds: float, machine: Machine) -> tuple[float, float | None, str]:
    """Units per second that the port's actions reached, the peak of the fastest of them, and the unit."""
    if port is None:
        return 0.0, None, ""
    actions = [action for place, action in demand.units if place == port]
    peaks = [_peak(port, action, machine) for action in actions]
    units = sum(demand.units[port, action] for action in actions)
    peak = None if None in peaks else max(rate for rate in peaks if rate is not None)
    unit = machine.actions[machine.group_of(port.component)][actions[0]].unit
    return (units / seconds if seconds else 0.0), peak, f"{unit}/s"


def _bound(demand: _Demand, machine: Machine) -> float:
    """Seconds of the mapped traffic at peak rates: the longest of the ports, each with all its instances at work."""
    seconds: dict[Port, float] = {}
    for (port, action), units in demand.units.items():
        peak = _peak(port, action, machine)
        if peak is not None:
            seconds[port] = seconds.get(port, 0.0) + units / peak
    return max(seconds.values(), default=0.0)


def _peak(port: Port, action: str, machine: Machine) -> int | None:
    """Units per second of all instances behind a port; an edge of a topology stands for itself."""
    group = machine.group_of(port.component)
    rate = machine.actions[group][action].peak or machine.actions[group][action].rate
    edges = machine.wiring.edges.get(group, 1) if group != port.component else 1
    return None if rate is None else rate * machine.instances(group) // edges
