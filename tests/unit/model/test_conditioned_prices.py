"""What the data and the software of a run make of stated prices."""

from collections.abc import Callable
from typing import Any

import pytest

from archsim.model.ledger import Row
from archsim.model.machine import Machine
from archsim.model.price import Price
from archsim.model.pricing import PriceList, conditioned, price_list, priced
from archsim.model.stack import Mix, Stack

Build = Callable[..., Machine]


def stated(machine: Build, **fields: Any) -> PriceList:
    return price_list(machine(**fields), "a test", {})


def mix(**fields: Any) -> Mix:
    return Mix.model_validate(fields)


@pytest.mark.parametrize(("activity", "value"), [(1.0, 10.0), (0.5, 7.0), (0.0, 4.0)])
def test_only_the_share_of_data_follows_its_activity(activity: float, value: float) -> None:
    price = Price(value=10, low=5, high=20, data=0.6)
    at = price.at(activity)
    assert (at.value, at.low, at.high) == pytest.approx((value, value / 2, value * 2))


def test_a_price_without_a_share_of_data_is_the_same_for_zeros(machine: Build) -> None:
    prices = stated(machine)
    assert conditioned(prices, 0.0, "s", None) == prices


def test_a_mix_makes_macs_dearer_and_says_so(machine: Build) -> None:
    dearer = {"value": 1.5, "low": 1.2, "high": 2, "source": "steps"}
    found = conditioned(stated(machine), 1.0, "served", mix(mac=dearer))
    mac = found["sm", "mac_bf16"]
    assert (mac.value, mac.low, mac.high) == pytest.approx((1.5, 1.2, 2.0))
    assert mac.source.endswith("; x 1.5 in the mix of served: steps")
    assert found["hbm", "read"] == stated(machine)["hbm", "read"]


def test_a_mix_states_what_a_tile_at_work_takes_where_the_machine_does_not(machine: Build) -> None:
    active = mix(active={"value": "1.2 W", "low": "0.9 W", "high": "1.4 W", "source": "steps"})
    assert conditioned(stated(machine), 1.0, "s", active)["sm", "active"].value == 1.2
    own = {"mac": {"bf16": "1 pJ/MAC"}, "vector": "5 pJ/op", "active": "3 W"}
    assert conditioned(stated(machine, sm={"energy": own}), 1.0, "s", active)["sm", "active"].value == 3.0


def test_an_entry_keeps_the_price_that_a_file_states(machine: Build) -> None:
    prices = stated(machine)
    units = {"mac_bf16": "MAC", "active": "ps"}
    rows = [Row("sm", action, "mlp", "decode", "", 10, unit) for action, unit in units.items()]
    mac, active = priced(rows, prices, conditioned(prices, 1.0, "s", mix(mac=2, active="1 W")))
    assert (mac.picojoules, mac.stated) == (20.0, prices["sm", "mac_bf16"])
    assert (active.picojoules, active.stated) == (10.0, None)


def test_a_mix_without_padding_issues_what_dense_layers_ask_for() -> None:
    given = {"name": "s", "source": "t", "gemm": {"rows": 64}, "decode_attention": {"rows": 64}}
    padded, asked = (Stack.model_validate(given | {"mix": {"padding": padding}}).in_mix for padding in (True, False))
    assert (padded.gemm.rows, padded.experts.padding) == (64, True)
    assert (asked.gemm.rows, asked.experts.padding, asked.decode_attention.rows) == (1, False, 64)
