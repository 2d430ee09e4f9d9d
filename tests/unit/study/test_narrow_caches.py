"""A cache in 8 bits against one in 16: fewer bytes, and what a machine's kernels make of them."""

import pytest

from archsim.model.result import Result
from archsim.study.running import run


def step(board: str, kv: str, batch: int, prompt: int) -> Result:
    sets = (f"workload.batch={batch}", f"workload.prompt_tokens={prompt}", "workload.output_tokens=1")
    return run("llama-3.1-8b-decode", board, (*sets, f"workload.dtypes.kv={kv}", "hardware.power_cap=~")).result


@pytest.mark.parametrize("prompt", [512, 8192])
@pytest.mark.parametrize("batch", [1, 8, 64])
def test_a_b200_gains_by_a_narrow_cache(batch: int, prompt: int) -> None:
    wide, narrow = (step("b200", kv, batch, prompt) for kv in ("bf16", "fp8"))
    assert narrow.latency.total_s < wide.latency.total_s
    assert narrow.energy.value < wide.energy.value


@pytest.mark.parametrize("prompt", [512, 8192])
def test_a_b200_reads_a_narrow_cache_faster_than_an_h200_with_fewer_multiprocessors(prompt: int) -> None:
    times = []
    for board in ("b200", "h200-sxm"):
        operators = step(board, "fp8", 64, prompt).operators
        times.append(next(item.time_s for item in operators if item.operator == "attention"))
    assert times[0] < times[1] * 132 / 148
