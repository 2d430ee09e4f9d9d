"""Rows: tasks that follow each other and meet nobody, so that one event stands for all of them.

In a pipeline each stage is exclusive: whoever has its credit has its ports. What a sequence does there, one task
after the other, then takes as long as it does alone.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from archsim.model.run import Span
from archsim.model.taskgraph import TICKS, Flow, Port, Segment, Task, TaskGraph

Parts = tuple[tuple[int, Span], ...]
"""When each part of a row ends, in picoseconds from its start, and whose time it is."""

Alone = Callable[[tuple[Task, ...]], Parts]
"""Tells how long tasks in a row take by themselves."""


class Fused(NamedTuple):
    """A graph whose rows are single tasks; `parts` of each of these, by the id of its task."""

    graph: TaskGraph
    parts: Mapping[int, Parts]


def fused(graph: TaskGraph, alone: Alone) -> Fused:
    """The graph with every row as one task of the same length; all else is as it was."""
    chains = [list(_chains(segment.tasks)) for segment in graph.segments]
    private = _private([chain for found in chains for chain in found], graph.buffers)
    made: dict[tuple[int, ...], tuple[Task, Parts]] = {}
    segments = []
    for segment, found in zip(graph.segments, chains, strict=True):
        tasks: list[Task] = []
        for row in (row for chain in found for row in _rows(chain, private)):
            key = tuple(map(id, row))
            if key not in made:
                made[key] = _fused(row, alone(row)) if _meets_nobody(row[0], private) else (row[0], ())
            tasks.append(made[key][0])
        segments.append(Segment(tuple(tasks), segment.times, segment.closes))
    return Fused(TaskGraph(tuple(segments), graph.buffers), {id(task): parts for task, parts in made.values() if parts})


def _fused(row: tuple[Task, ...], parts: Parts) -> tuple[Task, Parts]:
    flow = Flow((), parts[-1][0] * TICKS, ())
    first, last = row[0], row[-1]
    return Task(first.operator, first.phase, (flow,), 0, first.after, last.makes, first.takes, last.gives), parts


def _chains(tasks: Sequence[Task]) -> Iterator[tuple[Task, ...]]:
    """Tasks in program order, those together of which each waits for the one before alone, and nobody else for that."""
    start = 0
    for index in range(1, len(tasks) + 1):
        if index == len(tasks) or not _continues(tasks[index - 1], tasks[index]):
            yield tuple(tasks[start:index])
            start = index


def _continues(task: Task, other: Task) -> bool:
    if task.gives or other.takes or not other.after:
        return False
    return set(other.after) <= set(task.makes) <= set(other.makes)


def _rows(chain: tuple[Task, ...], private: frozenset[Port]) -> Iterator[tuple[Task, ...]]:
    """The longest parts of a chain that meet nobody; other tasks one by one."""
    start = 0
    for index, task in enumerate(chain):
        if not _meets_nobody(task, private):
            if start < index:
                yield chain[start:index]
            yield chain[index : index + 1]
            start = index + 1
    if start < len(chain):
        yield chain[start:]


def _meets_nobody(task: Task, private: frozenset[Port]) -> bool:
    return all(port in private for flow in task.flows for port, load in flow.loads if load)


def _private(chains: Sequence[tuple[Task, ...]], buffers: Iterable[tuple[str, int]]) -> frozenset[Port]:
    """Ports of which all users hold one credit that cannot be held twice."""
    exclusive = _exclusive(chains, dict(buffers))
    holders: dict[Port, frozenset[str]] = {}
    for chain in chains:
        held = exclusive & {name for name, _ in chain[0].takes}
        for port in {port for task in chain for flow in task.flows for port, load in flow.loads if load}:
            holders[port] = holders.get(port, held) & held
    return frozenset(port for port, held in holders.items() if held)


def _exclusive(chains: Sequence[tuple[Task, ...]], sizes: Mapping[str, int]) -> frozenset[str]:
    """Buffers from which no two chains can have credits at once: each gives back at its end what it took."""
    least: dict[str, int] = {}
    moved: set[str] = set()
    for chain in chains:
        takes, gives = _totals(chain[0].takes), _totals(chain[-1].gives)
        moved |= {name for name in takes.keys() | gives.keys() if takes.get(name) != gives.get(name)}
        for name, amount in takes.items():
            least[name] = min(amount, least.get(name, amount))
    return frozenset(name for name, amount in least.items() if name not in moved and 2 * amount > sizes.get(name, 0))


def _totals(amounts: Iterable[tuple[str, int]]) -> Mapping[str, int]:
    totals: Counter[str] = Counter()
    for name, amount in amounts:
        totals[name] += amount
    return totals
