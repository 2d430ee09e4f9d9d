"""Devices that are not alike are never faster than alike ones, whatever is slower and whatever is drawn."""

from functools import cache

from hypothesis import given, settings
from hypothesis import strategies as st

from archsim.model.devices import device_times
from archsim.study.running import run

SMALL = ("workload.model.layers=2", "workload.output_tokens=1")
VARIATIONS = st.sampled_from([0.0, 0.02, 0.2])
PARTS = st.sampled_from(["", "hbm", "l2", "sm", "xbar", "nvlink"])


@cache
def picoseconds(count: int, slowdown: float, part: str, variation: float, seed: int = 0) -> int:
    parts = f", parts: [{part}]" if part else ""
    asked = f"explicit: true, variation: {variation}, stragglers: {{count: {count}, slowdown: {slowdown}{parts}}}"
    sets = (*SMALL, f"workload.seed={seed}", f"hardware.mapper={{kind: temporal, {asked}}}")
    result = run("llama-3.1-8b-decode", "dgx-h100", sets).result
    assert result.plan.apart is not None
    times = device_times(result.plan.graph, result.run, result.plan.apart)
    together = sum(task.alone * times for task, times in result.plan.graph.executions() if task.device is None)
    assert result.run.picoseconds >= together + max(item.kernels for item in times)
    return result.run.picoseconds


@settings(max_examples=30)
@given(st.integers(1, 8), st.floats(1, 4), PARTS, VARIATIONS, st.integers(0, 3))
def test_a_straggler_is_never_faster_than_none(
    count: int, slowdown: float, part: str, variation: float, seed: int
) -> None:
    asked = (part, variation, seed)
    slow = picoseconds(count, slowdown, *asked)
    assert slow >= picoseconds(count, 1.0, *asked)
    assert slow >= picoseconds(1, slowdown, *asked)
    assert picoseconds(count, slowdown * 1.1, *asked) >= slow
