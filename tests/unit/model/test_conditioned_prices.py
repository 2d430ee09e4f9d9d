"""What the data and the software of a run make of stated prices."""

from collections.abc import Callable
from typing import Any

import pytest

from archsim.model.ledger import Row
from archsim.model.machine import Machine
from archsim.model.price import Price
from archsim.model.pricing import PriceList, price_list
from archsim.model.stack import Stack
from archsim.model.tariff import Place, Tariff, tariff
from archsim.model.trace import Attention, Block, Gemm, Operator, Sampling, Shape, Trace

Build = Callable[..., Machine]


def stated(machine: Build, **fields: Any) -> PriceList:
    return price_list(machine(**fields), "a test", {})


def billed(prices: PriceList, activity: float = 1.0, **mix: Any) -> Tariff:
    stack = Stack.model_validate({"name": "served", "source": "t", "mix": mix or None})
    return tariff(prices, activity, stack, mixed=True)


@pytest.mark.parametrize(("activity", "value"), [(1.0, 10.0), (0.5, 7.0), (0.0, 4.0)])
def test_only_the_share_of_data_follows_its_activity(activity: float, value: float) -> None:
    price = Price(value=10, low=5, high=20, data=0.6)
    at = price.at(activity)
    assert (at.value, at.low, at.high) == pytest.approx((value, value / 2, value * 2))


def test_a_price_without_a_share_of_data_is_the_same_for_zeros(machine: Build) -> None:
    prices = stated(machine)
    assert billed(prices, activity=0.0).of("decode") == prices


def step(**shapes: Shape) -> Trace:
    """A decode step of such operators."""
    return Trace(
        (Block(tuple(Operator(name, (), (), shape=shape) for name, shape in shapes.items()), "decode"),),
        (),
        parameters=1,
    )


def attention(queries: int) -> Attention:
    return Attention(1, queries, 64, 4, 4, 128, causal=True)


def test_a_mix_makes_macs_of_attention_in_decode_dearer_and_says_so(machine: Build) -> None:
    prices = stated(machine)
    found = billed(prices, attention={"value": 1.5, "low": 1.2, "high": 2, "source": "steps"})
    found = found.joined(step(attention=attention(1)))
    mac = found.of("decode", "attention")["sm", "mac_bf16"]
    assert (mac.value, mac.low, mac.high) == pytest.approx((1.5, 1.2, 2.0))
    assert mac.source.endswith("; x 1.5 in the mix of served: steps")
    assert found.of("decode", "attention")["hbm", "read"] == prices["hbm", "read"]
    assert found.of("prefill", "attention") == prices


def test_matrix_products_of_steps_cost_what_they_cost_alone(machine: Build) -> None:
    """So long products of many rows draw no more than a board can."""
    prices = stated(machine)
    found = billed(prices, attention=2).joined(step(attention=attention(1), qkv=Gemm(8, 64, 64)))
    assert found.of("decode", "qkv")["sm", "mac_bf16"] == prices["sm", "mac_bf16"]


def test_tokens_are_drawn_at_a_power_of_their_own(machine: Build) -> None:
    found = billed(stated(machine), active="1 W", sampling="2 W").joined(
        step(sampling=Sampling(8, 64), head=Gemm(8, 64, 64))
    )
    assert {name: found.of("decode", name)["sm", "active"].value for name in ("sampling", "head")} == {
        "sampling": 2.0,
        "head": 1.0,
    }


def test_attention_of_prompts_that_join_steps_costs_what_it_costs_alone(machine: Build) -> None:
    prices = stated(machine)
    found = billed(prices, attention=2).joined(step(attention=attention(1), prompt_attention=attention(64)))
    costs = {name: found.of("decode", name)["sm", "mac_bf16"].value for name in ("attention", "prompt_attention")}
    assert costs == {"attention": 2.0, "prompt_attention": 1.0}


def test_a_mix_is_for_steps_of_whole_models_alone(machine: Build) -> None:
    stack = Stack.model_validate({"name": "s", "source": "t", "mix": {"attention": 2}})
    assert tariff(stated(machine), 1.0, stack, mixed=False).of("decode") == stated(machine)


def test_a_mix_states_what_a_tile_at_work_takes_where_the_machine_does_not(machine: Build) -> None:
    active = {"value": "1.2 W", "low": "0.9 W", "high": "1.4 W", "source": "steps"}
    assert billed(stated(machine), active=active).of("decode")["sm", "active"].value == 1.2
    own = {"mac": {"bf16": "1 pJ/MAC"}, "vector": "5 pJ/op", "active": "3 W"}
    assert billed(stated(machine, sm={"energy": own}), active=active).of("decode")["sm", "active"].value == 3.0


def test_an_entry_keeps_the_price_that_a_file_states(machine: Build) -> None:
    prices = stated(machine)
    units = {"mac_bf16": "MAC", "active": "ps"}
    rows = [Row("sm", action, "mlp", "decode", "", 10, unit) for action, unit in units.items()]
    found = billed(prices, attention=2, active="1 W").joined(step(mlp=attention(1)))
    mac, active = found.bill(rows, {})
    assert (mac.picojoules, mac.stated) == (20.0, prices["sm", "mac_bf16"])
    assert (active.picojoules, active.stated) == (10.0, None)


def test_a_slower_clock_makes_the_rows_that_it_ran_for_cheaper(machine: Build) -> None:
    rows = [Row("sm", "mac_bf16", operator, "decode", "", 10, "MAC") for operator in ("mlp", "qkv")]
    slow, other = billed(stated(machine)).bill(rows, {Place("mlp", "decode", "sm", "mac_bf16"): 0.8})
    assert (slow.picojoules, other.picojoules) == (8.0, 10.0)


def test_a_mix_without_padding_issues_what_dense_layers_ask_for() -> None:
    given = {"name": "s", "source": "t", "gemm": {"rows": 64}, "decode_attention": {"rows": 64}}
    padded, asked = (Stack.model_validate(given | {"mix": {"padding": padding}}).in_mix for padding in (True, False))
    assert (padded.gemm.rows, padded.experts.padding) == (64, True)
    assert (asked.gemm.rows, asked.experts.padding, asked.decode_attention.rows) == (1, False, 64)
