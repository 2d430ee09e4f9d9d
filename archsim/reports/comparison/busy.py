"""One token in time: its operators in program order, and how busy each component is in each of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from archsim.model.result import Result
from archsim.model.run import Span
from archsim.model.taskgraph import PS_PER_SECOND, TICKS, Port
from archsim.reports.operators import accounted


class Interval(NamedTuple):
    """An operator over all layers of one token: seconds, and what limits it."""

    operator: str
    seconds: float
    limiter: str


@dataclass(frozen=True, slots=True)
class Timeline:
    """Intervals in program order; `busy` gives each component's share of each of them, by its busiest port."""

    phase: str
    intervals: tuple[Interval, ...]
    busy: Mapping[str, tuple[float, ...]]


def timeline(result: Result) -> Timeline:
    """One token of decoding, or the whole prompt where nothing is decoded."""
    decodes = result.workload.decode_steps > 0
    phase, steps = ("decode", result.workload.decode_steps) if decodes else ("prefill", 1)
    items = [item for item in accounted(result) if item.phase == phase and item.time_s]
    loads = _loads(result)
    edges = result.machine.wiring.edges
    intervals = tuple(Interval(item.operator, item.time_s / steps, item.limiter) for item in items)
    busy = {
        name: tuple(
            min(1.0, _most(loads.get((Span(item.operator, phase), name), {})) / edges.get(name, 1) / item.time_s)
            for item in items
        )
        for name in result.machine.components
    }
    return Timeline(phase, intervals, {name: shares for name, shares in busy.items() if any(shares)})


def _most(seconds: Mapping[str, float]) -> float:
    return max(seconds.values(), default=0.0)


def _loads(result: Result) -> dict[tuple[Span, str], dict[str, float]]:
    """Seconds that each operator takes of each port of a component, over the run and all edges of a topology."""
    ticks: dict[tuple[Span, Port], int] = {}
    for segment in result.plan.graph.segments:
        for task in segment.tasks:
            span = Span(task.operator, task.phase)
            for flow in task.flows:
                for port, load in flow.loads:
                    ticks[span, port] = ticks.get((span, port), 0) + load * segment.times
    seconds: dict[tuple[Span, str], dict[str, float]] = {}
    for (span, port), load in ticks.items():
        ports = seconds.setdefault((span, result.machine.group_of(port.component)), {})
        ports[port.name] = ports.get(port.name, 0.0) + load / TICKS / PS_PER_SECOND
    return seconds
