"""A long matrix product on a board that keeps to its limit: watts are the limit, and the rate is predicted."""

import pytest

from archsim.config.diagnostics import InputError
from archsim.model.result import Result
from archsim.study.running import run

GEMM = "workload.operators=[{kind: gemm, name: gemm, m: 8192, n: 8192, k: 8192}]"
REPEATED = "hardware.power_cap.settles=0 s"  # for seconds: it is held by itself
BF16 = "workload.dtypes={weights: bf16, kv: bf16, activations: bf16}"


def product(*sets: str, fidelity: str = "flow") -> Result:
    return run("gemv-4096", "h200-sxm", (GEMM, BF16, *(sets or (REPEATED,))), fidelity=fidelity).result


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
    assert product("workload.activity=0.5", REPEATED).latency.total_s < product().latency.total_s


def test_a_short_row_of_weights_is_not_slowed() -> None:
    assert product("workload.operators=[{kind: gemm, name: gemm, m: 1, n: 8192, k: 8192}]", REPEATED).slowed == ()


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


@pytest.mark.parametrize("board", ["h100-sxm", "h200-sxm"])
def test_a_prefill_is_held_once_the_limit_has_settled(board: str) -> None:
    """Its first 15 ms are not; 43.5 ms are what kernels measured on an H100 add up to."""
    found = run("llama-3.1-8b-prefill", board).result
    assert {item.after_s for item in found.slowed} == {0.015}
    [clock] = {item.clock for item in found.slowed}
    told = f"held to 692 W per device: prefill runs at {clock:.2f} of its clock after 15 ms"
    assert any(text.startswith(told) for text in found.warnings)
    assert found.latency.total_s == pytest.approx(0.0435, rel=0.03)


@pytest.mark.parametrize(("board", "tokens"), [("h100-sxm", (640, 672, 736)), ("mi300x", (1152, 1408, 1536))])
def test_no_cliff_lies_where_the_limit_settles(board: str, tokens: tuple[int, ...]) -> None:
    """Longer prompts take longer and cost more, in proportion to what they are longer by."""
    results = [run("llama-3.1-8b-prefill", board, (f"workload.prompt_tokens={count}",)).result for count in tokens]
    free = [
        run("llama-3.1-8b-prefill", board, (f"workload.prompt_tokens={count}", "hardware.power_cap=~")).result
        for count in tokens
    ]
    times, joules = ([item.latency.total_s for item in results], [item.energy.value for item in results])
    assert (times, joules) == (sorted(times), sorted(joules))
    assert (results[0].slowed, bool(results[-1].slowed)) == ((), True)
    past = [item.latency.total_s - 0.015 for item in free]
    held = [time - 0.015 for time in times]
    assert all(0 <= slow - fast <= max(0.0, fast) for slow, fast in zip(held, past, strict=True))


@pytest.mark.parametrize("board", ["h100-sxm", "h200-sxm", "b200", "mi300x"])
def test_energy_that_a_limit_takes_away_costs_time(board: str) -> None:
    """Products of 512 sequences are limited by MACs: their clock falls, and no longer only their price."""
    sets = ("workload.batch=512", "workload.prompt_tokens=512", "workload.output_tokens=1")
    held = run("llama-3.1-8b-decode", board, sets).result
    free = run("llama-3.1-8b-decode", board, (*sets, "hardware.power_cap=~")).result
    assert held.energy.value < 0.95 * free.energy.value
    assert held.latency.total_s > 1.05 * free.latency.total_s
    assert all(item.clock < 1 for item in held.slowed)


def test_steps_of_decode_are_held_by_their_mean() -> None:
    """Some kernels of a served step draw more than the limit, and the step does not."""
    served = on_h100("qwen3-8b-served", "workload.output_tokens=1")
    free = on_h100("qwen3-8b-served", "workload.output_tokens=1", "hardware.power_cap=~")
    assert (served.energy.value, served.slowed) == (free.energy.value, ())


BOARDS = ["a100-gpt-fast", "a100-sxm-80gb", "b200", "mi300x", "h100-sxm", "h200-sxm", "pim-gpu"]


@pytest.mark.parametrize("board", BOARDS)
@pytest.mark.parametrize("workload", ["llama-3.1-8b-prefill", "llama-3.1-8b-decode"])
def test_no_board_draws_more_than_it_is_built_for(board: str, workload: str) -> None:
    """But for the time that its limit takes to settle."""
    sets = ("workload.batch=64", "workload.output_tokens=1")
    found, free = run(workload, board, sets).result, run(workload, board, (*sets, "hardware.power_cap=~")).result
    assert found.hardware.tdp is not None
    before = max((item.after_s for item in found.slowed), default=0.0)
    taken = found.latency.total_s
    assert found.average_w * taken <= free.average_w * before + found.hardware.tdp * (taken - before)


@pytest.mark.parametrize("workload", ["llama-3.1-8b-prefill", "llama-3.1-8b-decode"])
def test_a_wafer_stays_within_its_supply(workload: str) -> None:
    found = run(workload, "wse-3", ("workload.batch=64", "workload.output_tokens=1")).result
    assert found.hardware.tdp is not None
    assert found.average_w <= found.hardware.tdp


def test_a_part_that_there_is_not_cannot_be_slowed() -> None:
    with pytest.raises(InputError) as caught:
        product(REPEATED, "hardware.power_cap.clocked=[sm, l3, xbar]")
    assert [finding.message for finding in caught.value.diagnostics] == [
        "the power cap slows `l3`, which is no component or link"
    ]
