"""The gate: no suite of shipped measurements is further off than it was recorded to be."""

import pytest

from archsim.reports.accuracy.scores import Suite, Validation
from archsim.study.validating.suites import chosen
from archsim.study.validating.validate import validate

NAMES = [file.name for file in chosen(())]


@pytest.fixture(scope="session")
def validation() -> Validation:
    return validate(chosen(()))


def of(validation: Validation, name: str) -> Suite:
    return next(suite for suite in validation.suites if suite.name == name)


@pytest.mark.parametrize("name", NAMES)
def test_a_suite_stays_within_its_recorded_bound(validation: Validation, name: str) -> None:
    suite = of(validation, name)
    assert not suite.failed, suite.failed[0].reason
    assert suite.median_error is not None
    assert suite.median_error <= suite.bound.median


@pytest.mark.parametrize("name", NAMES)
def test_nine_of_ten_cases_stay_within_theirs(validation: Validation, name: str) -> None:
    suite = of(validation, name)
    assert suite.p90_error is not None
    assert suite.bound.p90 is not None
    assert suite.p90_error <= suite.bound.p90
