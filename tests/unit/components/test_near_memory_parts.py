"""Parts of near-memory machines: a bank's rate from its timing, what a unit does and what passes through it."""

from typing import Any

import pytest
from pydantic import ValidationError

from archsim.components.dram import Dram
from archsim.components.mac_unit import MacUnit
from archsim.components.pim_bank import PimBank

ENERGY = {"read": "4 pJ/B", "write": "5 pJ/B"}
ATTACC = {"column_pace": "4614 ps", "row_switch": "29222 ps", "refresh": "199940 ps", "refresh_every": "3898830 ps"}


def bank(**fields: Any) -> PimBank:
    given = {"kind": "pim_bank", "capacity": "16 MiB", "access": "32 B", "row": "1 KiB", "static": "0 W"}
    timing = {"column_pace": "4 ns", "row_switch": "0 ns"}
    return PimBank.model_validate(given | timing | {"energy": ENERGY} | fields)


def unit(**fields: Any) -> MacUnit:
    given = {"kind": "mac_unit", "macs": {"bf16": "5 GMAC/s"}, "static": "0 W", "energy": {"mac": {"bf16": "1 pJ/MAC"}}}
    return MacUnit.model_validate(given | fields)


def test_an_open_row_streams_at_the_pace_of_its_columns() -> None:
    assert bank().actions()["read"].rate == bank().actions()["read"].peak == 8_000_000_000


def test_a_row_switch_costs_its_share_of_the_row() -> None:
    assert bank(row_switch="32 ns").actions()["read"].rate == 1024 * 10**12 // (32 * 4_000 + 32_000)


def test_refresh_takes_its_share_of_the_time() -> None:
    assert bank(refresh="1 us", refresh_every="4 us").actions()["read"].rate == 6_000_000_000


def test_a_stack_of_computing_banks_streams_eight_times_what_its_pins_carry() -> None:
    sustained = bank(**ATTACC).actions()["read"].rate
    assert sustained is not None
    assert 1024 * sustained / 670.4e9 == pytest.approx(8.8 * 0.95, rel=0.01)


def test_reads_and_writes_of_a_bank_share_its_port() -> None:
    assert {action.port for action in bank().actions().values()} == {"io"}
    assert (bank().actions()["read"].price.value, bank().actions()["write"].price.value) == (4.0, 5.0)


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"row": "1000 B"}, "whole number of accesses"),
        ({"refresh": "4 us", "refresh_every": "4 us"}, "nothing is left"),
    ],
)
def test_timing_that_leaves_nothing_is_refused(fields: dict[str, str], text: str) -> None:
    with pytest.raises(ValidationError, match=text):
        bank(**fields)


def test_a_partition_serves_the_sustained_share_of_its_peak() -> None:
    given = {"kind": "dram", "capacity": "96 MiB", "bandwidth": "80 GB/s", "static": "0 W", "energy": ENERGY}
    read = Dram.model_validate(given | {"efficiency": 0.85, "latency": "40 ns"}).actions()["read"]
    assert (read.rate, read.peak, read.latency, read.port) == (68_000_000_000, 80_000_000_000, 40_000, "io")


def test_a_unit_is_where_its_memory_is() -> None:
    assert not unit().pooled
    assert unit().capacity_bytes == 0


def test_a_unit_adds_and_lets_pass_only_where_it_says_so() -> None:
    assert set(unit().actions()) == {"mac_bf16"}
    able = unit(adder={"rate": "5 Gop/s", "energy": "0.3 pJ/op"}, through="8 pJ/B").actions()
    assert set(able) == {"mac_bf16", "add", "move"}
    assert (able["add"].rate, able["move"].rate, able["move"].price.value) == (5_000_000_000, None, 8.0)


def test_a_rate_without_a_price_is_not_offered() -> None:
    assert set(unit(macs={"bf16": "5 GMAC/s", "fp8": "9 GMAC/s"}).actions()) == {"mac_bf16"}
