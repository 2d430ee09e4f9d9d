"""Scored cases and suites: errors are |predicted / measured - 1|, always against the measurement."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from math import floor, sqrt
from statistics import fmean, median
from typing import Any


@dataclass(frozen=True, slots=True)
class Errors:
    """Median and 90th percentile of relative errors."""

    median: float
    p90: float | None = None


@dataclass(frozen=True, slots=True)
class Unseen:
    """Errors over `rows` of a table, each fifth of them predicted with constants (`free`) fitted on the others."""

    median: float
    p90: float
    rows: int
    free: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Tolerance:
    """How far the ratio of prediction and measurement may be from one."""

    low: float
    high: float

    @property
    def error(self) -> float:
        """The largest error that it allows."""
        return self.high - 1


@dataclass(frozen=True, slots=True)
class Case:
    """One measurement with its prediction; `reason` says why there is none.

    An `anchor` is a case from which a constant was derived: it is shown and not scored, as is what is put `aside` for
    another reason. `row` holds all of its columns.
    """

    name: str
    row: tuple[tuple[str, Any], ...]
    unit: str
    measured: float
    predicted: float | None
    tolerance: Tolerance
    baseline: float | None = None
    anchor: bool = False
    reason: str = ""
    aside: str = ""

    @property
    def ratio(self) -> float | None:
        """Predicted / measured."""
        return None if self.predicted is None else self.predicted / self.measured

    @property
    def error(self) -> float | None:
        """|predicted / measured - 1|."""
        return None if self.ratio is None else abs(self.ratio - 1)

    @property
    def within(self) -> bool:
        """Whether the prediction is as near as the tolerance asks."""
        return self.ratio is not None and self.tolerance.low <= self.ratio <= self.tolerance.high


@dataclass(frozen=True)
class Suite:
    """Cases of one sort, and what is known about them.

    Suites of one `group` stand side by side, each with what it is `of`. `bound` is what was recorded to be reached,
    `target` what should be, `miss` why that is more; `baseline` names the trivial law that predictions must beat,
    `unbeaten` why they don't. A suite that says in `unscored` why is told, and nothing is held against it.
    `unseen` is what cross-validation on the whole table gave.
    """

    name: str
    title: str
    part: str
    group: str
    of: str
    about: str
    source: str
    independence: str
    sampling: str
    quantity: str
    bound: Errors | None
    target: Errors | None
    miss: str
    zero: str
    baseline: str
    cases: tuple[Case, ...]
    unbeaten: str = ""
    unscored: str = ""
    unseen: Unseen | None = None

    @cached_property
    def scored(self) -> tuple[Case, ...]:
        """Cases that count: with a prediction, no anchors, and none put aside."""
        return tuple(case for case in self.cases if case.predicted is not None and not (case.anchor or case.aside))

    @cached_property
    def failed(self) -> tuple[Case, ...]:
        """Cases without a prediction."""
        return tuple(case for case in self.cases if case.predicted is None)

    @cached_property
    def errors(self) -> tuple[float, ...]:
        """Errors of the scored cases, smallest first."""
        return tuple(sorted(case.error for case in self.scored if case.error is not None))

    @property
    def median_error(self) -> float | None:
        """The middle error; None where nothing is scored."""
        return median(self.errors) if self.errors else None

    @property
    def p90_error(self) -> float | None:
        """The error that nine of ten cases stay below."""
        return quantile(self.errors, 0.9) if self.errors else None

    @property
    def worst_error(self) -> float | None:
        """The largest error."""
        return self.errors[-1] if self.errors else None

    @property
    def bias(self) -> float | None:
        """The median of predicted / measured - 1, signed."""
        ratios = [case.ratio for case in self.scored if case.ratio is not None]
        return median(ratios) - 1 if ratios else None

    @property
    def rank_correlation(self) -> float | None:
        """Spearman's coefficient: whether the order is right; None where there is no order to get right."""
        return spearman([case.predicted or 0.0 for case in self.scored], [case.measured for case in self.scored])

    @property
    def baseline_median_error(self) -> float | None:
        """The middle error of the trivial law on the same cases; None where there is no such law."""
        found = [abs(case.baseline / case.measured - 1) for case in self.scored if case.baseline is not None]
        return median(found) if found else None

    @property
    def holds(self) -> bool:
        """Whether every case has its prediction, and the median error stays within what was recorded."""
        return not self.failed and not self.above_bound

    @property
    def above_bound(self) -> bool:
        """Whether the median error is larger than what was recorded."""
        return self.bound is not None and self.median_error is not None and self.median_error > self.bound.median

    @property
    def beats_baseline(self) -> bool | None:
        """Whether the predictions are nearer than the trivial law; None where there is none, or nothing is scored."""
        baseline, own = self.baseline_median_error, self.median_error
        return None if baseline is None or own is None or self.unscored else own < baseline


@dataclass(frozen=True, slots=True)
class Validation:
    """All suites that were asked for."""

    suites: tuple[Suite, ...]

    @property
    def holds(self) -> bool:
        """Whether every suite does."""
        return all(suite.holds for suite in self.suites)


def quantile(ordered: Sequence[float], share: float) -> float:
    """The value below which a share of the ordered values lies, between neighbours in proportion."""
    at = share * (len(ordered) - 1)
    below = floor(at)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (at - below) * (ordered[above] - ordered[below])


def spearman(first: Sequence[float], second: Sequence[float]) -> float | None:
    """The correlation of ranks, ties sharing theirs; None below three values or where all are equal."""
    if len(first) < 3 or min(len(set(first)), len(set(second))) == 1:  # noqa: PLR2004 - two are always in order
        return None
    x, y = _ranks(first), _ranks(second)
    mean = fmean(x)
    products = sum((a - mean) * (b - mean) for a, b in zip(x, y, strict=True))
    return products / sqrt(sum((a - mean) ** 2 for a in x) * sum((b - mean) ** 2 for b in y))


def _ranks(values: Sequence[float]) -> list[float]:
    order = sorted(range(len(values)), key=values.__getitem__)
    ranks = [0.0] * len(values)
    start = 0
    while start < len(order):
        end = start
        while end + 1 < len(order) and values[order[end + 1]] == values[order[start]]:
            end += 1
        for place in order[start : end + 1]:
            ranks[place] = (start + end) / 2
        start = end + 1
    return ranks
