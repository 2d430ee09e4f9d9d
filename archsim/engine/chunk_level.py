"""The `chunk` and `tile` fidelities: the same tasks, with each flow served in chunks by explicit servers.

At `chunk` every tile, link and memory channel of a device is a server; at `tile` a few representatives stand for the
tiles of a flow.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from archsim.engine.chunk_net import ChunkNet
from archsim.engine.cutting import Grain, layout
from archsim.engine.flow_level import FlowLevel
from archsim.model.run import Run
from archsim.model.taskgraph import Flow, Task, TaskGraph


def by_chunks(graph: TaskGraph, grain: Grain, max_events: int | None, *, repeats: bool, timeline: bool) -> Run:
    """Simulate a task graph in chunks.

    Raises:
        Unrepresentable: where a chunk is larger than a requester's buffer.
        Deadlock, EventLimit: as at `flow`.
    """
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
