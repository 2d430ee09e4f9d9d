"""How sure the order of a comparison is: odds, what turns it, and what the machines were held against."""

import json
from dataclasses import replace

import pytest

from archsim.model.conversion import converted
from archsim.model.pricing import Priced
from archsim.model.result import Result
from archsim.reports.comparison.certainty import chance, doubts, held, orders
from archsim.reports.comparison.data import results_json
from archsim.reports.comparison.markdown import report_md
from archsim.reports.comparison.matrix import Comparison, ratios
from archsim.reports.comparison.outcome import Subject, cell
from archsim.reports.comparison.ranking import Pair, Turn, rankings
from archsim.reports.comparison.words import marks

WORKLOAD = Subject("small.yaml", "small decoder", "transformer", "small decoder")
FIRST = Subject("first.yaml", "first", "gpu", "first", "board")
SECOND = Subject("second.yaml", "second", "gpu", "second", "board")


def priced_at(result: Result, factor: float, component: str) -> Result:
    """The result with one component's prices, range and all, times a factor."""

    def changed(entry: Priced) -> Priced:
        ends = {name: getattr(entry.price, name) * factor for name in ("value", "low", "high")}
        mine = entry.row.component == component
        return replace(entry, price=entry.price.model_copy(update=ends)) if mine else entry

    return replace(result, entries=tuple(map(changed, result.entries)))


def compared(one: Result, other: Result) -> Comparison:
    return Comparison(
        (WORKLOAD,), (FIRST, SECOND), 0, ((cell(WORKLOAD, FIRST, (), one), cell(WORKLOAD, SECOND, (), other)),)
    )


def pair(comparison: Comparison) -> Pair:
    return rankings(comparison)[0].pairs[0]


def test_two_equal_machines_are_equal_in_every_draw(result: Result) -> None:
    found = compared(result, result)
    assert ratios(found, found.cells[1]).band == (1.0, 1.0)
    assert pair(found).odds == 0.0


def test_a_difference_in_an_exact_price_is_firm_however_uncertain_what_is_shared(result: Result) -> None:
    found = pair(compared(result, priced_at(result, 1.1, "sm")))
    assert (found.less.machine, found.odds, found.turns, found.firm) == (FIRST, 1.0, (), True)
    assert found.band is not None
    assert found.band.p05 > 1


def test_a_price_that_by_itself_turns_the_order_is_named_with_its_end(result: Result) -> None:
    found = pair(compared(result, priced_at(result, 1.1, "mem")))
    assert 0.5 < found.odds < 1
    assert not found.firm
    assert {(turn.machine, turn.component, turn.end) for turn in found.turns} == {
        ("first", "mem", "high"),
        ("second", "mem", "low"),
    }
    assert sorted(turn.price for turn in found.turns) == pytest.approx([6.6, 82.0])
    assert {turn.unit for turn in found.turns} == {"pJ/B"}


def test_a_machine_priced_as_told_changes_places(result: Result) -> None:
    """What the ranking says of a price holds when the ledger is priced again with it."""
    machines = {"first": result, "second": priced_at(result, 1.1, "mem")}
    found = pair(compared(*machines.values()))
    for turn in found.turns:

        def moved(entry: Priced, turn: Turn = turn) -> Priced:
            mine = (entry.row.component, entry.row.action) == (turn.component, turn.action)
            return replace(entry, price=entry.price.model_copy(update={"value": turn.price})) if mine else entry

        asked = machines[turn.machine]
        changed = machines | {turn.machine: replace(asked, entries=tuple(map(moved, asked.entries)))}
        assert changed["first"].energy.value > changed["second"].energy.value


def test_the_order_is_told_with_its_odds_and_what_turns_it(result: Result) -> None:
    (order,) = orders(compared(priced_at(result, 1.1, "mem"), result))
    first, last = order.places
    assert (first.place, first.machine, last.machine, last.odds) == ("1", "second", "first", "–")
    assert "second: mem move at 82.0 pJ/B" in first.turned_by
    assert "first: mem move at 6.60 pJ/B" in first.turned_by


@pytest.mark.parametrize(("share", "text"), [(1.0, ">99 %"), (0.995, ">99 %"), (0.72, "72 %"), (0.0, "0 %")])
def test_no_share_of_draws_reads_as_certainty(share: float, text: str) -> None:
    assert chance(share) == text


def test_every_pair_of_machines_is_in_the_data(result: Result) -> None:
    found = json.loads(results_json(compared(result, priced_at(result, 1.1, "mem"))))
    (ranking,) = found["rankings"]
    assert (ranking["workload"], ranking["order"]) == ("small decoder", ["first", "second"])
    (only,) = ranking["pairs"]
    assert only["ratio_p05"] < only["ratio"] < only["ratio_p95"]
    assert {turn["end"] for turn in only["turned_by"]} == {"low", "high"}


def test_the_page_says_what_machines_were_held_against(result: Result) -> None:
    found = compared(result, result)
    assert [line.machine for line in held(found)] == ["first", "second"]
    page = report_md(found)
    assert "## What the machines were held against" in page
    assert "time and energy: no measurement stands behind this machine" in page


def test_the_constants_behind_a_band_are_named_with_their_sources(result: Result) -> None:
    first = doubts(compared(result, result))[0]
    assert (first.machine, first.constant) == ("first", "mem move")
    assert first.share.endswith(" %")
    assert "mem move" in report_md(compared(result, result))


def test_what_lies_around_both_machines_turns_nothing(result: Result) -> None:
    at_server = converted(result, "server")
    found = pair(compared(at_server, converted(priced_at(result, 1.1, "sm"), "server")))
    assert (found.odds, found.firm, found.turns) == (1.0, True, ())


def test_what_lies_around_one_machine_is_named_where_it_turns_the_order(result: Result) -> None:
    dearer = priced_at(result, 1.6, "mem")
    found = pair(
        compared(replace(dearer, machine=replace(dearer.machine, boundary="server")), converted(result, "server"))
    )
    turn = next(turn for turn in found.turns if turn.component == "site")
    assert (turn.action, turn.end, turn.price) == ("server", "low", 1.2)
    assert not found.firm


def test_prices_that_turn_an_order_are_told_as_their_file_has_them(result: Result) -> None:
    dearer = priced_at(result, 1.1, "mem")
    inside, outside = (
        pair(compared(*both))
        for both in ((result, dearer), tuple(converted(item, "server") for item in (result, dearer)))
    )
    told = [sorted(turn.price for turn in found.turns) for found in (inside, outside)]
    assert told[0] == pytest.approx(told[1])


def test_joules_outside_of_their_own_band_are_marked(result: Result) -> None:
    """Prices that stand at the low end of their ranges: most draws need more than is stated."""

    def luckiest(entry: Priced) -> Priced:
        return replace(entry, price=entry.price.model_copy(update={"value": entry.price.low}))

    lucky = compared(result, replace(result, entries=tuple(map(luckiest, result.entries))))
    told = "19 of 20 draws need more than stated"
    assert [any(told in mark for mark in marks(lucky, found)) for found in lucky.cells] == [False, True]
