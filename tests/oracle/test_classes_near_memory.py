"""Near-memory machines against what is published, and against hand predictions where nothing is.

Bounds record what the shipped machines reach, misses included. A constant that was found on one published system is
used for others, never the reverse: NorthPole's `arrival` is what the 8B system leaves unexplained, so that system is
an anchor and the 3B one a validation.
"""

from functools import cache

import pytest

from archsim.model.result import Result
from archsim.study.running import run


@cache
def result(workload: str, hardware: str, *sets: str) -> Result:
    return run(workload, hardware, sets).result


def tpot(of: Result) -> float:
    """Milliseconds between tokens, the filling of a pipeline left out."""
    seconds = of.latency.tpot_p50_s
    assert seconds is not None
    return seconds * 1e3


def joules(of: Result) -> float:
    return of.energy.value / of.tokens


EIGHT_B = ("granite-3.3-8b-decode", "northpole-x16", "hardware.devices=84")
THREE_B = ("granite-3b-decode", "northpole-x16")


def test_anchor_northpole_8b_takes_2_8_ms_by_construction() -> None:
    anchored = result(*EIGHT_B)
    assert anchored.plan.in_flight == 28
    assert tpot(anchored) == pytest.approx(2.8, rel=0.01)
    assert anchored.plan.settings["in a row"] == "82 of 84 devices in use"


def test_northpole_3b_makes_28356_tokens_a_second_within_1_5() -> None:
    predicted = 28 / tpot(result(*THREE_B)) * 1e3
    assert predicted == pytest.approx(23_900, rel=0.01)
    assert 1 / 1.5 < predicted / 28_356 < 1.5


def test_northpole_3b_needs_24_mj_a_token_within_2() -> None:
    predicted = joules(result(*THREE_B))
    assert 1 / 2 < predicted / 0.0237 < 2
    assert result(*THREE_B).by_kind()["static"] / predicted > 0.85


def test_without_the_8b_system_northpole_3b_would_be_twice_too_fast() -> None:
    """The hand prediction from geometry alone is 50 700 tokens a second, 28 900 to 89 000."""
    from_geometry = 28 / tpot(result(*THREE_B, "hardware.stack=static-schedule")) * 1e3
    assert 28_900 < from_geometry < 89_000
    assert from_geometry / 28_356 == pytest.approx(2.06, rel=0.02)


def test_sequences_in_flight_decide_northpoles_joules() -> None:
    alone = result(*THREE_B, "workload.batch=1")
    assert alone.plan.in_flight == 1
    assert joules(alone) / joules(result(*THREE_B)) > 12


def test_banks_that_compute_take_8b_three_percent_longer_than_the_hand_band() -> None:
    """1.0 ms by hand, 0.8 to 1.2: refresh, outputs that do not divide over 5120 banks, and a KV read for each query
    head of a group are left out there. 66 mJ of weights by hand."""
    banks = result("llama-3.1-8b-decode", "pim-gpu")
    assert tpot(banks) == pytest.approx(1.227, rel=0.01)
    assert banks.by("tensor")["weights"] == pytest.approx(0.066, rel=0.02)
    assert 4 < tpot(result("llama-3.1-8b-decode", "h100-sxm")) / tpot(banks) < 6


def test_banks_lose_to_the_gpu_beside_them_from_a_batch_of_about_eight_to_sixteen() -> None:
    at = {
        batch: result(
            "llama-3.1-8b-decode", "pim-gpu", f"workload.batch={batch}", "workload.output_tokens=1"
        ).plan.settings["at unit"]
        for batch in (4, 16)
    }
    assert "gate_up" in at[4]
    assert "gate_up" not in at[16]
    assert "attention" in at[16]


def test_bonded_dram_takes_8b_about_a_millisecond() -> None:
    """0.94 to 1.0 ms by hand; 0.11 J of DRAM and mesh."""
    stacked = result("llama-3.1-8b-decode", "stack-3d")
    assert tpot(stacked) == pytest.approx(1.007, rel=0.01)
    assert stacked.by_kind()["dram"] == pytest.approx(15.3e9 * 6.4e-12, rel=0.01)
    assert stacked.average_w < 250


def test_miss_an_edge_gpu_is_four_times_slower_than_its_memory() -> None:
    """Llama-2-7B at 2 bits on a Jetson AGX Orin: 20 tokens a second, 30.8 W, 1.54 J (T-MAC's README).

    The stack is ideal; llama.cpp's unpacking of narrow weights, which decides the speed, is not fitted to one point.
    """
    edge = result(
        "llama-2-7b-decode",
        "orin",
        "workload.dtypes={weights: {dtype: int2, group: 32}, kv: fp16, activations: fp16}",
        "workload.prompt_tokens=64",
        "workload.output_tokens=1",
    )
    assert 1e3 / tpot(edge) / 20.0 == pytest.approx(3.60, rel=0.03)
    assert edge.average_w == pytest.approx(30.8, rel=0.2)
    assert joules(edge) / 1.54 == pytest.approx(0.29, rel=0.05)
