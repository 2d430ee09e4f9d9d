"""The jobs that are timed, and what each should cost at most; docs/performance.md tells the events that each takes."""

from collections.abc import Callable
from functools import cache
from typing import NamedTuple

from archsim.engine.simulate import simulate
from archsim.model.run import Run
from archsim.model.taskgraph import Segment, TaskGraph
from benchmarks import wafer
from benchmarks.pairs import Pair

ONE = "workload.output_tokens=1"
EIGHT = ("hardware.devices=8", "hardware.mapper.tensor_parallel=8")
APART = (*EIGHT, "hardware.mapper.explicit=true")
CHUNK = 64 * 1024
ROOMY = ("hardware.stack=ideal", "hardware.components.sm.window=128KiB", "hardware.components.sm.grain=64KiB")
GROQ = ("workload.batch=64", "workload.dtypes={weights: int8, kv: fp16, activations: fp16}")


class Job(NamedTuple):
    """A program, simulated with or without `repeats`, at a fidelity: in chunks of 64 KB where it cuts them.

    `bar` and `goal` are milliseconds that the simulation may take and should take. `mapped`: whether `graph` traces and
    maps a workload; else it writes the program down, which nobody needs to time.
    """

    name: str
    graph: Callable[[], TaskGraph]
    bar: float | None = None
    goal: float | None = None
    repeats: bool = True
    mapped: bool = True
    fidelity: str = "flow"

    def simulate(self, graph: TaskGraph) -> Run:
        """The run of the program."""
        return simulate(graph, fidelity=self.fidelity, repeats=self.repeats, chunk=CHUNK)


@cache
def pair(workload: str, hardware: str, *sets: str) -> Pair:
    """A pair, read and checked once."""
    return Pair(workload, hardware, *sets)


def mapped(workload: str, hardware: str, *sets: str) -> Callable[[], TaskGraph]:
    """What traces and maps a workload."""
    return lambda: pair(workload, hardware, *sets).graph()


def layer() -> TaskGraph:
    """A layer of 70B on 132 tiles with room for two chunks each."""
    graph = pair("llama-3.1-70b-decode", "h100-sxm", ONE, *ROOMY).plan().graph
    return TaskGraph((Segment(max(graph.segments, key=lambda segment: len(segment.tasks)).tasks),))


SMALL = mapped("llama-3.1-8b-decode", "h100-sxm", ONE)
LARGE = mapped("llama-3.1-70b-decode", "h100-sxm", ONE)
DRAWN = mapped("deepseek-v3-decode", "dgx-h200", ONE)
EXPLICIT = mapped("llama-3.1-70b-decode", "h100-sxm", ONE, *APART)
THOUSAND = mapped("llama-3.1-70b-decode", "h100-sxm", "workload.output_tokens=1000")
PIPELINE = mapped("llama-3.1-70b-decode", "groq-lpu", "workload.output_tokens=2", *GROQ)

JOBS = (
    Job("8B token, H100, all layers", SMALL, 5, 1.5, repeats=False),
    Job("8B token, H100", SMALL, 0.5, 0.1),
    Job("70B token (fp8), H100, all layers", LARGE, 10, 3, repeats=False),
    Job("70B token (fp8), H100", LARGE, 0.5, 0.1),
    Job("70B token, 8 explicit H100, all layers", EXPLICIT, 125, 35, repeats=False),
    Job("70B token, 8 explicit H100", EXPLICIT),
    Job("DeepSeek-V3 token, 8 H200, drawn, all layers", DRAWN, 150, 40, repeats=False),
    Job("DeepSeek-V3 token, 8 H200, drawn", DRAWN),
    Job("1000 tokens of 70B (fp8), H100", THOUSAND, 1000, 200),
    Job("token on a mesh of 64 x 64 tiles", lambda: wafer.token(64, 8), 5000, 1000, mapped=False),
    Job("a layer of 70B (fp8), 132 tiles, at `tile`", layer, 5, 1.5, mapped=False, fidelity="tile"),
    Job("a layer of 70B (fp8), 132 tiles, at `chunk`", layer, 80, 25, mapped=False, fidelity="chunk"),
    Job("2 tokens of 64 sequences, 70B, 576 Groq chips", PIPELINE),
)
