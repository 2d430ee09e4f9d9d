"""The gate: no suite falls behind its target once reached, or behind itself; and the pages say how far."""

import re
from pathlib import Path

import pytest

from archsim.reports.accuracy.document import BEGIN, END, in_short, render
from archsim.reports.accuracy.picture import picture
from archsim.reports.accuracy.scores import Suite, Validation
from archsim.study.validating.standing import standings, weaknesses
from archsim.study.validating.suites import chosen
from archsim.study.validating.validate import validate

ROOT = Path(__file__).parents[2]
STALE = "`make accuracy` writes it anew"
NAMES = [file.name for file in chosen(())]
SCORED = [file.name for file in chosen(()) if file.spec.bound]


@pytest.fixture(scope="session")
def validation() -> Validation:
    return validate(chosen(()))


def of(validation: Validation, name: str) -> Suite:
    return next(suite for suite in validation.suites if suite.name == name)


@pytest.mark.parametrize("name", NAMES)
def test_every_case_has_its_prediction(validation: Validation, name: str) -> None:
    suite = of(validation, name)
    assert not suite.failed, suite.failed[0].reason


@pytest.mark.parametrize("name", SCORED)
def test_a_suite_stays_within_its_recorded_bound(validation: Validation, name: str) -> None:
    suite = of(validation, name)
    assert suite.median_error is not None
    assert suite.bound is not None
    assert suite.median_error <= suite.bound.median


@pytest.mark.parametrize("name", SCORED)
def test_a_suite_beats_its_trivial_law_or_says_why_not(validation: Validation, name: str) -> None:
    suite = of(validation, name)
    assert suite.beats_baseline is not False or suite.unbeaten


@pytest.mark.parametrize("name", SCORED)
def test_nine_of_ten_cases_stay_within_theirs(validation: Validation, name: str) -> None:
    suite = of(validation, name)
    assert suite.p90_error is not None
    assert suite.bound is not None
    assert suite.bound.p90 is not None
    assert suite.p90_error <= suite.bound.p90


def test_more_than_six_hundred_kernels_are_measured(validation: Validation) -> None:
    kernels = [suite for suite in validation.suites if "aiconfigurator @" in suite.source]
    assert sum(len(suite.scored) for suite in kernels) >= 600


def test_the_page_on_accuracy_is_current(validation: Validation) -> None:
    page = render(validation, tuple(standings()), tuple(weaknesses()))
    assert (ROOT / "docs" / "accuracy.md").read_text(encoding="utf-8") == page, STALE


def test_its_picture_is_current(validation: Validation) -> None:
    assert (ROOT / "docs" / "accuracy.svg").read_text(encoding="utf-8") == picture(validation), STALE


def test_the_readme_has_the_same_figures(validation: Validation) -> None:
    found = re.search(f"{BEGIN}\n\n(.*?)\n\n{END}", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    assert found is not None
    assert found[1] == in_short(validation), STALE
