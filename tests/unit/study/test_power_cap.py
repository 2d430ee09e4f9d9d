"""A long matrix product on a board that keeps to its limit: watts are the limit, and the rate is predicted."""

import pytest

from archsim.config.diagnostics import InputError
from archsim.model.result import Result
from archsim.study.running import run

GEMM = "workload.operators=[{kind: gemm, name: gemm, m: 8192, n: 8192, k: 8192}]"
BF16 = "workload.dtypes={weights: bf16, kv: bf16, activations: bf16}"


def product(*sets: str, fidelity: str = "flow") -> Result:
    return run("gemv-4096", "h200-sxm", (GEMM, BF16, *sets), fidelity=fidelity).result


def test_power_is_the_limit_and_the_rate_is_below_the_uncapped_one() -> None:
    held, free = product(), product("hardware.power_cap=~")
    assert held.average_w == pytest.approx(692, rel=0.003)
    assert 0.78 < free.latency.total_s / held.latency.total_s < 0.88
    assert free.average_w > 800
    assert (free.slowed, [item.operator for item in held.slowed]) == ((), ["gemm"])


def test_it_says_so() -> None:
    assert any(text.startswith("held to 692 W per device: gemm (decode) runs at 0.8") for text in product().warnings)
    assert any("no power cap is stated" in text for text in product("hardware.power_cap=~").warnings)


def test_data_of_low_activity_run_faster_under_the_limit() -> None:
    assert product("workload.activity=0.5").latency.total_s < product().latency.total_s


def test_a_short_row_of_weights_is_not_slowed() -> None:
    assert product("workload.operators=[{kind: gemm, name: gemm, m: 1, n: 8192, k: 8192}]").slowed == ()


def test_pieces_served_one_by_one_are_slowed_alike() -> None:
    flow, tile = product(), product(fidelity="tile")
    assert tile.latency.total_s == pytest.approx(flow.latency.total_s, rel=0.03)
    assert {entry.row: entry.price for entry in tile.entries if entry.row.action != "static"} == {
        entry.row: entry.price for entry in flow.entries if entry.row.action != "static"
    }


def test_a_stage_of_several_keeps_the_limit_of_its_own_boards() -> None:
    staged = ("hardware.devices=2", "hardware.mapper.pipeline_parallel=2")
    found = [run("llama-3.1-8b-prefill", "h200-sxm", sets).result for sets in ((), staged)]
    clocks = [{item.operator: item.clock for item in result.slowed} for result in found]
    assert clocks[1]["gate_up"] == pytest.approx(clocks[0]["gate_up"], abs=0.01)
    assert clocks[0]["gate_up"] < 0.95


def on_h100(workload: str, *sets: str) -> Result:
    return run(workload, "h100-sxm", sets).result


def test_a_limit_that_takes_time_lets_a_single_kernel_pass_and_says_so() -> None:
    found = on_h100("gemv-4096", GEMM, BF16)
    assert (found.slowed, found.average_w > 750) == ((), True)
    assert any("over before the limit of 692 W acts" in text for text in found.warnings)


def test_a_prefill_is_held_as_a_whole() -> None:
    found = on_h100("llama-3.1-8b-prefill")
    assert found.average_w == pytest.approx(692, rel=0.003)
    assert len({item.clock for item in found.slowed}) == 1
    clock = f"{found.slowed[0].clock:.2f}"
    assert any(text.startswith(f"held to 692 W per device: prefill runs at {clock}") for text in found.warnings)


def test_steps_of_decode_are_held_by_their_mean() -> None:
    """Some kernels of a served step draw more than the limit, and the step does not."""
    served = on_h100("qwen3-8b-served", "workload.output_tokens=1")
    free = on_h100("qwen3-8b-served", "workload.output_tokens=1", "hardware.power_cap=~")
    assert (served.energy.value, served.slowed) == (free.energy.value, ())


@pytest.mark.parametrize("board", ["a100-gpt-fast", "a100-sxm-80gb", "b200", "mi300x", "h100-sxm", "h200-sxm"])
@pytest.mark.parametrize("workload", ["llama-3.1-8b-prefill", "llama-3.1-8b-decode"])
def test_no_board_draws_more_than_it_is_built_for(board: str, workload: str) -> None:
    found = run(workload, board, ("workload.batch=64", "workload.output_tokens=1")).result
    assert found.hardware.tdp is not None
    assert found.average_w <= found.hardware.tdp


def test_a_part_that_there_is_not_cannot_be_slowed() -> None:
    with pytest.raises(InputError) as caught:
        product("hardware.power_cap.clocked=[sm, l3, xbar]")
    assert [finding.message for finding in caught.value.diagnostics] == [
        "the power cap slows `l3`, which is no component or link"
    ]
