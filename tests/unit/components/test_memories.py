"""Memories: rates, ports, latency and prices of HBM stacks and SRAMs."""

from typing import Any

import pytest
from pydantic import ValidationError

from archsim.components.hbm_stack import HbmStack
from archsim.components.sram import Sram
from archsim.model.component import Component

ENERGY = {"read": "28 pJ/B", "write": "34 pJ/B"}


def hbm(**fields: Any) -> HbmStack:
    given = {"kind": "hbm_stack", "capacity": "16 GiB", "bandwidth": "670 GB/s", "static": "0.9 W", "energy": ENERGY}
    return HbmStack.model_validate(given | fields)


def sram(**fields: Any) -> Sram:
    given = {"kind": "sram", "capacity": "50 MiB", "bandwidth": "5.5 TB/s", "static": "0 W", "energy": ENERGY}
    return Sram.model_validate(given | fields)


def test_a_stack_serves_the_sustained_share_of_its_peak() -> None:
    read = hbm(efficiency=0.895).actions()["read"]
    assert (read.rate, read.peak) == (599_650_000_000, 670_000_000_000)


def test_a_stack_is_ideal_where_nothing_is_said() -> None:
    read = hbm().actions()["read"]
    assert (read.rate, read.latency) == (670_000_000_000, 0)


def test_reads_and_writes_of_a_stack_share_its_port() -> None:
    assert {action.port for action in hbm().actions().values()} == {"io"}


@pytest.mark.parametrize(("ports", "expected"), [("separate", ("read", "write")), ("shared", ("io", "io"))])
def test_an_sram_has_a_port_for_each_way_or_one(ports: str, expected: tuple[str, str]) -> None:
    actions = sram(ports=ports).actions()
    assert (actions["read"].port, actions["write"].port) == expected


def test_an_sram_writes_as_fast_as_it_reads_unless_it_says_otherwise() -> None:
    assert sram().actions()["write"].rate == 5_500_000_000_000
    actions = sram(write_bandwidth="1.024 TB/s").actions()
    assert (actions["read"].rate, actions["write"].rate) == (5_500_000_000_000, 1_024_000_000_000)
    assert sram(write_bandwidth="unlimited").actions()["write"].rate is None


@pytest.mark.parametrize("memory", [hbm(latency="480 ns"), sram(latency="480 ns")])
def test_latency_and_prices_stand_at_the_actions(memory: Component) -> None:
    read, write = memory.actions()["read"], memory.actions()["write"]
    assert (read.latency, write.latency) == (480_000, 480_000)
    assert (read.price.value, write.price.value) == (28.0, 34.0)
    assert (read.unit, write.unit) == ("B", "B")


def test_capacity_is_that_of_one_instance() -> None:
    assert hbm(count=5).capacity_bytes == 16 * 2**30
    assert sram(capacity="unlimited").capacity_bytes is None


def test_the_address_decides_which_memory_serves() -> None:
    assert not hbm().pooled
    assert not sram().pooled


@pytest.mark.parametrize("field", ["static", "energy", "bandwidth", "capacity"])
def test_no_silent_zero(field: str) -> None:
    given = hbm().model_dump(mode="json", exclude_none=True)
    del given[field]
    with pytest.raises(ValidationError, match=field):
        HbmStack.model_validate(given)


@pytest.mark.parametrize("efficiency", [0, 1.01, -0.5])
def test_an_efficiency_is_a_share(efficiency: float) -> None:
    with pytest.raises(ValidationError):
        hbm(efficiency=efficiency)
