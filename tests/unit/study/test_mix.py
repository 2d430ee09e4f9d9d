"""Steps of a model are billed as the mix of the stack has it; kernels of a list by themselves."""

import pytest

from archsim.model.result import Result
from archsim.study.running import run


def simulated(workload: str, *sets: str) -> Result:
    return run(workload, "h100-sxm", sets).result


def watts(result: Result) -> set[float]:
    return {entry.price.value for entry in result.entries if entry.row.action == "active"}


def test_tiles_at_work_cost_power_in_a_step_of_a_model_and_none_in_a_kernel_alone() -> None:
    assert watts(simulated("llama-3.1-8b-decode", "workload.output_tokens=1")) == {1.1}
    assert watts(simulated("gemv-4096", "workload.dtypes={weights: bf16, kv: bf16, activations: bf16}")) == {0.0}


def test_tiles_are_at_work_for_no_longer_than_the_run() -> None:
    result = simulated("llama-3.1-8b-decode", "workload.output_tokens=1")
    spent = sum(entry.row.count for entry in result.entries if entry.row.action == "active")
    assert 0.6 < spent / (132 * result.run.picoseconds) <= 1


def test_multipliers_beside_a_memory_pay_no_overhead_of_the_tiles_kernels() -> None:
    result = run("llama-3.1-8b-decode", "pim-gpu", ("workload.output_tokens=1",)).result
    assert {entry.price.value for entry in result.entries if entry.row.action == "mac_bf16"} == {0.32}


def test_data_of_low_activity_cost_less_and_take_as_long() -> None:
    one = "workload.output_tokens=1"
    random, low = (simulated("llama-3.1-8b-decode", f"workload.activity={share}", one) for share in (1, 0.5))
    assert low.run.picoseconds == random.run.picoseconds
    assert 0.6 < low.energy.value / random.energy.value < 0.9
    assert random.at_low_activity == pytest.approx(low.energy.value, rel=1e-12)


def test_a_server_takes_each_pass_of_a_norm_that_nothing_fuses() -> None:
    """Nine kernels of 3.1 us more for the norms of 27 layers, in a served step and in no other."""
    one = "workload.output_tokens=1"
    served, plain = (simulated(f"nemotron-nano-9b-v2-{kind}", "workload.batch=8", one) for kind in ("served", "decode"))
    spent = [next(line.time_s for line in it.operators if line.operator == "gated_norm") for it in (served, plain)]
    assert spent[0] - spent[1] == pytest.approx(27 * 9 * 3.1e-6, rel=1e-3)


def test_logits_of_many_sequences_are_sorted_one_by_one() -> None:
    """0.386 ns a logit of the first 127 sequences, 0.3 of each of the others."""
    sizes = (127, 128, 160)
    runs = [simulated("llama-3.1-8b-served", "workload.output_tokens=1", f"workload.batch={size}") for size in sizes]
    spent = [next(line.time_s for line in it.operators if line.operator == "sampling") for it in runs]
    passes = 32 * 128_256 * 4 / 3.03e12  # the kernel reads the logits, at most from memory
    assert spent[1] - spent[0] == pytest.approx(128_256 * 0.3e-9, rel=0.05)
    assert spent[2] - spent[1] == pytest.approx(32 * 128_256 * 0.3e-9 + passes, rel=0.03)
