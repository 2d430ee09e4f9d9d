"""Fits of synthetic boards whose parameters are known."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import product
from random import Random

import pytest

from archsim.model.calibration import MOST_CORRELATED, Parameter, Point, RefusedError, fit, needed

PATH = Parameter("path", "pJ/B", 20.0, 10.0, 50.0)
COMPUTE = Parameter("compute", "pJ/MAC", 1.0, 0.5, 2.0)
ACTIVE = Parameter("active", "W a tile", 1.2, 0.6, 2.4)
RATES = [(bandwidth, macs) for bandwidth, macs in product((10.0, 50.0, 90.0), (0.0, 100.0, 200.0, 300.0))]
"""Watts of path and of compute at the library's prices."""


def board(path: float, compute: float, noise: float = 0.0, repeats: int = 4) -> list[Point]:
    """Points of a board whose parameters are these multiples of the library's."""
    rng = Random(7)
    return [
        Point(
            "s", row, str(row % 5), (120 + path * one + compute * other) * (1 + rng.gauss(0, noise)), 120, (one, other)
        )
        for row, (one, other) in enumerate(RATES * repeats)
    ]


@pytest.mark.parametrize(("path", "compute"), [(1.0, 1.0), (1.4, 0.8), (0.7, 1.6)])
def test_known_parameters_are_found(path: float, compute: float) -> None:
    found = fit(board(path, compute), (PATH, COMPUTE))
    assert found.values == pytest.approx((path, compute), rel=0.01)
    assert found.errors.p90 < 0.005


def test_intervals_hold_the_truth_and_narrow_with_points() -> None:
    few, many = (fit(board(1.3, 0.8, noise=0.04, repeats=repeats), (PATH, COMPUTE)) for repeats in (3, 40))
    for found in (few, many):
        for index, truth in enumerate((1.3, 0.8)):
            low, high = found.interval(index)
            assert low < truth < high
    assert many.deviations[0] < few.deviations[0] / 2


def test_a_tenth_of_wild_readings_does_not_carry_the_fit_away() -> None:
    points = board(1.3, 0.8, noise=0.02)
    wild = [replace(point, watts=point.watts / 2) if index % 10 == 0 else point for index, point in enumerate(points)]
    assert fit(wild, (PATH, COMPUTE)).values == pytest.approx((1.3, 0.8), rel=0.06)


def test_a_reading_that_sees_a_part_of_the_rise_says_the_same() -> None:
    seen = [replace(point, watts=100 + 0.6 * (point.watts - 100), seen=0.6, idle=100.0) for point in board(1.3, 0.8)]
    assert fit(seen, (PATH, COMPUTE)).values == pytest.approx((1.3, 0.8), rel=0.02)


def test_points_at_the_cap_say_nothing_but_that_they_stand_there() -> None:
    capped = [replace(point, watts=min(point.watts, 400.0), cap=400.0) for point in board(1.3, 0.8)]
    found = fit(capped, (PATH, COMPUTE))
    assert found.values == pytest.approx((1.3, 0.8), rel=0.05)
    assert max(found.predicted) <= 400.0


def test_two_that_move_together_are_refused() -> None:
    # both rise in a fixed ratio, but for a trace
    points = [Point("s", row, str(row), 100 + 1.5 * row, 100, (row, 0.5 * row + 0.01)) for row in range(1, 30)]
    with pytest.raises(RefusedError) as caught:
        fit(points, (PATH, ACTIVE))
    [reason] = caught.value.reasons
    assert reason.startswith("active and path can't be told apart: their correlation is -1.0")
    assert str(MOST_CORRELATED) in reason


def test_a_fit_that_the_librarys_range_holds_back_is_refused() -> None:
    with pytest.raises(RefusedError) as caught:
        fit(board(1.0, 4.0), (PATH, COMPUTE))
    assert any(reason.startswith("compute ends on its bound, 2 pJ/MAC") for reason in caught.value.reasons)


def test_points_are_predicted_without_their_own_group() -> None:
    # a group that behaves unlike the others is fitted with them, and missed without itself
    odd = [replace(point, watts=point.watts * 1.3) if point.group == "4" else point for point in board(1.0, 1.0)]
    found = fit(odd, (PATH, COMPUTE))
    assert found.folds == 5
    assert found.crossed.p90 == pytest.approx(0.23, abs=0.03)


def test_one_group_leaves_nothing_to_fit_without_it() -> None:
    with pytest.raises(RefusedError, match="one group"):
        fit([replace(point, group="x") for point in board(1.0, 1.0)], (PATH, COMPUTE))


def test_each_parameter_needs_its_points() -> None:
    sizes: Sequence[int] = [needed(one) for one in ((PATH,), (PATH, COMPUTE), (PATH, COMPUTE, ACTIVE))]
    assert sizes == [8, 16, 24]
