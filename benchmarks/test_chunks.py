"""One layer of a 70B model in chunks of 64 KB: events, counted exactly, and time against a bare loop of timeouts."""

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from archsim.engine.simulate import simulate
from archsim.model.run import Run
from archsim.model.taskgraph import Segment, TaskGraph
from benchmarks.pairs import Pair
from benchmarks.timing import milliseconds, timeout

ROOMY = ("hardware.stack=ideal", "hardware.components.sm.window=128KiB", "hardware.components.sm.grain=64KiB")
TIMEOUT = 0.47
"""Microseconds of a timeout on the machine that the bars are stated for."""

ROOM = 2.0
"""What a bar is multiplied by, for machines that do other things beside."""


def layer() -> TaskGraph:
    """A layer on 132 tiles with room for two such chunks each."""
    graph = Pair("llama-3.1-70b-decode", "h100-sxm", "workload.output_tokens=1", *ROOMY).plan().graph
    return TaskGraph((Segment(max(graph.segments, key=lambda segment: len(segment.tasks)).tasks),))


@pytest.mark.parametrize(("fidelity", "events", "bar"), [("tile", 892, 5), ("chunk", 39476, 80)])
def test_a_layer_takes_its_events_and_not_longer_than_its_bar(
    benchmark: BenchmarkFixture, fidelity: str, events: int, bar: float
) -> None:
    graph = layer()

    def run() -> Run:
        return simulate(graph, fidelity=fidelity, chunk=65536)

    assert benchmark(run).events == events
    if benchmark.stats is not None:
        assert milliseconds(run, 5) <= bar * ROOM * timeout() / TIMEOUT
