"""The door of the engine: a task graph in, a run out."""

from collections.abc import Callable
from typing import Final, NamedTuple

from archsim.engine.flow_level import FlowLevel
from archsim.engine.stitching import stitched
from archsim.model.run import Run
from archsim.model.taskgraph import TaskGraph


def simulate(
    graph: TaskGraph,
    *,
    fidelity: str = "flow",
    max_events: int | None = None,
    repeats: bool = True,
    timeline: bool = False,
) -> Run:
    """Simulate a task graph to its end; the same graph gives the same run, to the last integer.

    With `repeats`, iterations that are proven to repeat are skipped by arithmetic: only `events` differs. With
    `timeline` nothing is skipped, and the run tells when each task ran. Raises Deadlock where credits block each other,
    EventLimit where more than `max_events` are needed, ValueError for an unknown fidelity, an unknown buffer, or
    credits given that nobody took.
    """
    if fidelity not in FIDELITIES:
        raise ValueError(f"unknown fidelity {fidelity!r}; known: {', '.join(FIDELITIES)}")
    return FIDELITIES[fidelity](graph, Options(max_events, repeats, timeline))


class Options(NamedTuple):
    """What does not change the result of a run, but how it is come by and what is told of it."""

    max_events: int | None
    repeats: bool
    timeline: bool


def _flow(graph: TaskGraph, options: Options) -> Run:
    if options.repeats and not options.timeline:
        return stitched(graph, options.max_events)
    return FlowLevel(graph, repeats=False, timeline=options.timeline).run(options.max_events)


FIDELITIES: Final[dict[str, Callable[[TaskGraph, Options], Run]]] = {"flow": _flow}
"""The fidelities by name: the same graph and the same counts, only time differs."""
