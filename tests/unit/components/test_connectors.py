"""Links and switches: rates, latency, prices, and what they hold."""

from typing import Any

import pytest
from pydantic import ValidationError

from archsim.components.link import Link
from archsim.components.switch import Switch


def link(**fields: Any) -> Link:
    return Link.model_validate({"between": ["a", "b"], "bandwidth": "46 GB/s", "energy": "37.6 pJ/B"} | fields)


def switch(**fields: Any) -> Switch:
    given = {"kind": "switch", "bandwidth": "3.2 TB/s", "static": "10 W", "energy": "11 pJ/B", "latency": "300 ns"}
    return Switch.model_validate(given | fields)


def test_a_link_moves_bytes_at_its_rate_after_its_latency() -> None:
    move = link(latency="100 ns").actions()["move"]
    assert (move.rate, move.latency, move.unit, move.price.value) == (46_000_000_000, 100_000, "B", 37.6)


def test_a_link_may_be_unlimited() -> None:
    assert link(bandwidth="unlimited").actions()["move"].rate is None


def test_a_link_has_no_static_power_unless_it_says_so() -> None:
    assert link().static.high == 0
    assert link(static={"value": "1 W", "high": "2 W"}).static.high == 2.0


@pytest.mark.parametrize("field", ["energy", "bandwidth"])
def test_a_link_that_costs_nothing_must_say_so(field: str) -> None:
    given = {"between": ["a", "b"], "bandwidth": "1 GB/s", "energy": "0 pJ/B"}
    assert link(**given).energy.value == 0
    del given[field]
    with pytest.raises(ValidationError, match=field):
        Link.model_validate(given)


def test_all_traffic_of_a_switch_shares_one_port() -> None:
    [(name, move)] = switch().actions().items()
    assert (name, move.port, move.rate, move.latency) == ("move", "through", 3_200_000_000_000, 300_000)


def test_neither_stores_anything() -> None:
    assert (link().capacity_bytes, switch().capacity_bytes) == (0, 0)


def test_an_unknown_topology_is_refused() -> None:
    with pytest.raises(ValidationError, match="topology"):
        link(topology="hypercube")
