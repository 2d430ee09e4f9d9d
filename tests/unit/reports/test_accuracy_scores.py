"""Scores of a suite answer closed forms."""

from dataclasses import replace
from typing import Any

import pytest

from archsim.reports.accuracy.charts import charts
from archsim.reports.accuracy.scores import Case, Errors, Suite, Tolerance, Unseen, Validation, quantile, spearman
from archsim.reports.accuracy.verdict import verdict
from archsim.reports.accuracy.words import cross_validated, suite_line

EITHER_WAY = Tolerance(0.8, 1.2)


def case(measured: float, predicted: float | None, **more: Any) -> Case:
    return Case("a case", (), "us", measured, predicted, EITHER_WAY, **more)


def suite(*cases: Case, bound: float = 0.1) -> Suite:
    return Suite("a", "A", "kernels", "", "", "", "", "", "", "time", Errors(bound), None, "", "exact", "", cases)


def test_errors_are_relative_to_the_measurement() -> None:
    assert case(10, 8).error == pytest.approx(0.2)
    assert case(8, 10).error == pytest.approx(0.25)


def test_median_and_tail_are_of_the_sorted_errors() -> None:
    scored = suite(*(case(100, 100 + error) for error in (0, 40, 10, 20, 30)))
    assert scored.median_error == pytest.approx(0.2)
    assert scored.p90_error == pytest.approx(0.36)
    assert scored.worst_error == pytest.approx(0.4)


def test_bias_keeps_its_sign() -> None:
    assert suite(case(10, 9), case(10, 8), case(10, 12)).bias == pytest.approx(-0.1)


@pytest.mark.parametrize(("share", "value"), [(0, 1.0), (0.5, 2.5), (1, 4.0), (0.9, 3.7)])
def test_a_quantile_lies_between_its_neighbours(share: float, value: float) -> None:
    assert quantile((1.0, 2.0, 3.0, 4.0), share) == pytest.approx(value)


def test_rank_correlation_is_one_in_order_and_minus_one_in_reverse() -> None:
    assert spearman([1, 5, 9], [10, 11, 30]) == pytest.approx(1)
    assert spearman([1, 5, 9], [30, 11, 10]) == pytest.approx(-1)


def test_rank_correlation_shares_the_ranks_of_ties() -> None:
    # ranks 0, 1.5, 1.5, 3 against 0, 1, 2, 3: 4.5 / sqrt(4.5 x 5)
    assert spearman([1, 2, 2, 3], [1, 2, 3, 4]) == pytest.approx(4.5 / (4.5 * 5) ** 0.5)


def test_there_is_no_order_in_equal_values() -> None:
    assert spearman([1, 1, 1], [1, 2, 3]) is None


def test_an_anchor_is_shown_and_not_scored() -> None:
    anchored = suite(case(10, 10), case(10, 30, anchor=True))
    assert (len(anchored.cases), len(anchored.scored), anchored.worst_error) == (2, 1, 0)


def test_a_plot_tells_the_errors_of_what_it_shows() -> None:
    """Times 10 % off, joules 30 %, and a joule that is not scored."""
    times = [case(value, 1.1 * value) for value in (1, 2, 3)]
    joules = [replace(case(value, 1.3 * value), unit="J") for value in (1, 2, 3)]
    anchor = replace(case(4, 12, anchor=True), unit="J")
    of_times, of_joules = (chart.text for chart in charts(suite(*times, *joules, anchor)))
    assert "3 cases from 1.00 µs to 3.30 µs; median error 10.0 %, 90th percentile 10.0 %" in of_times
    assert "4 cases from 1.00 J to 12.0 J, 1 of them not scored; median error 30.0 %" in of_joules


def test_nothing_is_held_against_what_is_not_scored() -> None:
    shown = replace(suite(case(10, 30, baseline=10)), bound=None, unscored="nobody knows the window")
    assert (shown.holds, shown.beats_baseline, shown.median_error) == (True, None, 2)
    said = verdict(Validation((shown, suite(case(10, 11)))))
    assert said[0].startswith("1 case in 1 suite")
    assert said[1] == "Shown and not scored: a."


def test_a_suite_holds_up_to_its_bound() -> None:
    assert suite(case(10, 11), bound=0.11).holds
    assert not suite(case(10, 12), bound=0.11).holds


def test_a_case_without_a_prediction_fails_its_suite() -> None:
    assert not suite(case(10, 10), case(10, None, reason="refused")).holds


def test_a_baseline_is_scored_on_the_same_cases() -> None:
    both = suite(case(10, 10.5, baseline=12), case(10, 10.5, baseline=13), case(10, 99, anchor=True, baseline=10))
    assert both.baseline_median_error == pytest.approx(0.25)
    assert both.beats_baseline


def test_a_factor_allows_as_much_below_as_above() -> None:
    within = [Case("", (), "", 10, value, Tolerance(1 / 1.5, 1.5)).within for value in (6.6, 6.7, 14.9, 15.1)]
    assert within == [False, True, True, False]


def test_cross_validation_is_told_beside_the_scores() -> None:
    unseen = Unseen(0.0384, 0.1149, 700, ("gemm.wave", "gemm.split_cost"))
    assert suite_line(suite(case(10, 9))).unseen == "–"
    assert suite_line(replace(suite(case(10, 9)), unseen=unseen)).unseen == "3.8 / 11.5 %"
    assert "with gemm.wave, gemm.split_cost fitted on the others; all other constants stay" in cross_validated(unseen)
