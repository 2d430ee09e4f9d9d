"""Llama-2-7B under gpt-fast on A100s at 330 W: tokens per second of one user (README of meta-pytorch/gpt-fast).

Nothing was fitted on these figures; which operators have kernels of their own was settled with them known.
"""

from functools import cache

import pytest

from archsim.study.running import run

MEASURED = {("bf16", 1): 104.9, ("int8", 1): 155.58, ("bf16", 2): 168.84, ("bf16", 4): 254.02, ("bf16", 8): 328.43}


@cache
def rate(weights: str, devices: int) -> float:
    sets = (
        f"workload.dtypes.weights={weights}",
        f"hardware.devices={devices}",
        f"hardware.mapper.tensor_parallel={devices}",
    )
    tpot = run("llama-2-7b-short-decode", "a100-gpt-fast", sets).result.latency.tpot_s
    assert tpot is not None
    return 1 / tpot


@pytest.mark.parametrize(("weights", "devices"), MEASURED)
def test_a_rate_is_within_15_percent(weights: str, devices: int) -> None:
    assert rate(weights, devices) == pytest.approx(MEASURED[weights, devices], rel=0.15)


def test_int8_weights_gain_less_than_their_bytes() -> None:
    assert rate("int8", 1) / rate("bf16", 1) == pytest.approx(1.48, abs=0.2)


def test_int8_is_bound_by_the_lanes_that_widen_it() -> None:
    result = run("llama-2-7b-short-decode", "a100-gpt-fast", ("workload.dtypes.weights=int8",)).result
    limits = {line.operator: line.limiter for line in result.operators}
    assert {limits[name] for name in ("qkv", "attn_out", "gate_up", "down")} == {"sm vector"}
