"""The `chunk` and `tile` fidelities: the same tasks, with each flow served in chunks by explicit servers.

At `chunk` every tile, link and memory channel of a device is a server; at `tile` a few representatives stand for the
tiles of a flow.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Final

from archsim.engine.chunk_net import ChunkNet
from archsim.engine.cutting import Grain, cut, layout, lines_up, pieces
from archsim.engine.errors import Unrepresentable
from archsim.engine.flow_level import FlowLevel
from archsim.model.run import Run
from archsim.model.taskgraph import Flow, Port, Task, TaskGraph

MOST_EVENTS: Final = 10**8
"""Events that a run may need, in chunks, where the caller sets no bound: some minutes."""

_UNTIL_EQUAL = 4
"""Iterations after which a loop is taken to repeat."""


def by_chunks(graph: TaskGraph, grain: Grain, max_events: int | None, *, repeats: bool, timeline: bool) -> Run:
    """Simulate a task graph in chunks.

    Raises:
        Unrepresentable: where a chunk is larger than a requester's buffer, or there are too many of them.
        Deadlock, EventLimit: as at `flow`.
    """
    grain = replace(grain, shared=_shared(graph))
    needed = _needed(graph, grain, repeats=repeats)
    if max_events is None and needed > MOST_EVENTS:
        message = f"chunk by chunk this would take about {needed:,} events; {MOST_EVENTS:,} are the bound"
        raise Unrepresentable(message, "--fidelity tile, larger chunks, or --max-events N to go on to N")
    net = partial(ChunkNet, grain=grain)
    return FlowLevel(_bare(graph), net, repeats=repeats, timeline=timeline).run(max_events)


def _bare(graph: TaskGraph) -> TaskGraph:
    """The graph with flows whose fill and drain are left to what happens in them."""
    flows: dict[int, Flow] = {}
    tasks: dict[int, Task] = {}

    def bare(flow: Flow) -> Flow:
        if id(flow) not in flows:
            course, fill = layout(flow), 0 if flow.course else flow.fill
            flows[id(flow)] = replace(flow, own=max(1, flow.own), fill=fill, drain=course.drain, course=course)
        return flows[id(flow)]

    def task(one: Task) -> Task:
        if id(one) not in tasks:
            tasks[id(one)] = replace(one, flows=tuple(map(bare, one.flows)))
        return tasks[id(one)]

    segments = tuple(replace(segment, tasks=tuple(map(task, segment.tasks))) for segment in graph.segments)
    return TaskGraph(segments, graph.buffers)


def _shared(graph: TaskGraph) -> frozenset[Port]:
    """Ports of which some flows take an instance for each requester, and others not."""
    flows = {id(flow): flow for segment in graph.segments for task in segment.tasks for flow in task.flows}
    passed: dict[Port, set[bool]] = {}
    for course in map(layout, flows.values()):
        for stop in course.stops:
            if stop.ticks and stop.instances > 1 and not stop.pooled:
                passed.setdefault(stop.port, set()).add(lines_up(stop, course))
    return frozenset(port for port, ways in passed.items() if len(ways) > 1)


def _needed(graph: TaskGraph, grain: Grain, *, repeats: bool) -> int:
    """Events of a graph, about and at most: one for each chunk where it is done, and at each port but its last."""
    each: dict[int, int] = {}
    needed = 0
    for segment in graph.segments:
        times = min(segment.times, _UNTIL_EQUAL) if repeats else segment.times
        for flow in (flow for task in segment.tasks for flow in task.flows):
            if id(flow) not in each:
                course = layout(flow)
                whole = cut(flow, course, grain)
                each[id(flow)] = whole.chunks + sum(
                    pieces(strand, course, whole, grain) * max(0, sum(1 for stop in strand.stops if stop.ticks) - 1)
                    for strand in course.strands
                )
            needed += each[id(flow)] * times
    return needed
