"""Claims about the energy of a token, as rows of the ledger: a price times a number of bytes or operations.

The model has exactly 10^11 weights of a byte and nothing beside the matrices of its layers (dense-100b-decode.yaml).
Each machine prices one part and leaves the rest free.
"""

from functools import cache

import pytest

from archsim.model.result import Result
from archsim.study.running import run

WEIGHTS = 10**11
NO_KV = "workload.prompt_tokens=0"


@cache
def token(hardware: str, *sets: str) -> Result:
    return run("dense-100b-decode", hardware, sets).result


def booked(result: Result, component: str, action: str, tensor: str) -> tuple[int, float]:
    """Count and joules of an action of one tensor, over all operators."""
    found = [
        entry
        for entry in result.entries
        if (entry.row.component, entry.row.action, entry.row.tensor) == (component, action, tensor)
    ]
    return sum(entry.row.count for entry in found), sum(entry.picojoules for entry in found) / 1e12


def test_a_multiply_for_each_weight_is_seven_millijoules() -> None:
    result = token("ideal-mac", NO_KV)
    count, joules = booked(result, "mac", "mac_int8", "")
    assert count == WEIGHTS
    assert joules == pytest.approx(0.007, rel=1e-12)
    assert result.energy.value == pytest.approx(0.007, rel=1e-12)


def test_weights_from_small_srams_are_a_fifth_of_a_joule() -> None:
    count, joules = booked(token("ideal-sram"), "sram", "read", "weights")
    assert count == WEIGHTS
    assert joules == pytest.approx(0.2, rel=1e-12)


def test_weights_from_hbm_are_3_9_joules() -> None:
    count, joules = booked(token("ideal-hbm"), "hbm", "read", "weights")
    assert count == WEIGHTS
    assert joules == pytest.approx(3.9, rel=1e-12)


def test_reading_a_weight_from_hbm_costs_557_multiplies() -> None:
    result = token("ideal-hbm", NO_KV)
    _, read = booked(result, "hbm", "read", "weights")
    _, multiply = booked(result, "mac", "mac_int8", "")
    assert read / multiply == pytest.approx(39 / 0.07, rel=1e-12)
    assert read / multiply > 500


def test_a_cache_of_50_gigabytes_is_about_two_joules() -> None:
    count, joules = booked(token("ideal-hbm"), "hbm", "read", "kv")
    assert count == 5 * 10**10
    assert joules == pytest.approx(1.95, rel=1e-12)


def test_a_cache_of_a_terabyte_is_39_joules_not_100() -> None:
    result = token("ideal-hbm", "workload.prompt_tokens=625000")
    count, joules = booked(result, "hbm", "read", "kv")
    assert count == 10**12
    assert joules == pytest.approx(39.0, rel=1e-12)


def test_weights_over_a_chip_to_chip_link_are_a_quarter_of_a_joule() -> None:
    count, joules = booked(token("toy-chip-link"), "chip", "move", "weights")
    assert count == WEIGHTS
    assert joules == pytest.approx(0.24, rel=1e-12)


def test_the_machines_differ_in_the_priced_part_only() -> None:
    arithmetic = {
        name: booked(token(name, NO_KV), "mac", "mac_int8", "") for name in ("ideal-mac", "ideal-sram", "ideal-hbm")
    }
    assert len(set(arithmetic.values())) == 1
