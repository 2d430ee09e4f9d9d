"""Trivial laws find the law that the data were made by."""

import pytest

from archsim.study.validating.baselines import baseline
from archsim.study.validating.prediction import Prediction
from archsim.study.validating.suites import BaselineSpec

SIZES = (1, 2, 5, 10, 40)


def law(name: str, **more: object) -> BaselineSpec:
    return BaselineSpec.model_validate({"law": name, "says": "a law", **more})


def work(moved: int, macs: int = 0, bound: float | None = None) -> Prediction:
    return Prediction(0.0, "us", moved, macs, bound=bound)


def test_an_affine_law_is_found() -> None:
    rows = [{"measured": 3 + 0.5 * size} for size in SIZES]
    assert baseline(law("affine"), rows, [work(size) for size in SIZES]) == pytest.approx(
        [row["measured"] for row in rows], rel=1e-6
    )


def test_one_bad_point_does_not_bend_it() -> None:
    rows = [{"measured": 3 + 0.5 * size} for size in SIZES]
    bent = [*rows[:2], {"measured": 4 * rows[2]["measured"]}, *rows[3:]]
    said = baseline(law("affine"), bent, [work(size) for size in SIZES])
    assert said[2] == pytest.approx(rows[2]["measured"], rel=1e-2)


def test_each_group_has_parameters_of_its_own() -> None:
    rows = [{"device": device, "measured": slope * size} for device, slope in (("a", 1), ("b", 7)) for size in SIZES]
    said = baseline(law("affine", per=("device",)), rows, [work(size) for size in SIZES] * 2)
    assert said == pytest.approx([row["measured"] for row in rows], rel=1e-6)


def test_a_roofline_is_found_on_both_sides_of_its_ridge() -> None:
    points = [(moved, macs) for moved in SIZES for macs in SIZES]
    rows = [{"measured": 2 + max(3 * moved, 0.5 * macs)} for moved, macs in points]
    said = baseline(law("roofline"), rows, [work(*point) for point in points])
    assert said == pytest.approx([row["measured"] for row in rows], rel=1e-3)


def test_a_constant_is_the_best_single_figure() -> None:
    rows = [{"measured": value} for value in (10.0, 10.0, 10.0, 30.0)]
    assert baseline(law("constant"), rows, [work(1)] * 4) == pytest.approx([10.0] * 4, rel=1e-2)


def test_a_column_may_hold_what_a_law_says() -> None:
    rows = [{"measured": 1.0, "message": 2.0}, {"measured": 1.0}]
    assert baseline(law("column", of="message"), rows, [work(1), None]) == (2.0, None)


def test_nothing_is_fitted_to_a_bound() -> None:
    assert baseline(law("bound"), [{"measured": 1.0}], [work(1, bound=0.7)]) == (0.7,)
