"""Equal devices, each by itself: the tasks of a folded plan, once for every device, that meet in collectives.

Nothing is drawn per device here, so the answer is that of the folded plan to the picosecond: what it costs to ask is
the question.
"""

from dataclasses import replace

from archsim.model.taskgraph import Flow, Leg, Port, Segment, Task, TaskGraph

_MEETING = ("_all_reduce", "_dispatch", "_return")


def unfolded(graph: TaskGraph, devices: int) -> TaskGraph:
    """The graph with a task per device and kernel; a collective is one task of all devices' flows."""
    made: dict[int, tuple[Task, ...]] = {}
    segments = []
    for segment in graph.segments:
        tasks: list[Task] = []
        for task in segment.tasks:
            if id(task) not in made:
                made[id(task)] = tuple(_tasks(task, devices))
            tasks += made[id(task)]
        segments.append(Segment(tuple(tasks), segment.times, segment.closes))
    return TaskGraph((*segments, _end(graph, devices)), graph.buffers)


def _tasks(task: Task, devices: int) -> list[Task]:
    everyone = range(devices)
    if task.operator.endswith(_MEETING):
        flows = tuple(_flow(flow, n, devices) for n in everyone for flow in task.flows)
        return [replace(task, flows=flows, after=_labels(task.after, everyone), makes=_labels(task.makes, everyone))]
    return [
        replace(
            task,
            flows=tuple(_flow(flow, n, devices) for flow in task.flows),
            after=_labels(task.after, (n,)),
            makes=_labels(task.makes, (n,)),
        )
        for n in everyone
    ]


def _flow(flow: Flow, device: int, devices: int) -> Flow:
    loads = tuple((Port(f"{port.component}.{device}", port.name), load) for port, load in flow.loads)
    legs = tuple(_leg(leg, device, devices) for leg in flow.legs)
    return replace(flow, legs=legs, loads=loads, lead=flow.lead // devices, weight=flow.weight // devices)


def _leg(leg: Leg, device: int, devices: int) -> Leg:
    """A device's part of the bill; the parts add up to the whole."""
    part = leg.bill * (device + 1) // devices - leg.bill * device // devices
    return leg._replace(bill=part, ways=max(1, leg.ways // devices))


def _labels(labels: tuple[str, ...], devices: range | tuple[int, ...]) -> tuple[str, ...]:
    return tuple(f"{label} {n}" for label in labels for n in devices)


def _end(graph: TaskGraph, devices: int) -> Segment:
    """Where all devices have ended."""
    last = graph.segments[-1].tasks[-1]
    return Segment((Task("end", last.phase, (), 0, _labels(last.makes, range(devices)), ("end",)),))
