"""What an operator waits for: the ports that its busiest instances need, against launches and outstanding requests."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from archsim.model.machine import Machine
from archsim.model.run import Run, Span
from archsim.model.taskgraph import PS_PER_SECOND, TICKS, Port, Task, TaskGraph


@dataclass(frozen=True, slots=True)
class OperatorTime:
    """One line of the operator table.

    `time_s` is the time that the operator held; `limiter` what took the largest part of it and `second_limiter` the next; `achieved` and
    `peak` are rates of the busiest port in `unit` per second; `bound_s` is the time of its mapped traffic at peak rates (the roofline).
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
    """Sums over all executions of one operator: ticks by port, ticks of stall and of overhead, units and roofline ticks by port."""

    ports: dict[Port, int] = field(default_factory=dict)
    units: dict[Port, int] = field(default_factory=dict)
    roof: dict[Port, float] = field(default_factory=dict)
    stall: int = 0
    overhead: int = 0


def operator_times(graph: TaskGraph, run: Run, machine: Machine) -> tuple[OperatorTime, ...]:
    """The operators of a run in program order."""
    demands: dict[Span, _Demand] = {}
    for segment in graph.segments:
        for task in segment.tasks:
            _add(demands.setdefault(Span(task.operator, task.phase), _Demand()), task, segment.times, machine)
    return tuple(_line(span, demand, run, machine) for span, demand in demands.items())


def _add(demand: _Demand, task: Task, times: int, machine: Machine) -> None:
    for flow in task.flows:
        for port, ticks in flow.needs:
            demand.ports[port] = demand.ports.get(port, 0) + ticks * times
        demand.stall += flow.stall * times
        for leg in flow.legs:
            group = machine.group_of(leg.component)
            action = machine.actions[group][leg.action]
            port = _port(flow.needs, leg.component, action.port)
            demand.units[port] = demand.units.get(port, 0) + leg.bill * times
            peak = action.peak or action.rate
            if peak:
                demand.roof[port] = demand.roof.get(port, 0.0) + leg.bill * times / (machine.instances(group) * peak)
    demand.overhead += (task.launch + max((flow.fill + flow.drain for flow in task.flows), default=0)) * times * TICKS


def _port(needs: Iterable[tuple[Port, int]], component: str, name: str) -> Port:
    """The port of a leg; a link's leg counts at the direction that the flow uses most."""
    own = {port: ticks for port, ticks in needs if port.component == component}
    wanted = Port(component, name)
    return wanted if wanted in own or not own else max(own, key=lambda port: own[port])


def _line(span: Span, demand: _Demand, run: Run, machine: Machine) -> OperatorTime:
    held = run.held.get(span, 0)
    waits = {" ".join(port): ticks for port, ticks in demand.ports.items() if ticks}
    waits |= {"outstanding requests": demand.stall, "launch and fill": demand.overhead}
    ranked = sorted(waits, key=lambda name: -waits[name])
    busiest = max(demand.ports, key=lambda port: demand.ports[port], default=None)
    seconds = held / PS_PER_SECOND
    achieved, peak, unit = _rates(busiest, demand, seconds, machine)
    return OperatorTime(
        operator=span.operator,
        phase=span.phase,
        time_s=seconds,
        share=held / run.picoseconds if run.picoseconds else 0.0,
        limiter=ranked[0] if waits[ranked[0]] else "nothing",
        second_limiter=ranked[1] if waits[ranked[1]] else "nothing",
        achieved=achieved,
        peak=peak,
        unit=unit,
        bound_s=max(demand.roof.values(), default=0.0),
    )


def _rates(port: Port | None, demand: _Demand, seconds: float, machine: Machine) -> tuple[float, float | None, str]:
    if port is None:
        return 0.0, None, ""
    group = machine.group_of(port.component)
    actions = [action for action in machine.actions[group].values() if action.port == port.name] or [machine.actions[group]["move"]]
    rates = [action.peak or action.rate for action in actions]
    peak = None if None in rates else max(rate for rate in rates if rate) * machine.instances(group)
    return (demand.units.get(port, 0) / seconds if seconds else 0.0), peak, f"{actions[0].unit}/s"
