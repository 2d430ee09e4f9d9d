"""How the cost of a run grows: with layers, sequences, context, devices, tiles and tokens."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import NamedTuple

from archsim.model.taskgraph import TaskGraph
from benchmarks import wafer
from benchmarks.jobs import ONE, mapped


class Series(NamedTuple):
    """What grows, in what, and the program of each size; with `repeats` or every layer by itself."""

    name: str
    what: str
    programs: Mapping[int, Callable[[], TaskGraph]]
    repeats: bool = True


def _small(*sets: str) -> Callable[[], TaskGraph]:
    return mapped("llama-3.1-8b-decode", "h100-sxm", ONE, *sets)


def _apart(devices: int) -> Callable[[], TaskGraph]:
    sets = (f"hardware.devices={devices}", f"hardware.mapper.tensor_parallel={devices}")
    return _small(*sets, "hardware.mapper.explicit=true")


def _pipeline(batch: int) -> Callable[[], TaskGraph]:
    dtypes = "workload.dtypes={weights: int8, kv: fp16, activations: fp16}"
    return mapped("llama-3.1-70b-decode", "groq-lpu", ONE, dtypes, f"workload.batch={batch}")


GROWTH = (
    Series(
        "layers",
        "8B on H100, each layer by itself",
        {n: _small(f"workload.model.layers={n}") for n in (8, 32, 128)},
        repeats=False,
    ),
    Series("equal layers", "the same, repeats used", {n: _small(f"workload.model.layers={n}") for n in (8, 32, 128)}),
    Series(
        "batch",
        "8B on H100, sequences of one kernel",
        {n: _small("workload.prompt_tokens=256", f"workload.batch={n}") for n in (1, 8, 64, 512)},
    ),
    Series("in flight", "70B on 576 Groq chips, sequences in a pipeline", {n: _pipeline(n) for n in (2, 8, 32)}),
    Series(
        "context",
        "8B on H100, tokens in the cache",
        {n: _small(f"workload.prompt_tokens={n}") for n in (1024, 8192, 65536)},
    ),
    Series("devices", "8B, each H100 by itself", {n: _apart(n) for n in (2, 4, 8)}, repeats=False),
    Series(
        "tiles", "a token on a mesh, each tile by itself", {n * n: partial(wafer.token, n, 8) for n in (8, 16, 32, 64)}
    ),
    Series(
        "tokens",
        "70B on H100",
        {n: mapped("llama-3.1-70b-decode", "h100-sxm", f"workload.output_tokens={n}") for n in (1, 10, 100, 1000)},
    ),
)
