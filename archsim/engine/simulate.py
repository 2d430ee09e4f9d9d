"""The door of the engine: a task graph in, a run out."""

from collections.abc import Callable
from typing import Final, NamedTuple

from archsim.engine.chunk_level import by_chunks
from archsim.engine.cutting import Grain
from archsim.engine.flow_level import FlowLevel
from archsim.engine.stitching import stitched
from archsim.model.run import Run
from archsim.model.taskgraph import TaskGraph

FOLDS: Final = 4
"""Representatives that stand for the tiles of a flow at `tile`."""


class Options(NamedTuple):
    """How a run is come by and what is told of it; `chunk` bytes and `folds` are for the fidelities that cut flows."""

    max_events: int | None
    repeats: bool
    timeline: bool
    chunk: int | None
    folds: int


def simulate(  # noqa: PLR0913 - each has a default
    graph: TaskGraph,
    *,
    fidelity: str = "flow",
    max_events: int | None = None,
    repeats: bool = True,
    timeline: bool = False,
    chunk: int | None = None,
    folds: int = FOLDS,
) -> Run:
    """Simulate a task graph to its end; the same graph gives the same run, to the last integer.

    With `repeats`, iterations that are proven to repeat are skipped by arithmetic: only `events` differs. With
    `timeline` nothing is skipped, and the run tells when each task ran. At `chunk` and `tile`, `chunk` is bytes of a
    chunk (None: as buffers allow), and at `tile` `folds` representatives stand for the tiles of a flow. Raises
    Deadlock where credits block each other, EventLimit where more than `max_events` are needed (where none are given,
    at `flow`, before the start of what would take a billion), Unrepresentable where a chunk is larger than a buffer,
    ValueError for an unknown fidelity, an unknown buffer, or credits given that nobody took.
    """
    if fidelity not in FIDELITIES:
        raise ValueError(f"unknown fidelity {fidelity!r}; known: {', '.join(FIDELITIES)}")
    return FIDELITIES[fidelity](graph, Options(max_events, repeats, timeline, chunk, folds))


def _flow(graph: TaskGraph, options: Options) -> Run:
    if options.repeats and not options.timeline:
        return stitched(graph, options.max_events)
    return FlowLevel(graph, repeats=False, timeline=options.timeline).run(options.max_events)


def _tile(graph: TaskGraph, options: Options) -> Run:
    return _cut(graph, Grain(options.chunk, options.folds), options)


def _chunk(graph: TaskGraph, options: Options) -> Run:
    return _cut(graph, Grain(options.chunk), options)


def _cut(graph: TaskGraph, grain: Grain, options: Options) -> Run:
    return by_chunks(graph, grain, options.max_events, repeats=options.repeats, timeline=options.timeline)


FIDELITIES: Final[dict[str, Callable[[TaskGraph, Options], Run]]] = {"flow": _flow, "tile": _tile, "chunk": _chunk}
"""The fidelities by name: the same graph and the same counts, only time differs."""
