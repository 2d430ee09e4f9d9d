"""From board to facility and back to what a million tokens take, by hand."""

from dataclasses import replace

import pytest

from archsim.model.conversion import ConversionError, bill, converted, step
from archsim.model.price import Boundary
from archsim.model.result import Result
from archsim.model.site import Site
from archsim.reports import markdown, table
from archsim.reports.document import document
from archsim.reports.headline import headline


@pytest.mark.parametrize(
    ("start", "end", "value", "low", "high"),
    [
        ("board", "board", 1.0, 1.0, 1.0),
        ("chip", "board", 1 / 0.9, 1 / 0.95, 1 / 0.8),
        ("board", "server", 1.35, 1.2, 1.82),
        ("server", "facility", 1.2, 1.08, 1.58),
        ("chip", "facility", 1.35 * 1.2 / 0.9, 1.2 * 1.08 / 0.95, 1.82 * 1.58 / 0.8),
    ],
)
def test_a_step_outward_is_the_product_of_what_lies_between(
    start: Boundary, end: Boundary, value: float, low: float, high: float
) -> None:
    found = step(Site(), start, end)
    assert (found.value, found.low, found.high) == pytest.approx((value, low, high))


def test_every_default_of_a_site_is_a_sound_figure_with_a_source() -> None:
    for name, figure in Site():
        if figure is not None:
            assert type(figure).model_validate(figure.model_dump()) == figure, name
            assert figure.source, name
            assert figure.low < figure.value < figure.high, name


def test_a_machine_says_what_stands_around_it() -> None:
    site = Site.model_validate({"server": 2.5, "pue": {"value": 1.1, "low": 1.05, "high": 1.2}})
    assert step(site, "board", "facility").value == pytest.approx(2.75)


def test_parts_alone_have_no_way_outward() -> None:
    with pytest.raises(ConversionError, match="parts alone are priced"):
        step(Site(), "device", "chip")


def test_joules_of_a_result_are_multiplied_and_its_time_is_not(result: Result) -> None:
    wide = converted(result, "facility")
    assert wide.energy.value == pytest.approx(result.energy.value * 1.62)
    assert wide.energy.low == pytest.approx(result.energy.low * 1.2 * 1.08)
    assert wide.energy.high == pytest.approx(result.energy.high * 1.82 * 1.58)
    assert wide.latency == result.latency
    assert sum(wide.by("component").values()) == pytest.approx(wide.energy.value / wide.tokens, rel=1e-12)
    assert document(wide)["hardware"]["boundary"] == "facility"
    assert {price["boundary"] for price in document(wide)["provenance"]["prices"]} == {"facility"}
    assert wide.warnings[-1] == "joules converted from board to facility: x 1.35 (server) x 1.2 (PUE)"


def test_the_share_of_the_tdp_stays_that_of_the_board(result: Result) -> None:
    assert headline(converted(result, "facility")).tdp_share == pytest.approx(headline(result).tdp_share)
    watts = [headline(each).device_w or 0.0 for each in (converted(result, "facility"), result)]
    assert watts[0] == pytest.approx(1.62 * watts[1])


def test_a_result_narrows_only_where_no_price_is_wider(result: Result) -> None:
    with pytest.raises(ConversionError, match="hbm read"):
        converted(result, "chip")
    priced = [replace(entry, price=entry.price.model_copy(update={"boundary": "chip"})) for entry in result.entries]
    narrow = converted(replace(result, entries=tuple(priced)), "chip")
    assert narrow.energy == result.energy
    assert narrow.machine.boundary == "chip"


def test_a_million_tokens_by_hand(result: Result) -> None:
    found, per_token = bill(result), result.energy.value / result.tokens
    board, server, facility = (found.kwh[name] for name in ("board", "server", "facility"))
    assert board is not None and server is not None and facility is not None  # noqa: PT018 - for the type checker
    assert board.value == pytest.approx(per_token * 1e6 / 3.6e6)
    assert (server.value, facility.value) == pytest.approx((1.35 * board.value, 1.62 * board.value))
    assert found.water_l is not None and found.carbon_kg is not None and found.total_usd is not None  # noqa: PT018 - as above
    assert found.water_l.value == pytest.approx(0.51 * server.value)  # by the servers' energy, as WUE is defined
    assert found.carbon_kg.value == pytest.approx(0.436 * facility.value)
    assert found.total_usd.value == pytest.approx(0.08 * facility.value)
    assert (found.kwh["device"], found.kwh["chip"], found.hire_usd) == (None, None, None)


def test_a_million_tokens_take_the_same_at_whatever_boundary_they_are_told(result: Result) -> None:
    own, wide = bill(result), bill(converted(result, "facility"))
    for name, span in own.kwh.items():
        other = wide.kwh[name]
        assert (span is None) == (other is None)
        if span is not None and other is not None:
            assert tuple(other) == pytest.approx(tuple(span))


def test_hire_is_by_the_hours_of_all_devices(result: Result) -> None:
    site = Site.model_validate({"hire": "2.5 USD/h"})
    found = bill(replace(result, hardware=result.hardware.model_copy(update={"site": site})))
    hours = result.latency.total_s / 3600 * 1e6 / result.tokens
    assert found.hire_usd is not None and found.total_usd is not None and found.electricity_usd is not None  # noqa: PT018 - as above
    assert found.hire_usd.value == pytest.approx(2.5 * hours)
    assert found.total_usd.value == pytest.approx(found.hire_usd.value + found.electricity_usd.value)


@pytest.mark.parametrize("page", ["table", "markdown"])
def test_pages_of_a_facility_tell_what_a_million_tokens_take(page: str, result: Result) -> None:
    render = {"table": table.render, "markdown": markdown.render}[page]
    wide = render(converted(result, "facility"))
    assert "Per million output tokens" in wide
    assert all(text in wide for text in ("kWh", "CO2e", "electricity", "PUE 1.2"))
    assert "Per million" not in render(result)
