"""Energies at another node, by hand: .70 a step for logic, .9 for SRAM, 1.0 for wires, none for a memory's process."""

from math import log
from typing import Any

import pytest

from archsim.components.hbm_stack import HbmStack
from archsim.components.link import Link
from archsim.components.sram import Sram
from archsim.components.tile import Tile
from archsim.model.component import Component
from archsim.model.machine import assemble
from archsim.model.price import Price
from archsim.model.pricing import at_node, price_list
from archsim.model.process import nanometres
from archsim.model.scaling import LADDER, PER_STEP, Scaling, rescaled, scaled, scaling, steps

RANGE = {"value": "10 pJ/B", "low": "8 pJ/B", "high": "12 pJ/B", "grade": "published", "source": "a paper"}


def built(**fields: Any) -> dict[str, Component]:
    """A small machine, `fields` laid over each of its components."""
    tile = {
        "kind": "tile",
        "macs": {"bf16": "1 TMAC/s"},
        "vector": "50 Gop/s",
        "window": "64 KiB",
        "grain": "1 KiB",
        "static": {"value": "2 W", "low": "1 W", "high": "3 W"},
        "energy": {"mac": {"bf16": "1 pJ/MAC"}, "vector": "5 pJ/op"},
    }
    sram = {"kind": "sram", "capacity": "1 MiB", "bandwidth": "1 TB/s", "static": "1 W"}
    hbm = {"kind": "hbm_stack", "capacity": "1 GiB", "bandwidth": "1 TB/s", "static": "1 W"}
    energy = {"energy": {"read": RANGE, "write": RANGE}}
    return {
        "sm": Tile.model_validate(tile | fields),
        "l2": Sram.model_validate(sram | energy | fields),
        "hbm": HbmStack.model_validate(hbm | energy | fields),
        "bus": Link.model_validate({"between": ["l2", "sm"], "bandwidth": "1 TB/s", "energy": RANGE} | fields),
    }


@pytest.mark.parametrize(
    ("node", "length"),
    [
        ("7 nm", 7),
        ("TSMC N7", 7),
        ("TSMC N5", 5),
        ("TSMC 4N", 5),
        ("TSMC N6", 7),
        ("3nm", 3),
        ("12 nm", 12),
        ("fast", None),
    ],
)
def test_a_node_is_a_length_by_whatever_name(node: str, length: float | None) -> None:
    assert nanometres(node) == length


@pytest.mark.parametrize(("node", "taken"), list(zip(LADDER, (-2, -1, 0, 1, 2, 3), strict=True)))
def test_steps_are_counted_from_seven_nanometres(node: float, taken: int) -> None:
    assert steps(node) == pytest.approx(taken)


def test_between_nodes_of_the_ladder_steps_go_by_the_logarithm() -> None:
    assert steps(12) == pytest.approx(-2 + log(16 / 12) / log(16 / 10))
    assert steps(4) == pytest.approx(1 + log(5 / 4) / log(5 / 3))


@pytest.mark.parametrize(
    ("name", "unit", "factor", "low", "high"),
    [
        ("sm", "MAC", 0.7, 0.66, 0.85),
        ("sm", "op", 0.7, 0.66, 0.85),
        ("l2", "B", 0.9, 0.8, 1.0),
        ("bus", "B", 1.0, 0.77, 1.0),
        ("sm", "ps", 1.0, 0.66, 1.0),
        ("l2", "ps", 1.0, 0.8, 1.0),
    ],
)
def test_a_step_from_the_anchor(name: str, unit: str, factor: float, low: float, high: float) -> None:
    found = scaling(built(node="7 nm", scale_to="5 nm")[name], unit)
    assert found is not None
    assert (found.factor, found.low, found.high) == pytest.approx((factor, low, high))
    assert not found.far


def test_two_steps_are_the_square_and_far() -> None:
    found = scaling(built(node="7 nm", scale_to="3 nm")["sm"], "MAC")
    assert found is not None
    assert (found.factor, found.low, found.high) == pytest.approx((0.49, 0.66**2, 0.85**2))
    assert found.far


def test_there_and_back_is_nothing_gained() -> None:
    there = scaling(built(node="7 nm", scale_to="5 nm")["sm"], "MAC")
    back = scaling(built(node="5 nm", scale_to="7 nm")["sm"], "MAC")
    assert there is not None
    assert back is not None
    assert there.factor * back.factor == pytest.approx(1)
    assert back.low <= back.factor <= back.high


@pytest.mark.parametrize(
    ("name", "fields"),
    [
        ("hbm", {"node": "7 nm", "scale_to": "5 nm"}),  # a process of its own
        ("sm", {"scale_to": "5 nm"}),  # no node
        ("sm", {"node": "45 nm", "scale_to": "5 nm"}),  # never chained from 45 nm
        ("sm", {"node": "7 nm"}),
        ("sm", {"node": "TSMC N7", "scale_to": "7 nm"}),
    ],
)
def test_what_is_not_scaled(name: str, fields: dict[str, str]) -> None:
    assert scaling(built(**fields)[name], "MAC") is None


def test_a_scaled_price_is_wider_and_of_no_better_grade() -> None:
    price = Price(value=10, low=8, high=12, grade="published", source="a paper")
    found = scaled(price, Scaling("logic", 7, 5, 0.7, 0.66, 0.85, far=False))
    assert (found.value, found.low, found.high) == pytest.approx((7, 8 * 0.66, 12 * 0.85))
    assert found.high / found.low > price.high / price.low
    assert found.grade == "derived"
    assert found.source == "a paper; 7 to 5 nm: logic x 0.7 (0.66 to 0.85)"
    assert scaled(price, Scaling("logic", 7, 3, 0.49, 0.44, 0.72, far=True)).grade == "assumed"
    assert scaled(price, None) == price


def test_the_prices_of_a_machine_are_scaled_and_its_rates_are_not() -> None:
    at = {node: assemble("small", "chip", 1, built(node="7 nm", scale_to=node)) for node in ("7 nm", "5 nm")}
    prices = {node: at_node(price_list(machine, "a test", {}), machine) for node, machine in at.items()}
    ratio = {key: price.value / prices["7 nm"][key].value for key, price in prices["5 nm"].items() if price.value}
    assert ratio == pytest.approx(
        {
            ("sm", "mac_bf16"): 0.7,
            ("sm", "vector"): 0.7,
            ("sm", "static"): 1,
            ("l2", "read"): 0.9,
            ("l2", "write"): 0.9,
            ("l2", "static"): 1,
            ("hbm", "read"): 1,
            ("hbm", "write"): 1,
            ("hbm", "static"): 1,
            ("bus", "move"): 1,
        }
    )
    rates = [{key: item.rate for key, item in machine.actions["sm"].items()} for machine in at.values()]
    assert rates[0] == rates[1]


def test_every_factor_per_step_is_a_sound_figure_with_a_source() -> None:
    for figure in PER_STEP.values():
        assert type(figure).model_validate(figure.model_dump()) == figure
        assert figure.source


def test_what_was_scaled_is_listed_and_what_was_not_says_why() -> None:
    machine = assemble("small", "chip", 1, built(node="7 nm", scale_to="5 nm"))
    listed = list(rescaled(machine.components, machine.actions))
    assert "sm mac bf16, vector, 7 to 5 nm: logic x 0.7 (0.66 to 0.85)" in listed
    assert "sm static power, 7 to 5 nm: static x 1 (0.66 to 1)" in listed
    assert "l2 read, write, 7 to 5 nm: sram x 0.9 (0.8 to 1)" in listed
    assert "hbm stays as it is: a memory has a process of its own" in listed
