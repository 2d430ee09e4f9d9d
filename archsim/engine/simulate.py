"""The door of the engine: a task graph in, a run out."""

from collections.abc import Callable
from typing import Final

from archsim.engine.flow_level import FlowLevel
from archsim.model.run import Run
from archsim.model.taskgraph import TaskGraph


def simulate(graph: TaskGraph, *, fidelity: str = "flow", max_events: int | None = None, repeats: bool = True) -> Run:
    """Simulate a task graph to its end; the same graph gives the same run, to the last integer.

    With `repeats`, iterations that are proven to repeat are skipped by arithmetic: only `events` differs. Raises
    Deadlock where credits block each other, EventLimit where more than `max_events` are needed, ValueError for an
    unknown fidelity, an unknown buffer, or credits given that nobody took.
    """
    if fidelity not in FIDELITIES:
        raise ValueError(f"unknown fidelity {fidelity!r}; known: {', '.join(FIDELITIES)}")
    return FIDELITIES[fidelity](graph, max_events, repeats)


def _flow(graph: TaskGraph, max_events: int | None, repeats: bool) -> Run:  # noqa: FBT001 - as in the table below
    return FlowLevel(graph, repeats=repeats).run(max_events)


FIDELITIES: Final[dict[str, Callable[[TaskGraph, int | None, bool], Run]]] = {"flow": _flow}
"""The fidelities by name: the same graph and the same counts, only time differs."""
