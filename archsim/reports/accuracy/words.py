"""Scores as texts, the same in every format."""

from __future__ import annotations

from collections.abc import Iterable
from math import isclose
from typing import NamedTuple

from archsim.reports.accuracy.scores import Case, Suite, Tolerance, Unseen
from archsim.reports.quantities import NOTHING, number

_EXACT = 1e-7
"""Errors below it are those of the other tool's own rounding."""

_SMALL = 1e-4
"""A tolerance below it is not told in percent."""


class SuiteLine(NamedTuple):
    """A suite in a table of suites."""

    name: str
    cases: str
    median: str
    p90: str
    unseen: str
    worst: str
    bias: str
    rank: str
    baseline: str
    target: str
    bound: str
    verdict: str


class CaseLine(NamedTuple):
    """A case in the table of its suite."""

    name: str
    predicted: str
    measured: str
    error: str
    tolerance: str
    remark: str


SUITE_HEADINGS = SuiteLine(
    "suite",
    "n",
    "median",
    "90th pct",
    "cross-val.",
    "worst",
    "bias",
    "rank corr.",
    "trivial law",
    "target",
    "bound",
    "",
)
CASE_HEADINGS = CaseLine("case", "predicted", "measured", "error", "tolerance", "")


def suite_line(suite: Suite) -> SuiteLine:
    """The scores of a suite."""
    rank, zero = suite.rank_correlation, suite.zero
    return SuiteLine(
        suite.name,
        str(len(suite.scored)),
        share(suite.median_error, zero),
        share(suite.p90_error, zero),
        f"{100 * suite.unseen.median:.1f} / {share(suite.unseen.p90)}" if suite.unseen else NOTHING,
        share(suite.worst_error, zero),
        signed(suite.bias, zero),
        NOTHING if rank is None else f"{rank:.3f}",
        share(suite.baseline_median_error),
        share(suite.target.median if suite.target else None),
        share(suite.bound.median if suite.bound else None),
        verdict(suite),
    )


def cross_validated(unseen: Unseen) -> str:
    """What cross-validation gave, as a sentence without its end."""
    return (
        f"{share(unseen.median)}, 90th percentile {share(unseen.p90)}, over all {unseen.rows} rows that pass the "
        f"filter, each fifth of them predicted with {', '.join(unseen.free)} fitted on the others; all other "
        "constants stay, and were chosen with every row known"
    )


def verdict(suite: Suite) -> str:
    """What a reader has to know about the scores, in a few words."""
    words = []
    if suite.failed:
        words.append(f"{len(suite.failed)} without a prediction")
    if suite.unscored:
        words.append("shown, not scored")
    if suite.above_bound:
        words.append("above its bound")
    if suite.target and suite.bound and suite.bound.median > suite.target.median:
        words.append("above its target")
    if suite.beats_baseline is False:
        words.append("trivial law not beaten")
    anchors = sum(case.anchor for case in suite.cases)
    if anchors:
        words.append(f"{anchors} anchor{'s' if anchors > 1 else ''} not scored")
    aside = sum(bool(case.aside) for case in suite.cases)
    if aside:
        words.append(f"{aside} put aside")
    return ", ".join(words)


def case_lines(suite: Suite) -> Iterable[CaseLine]:
    """The cases of a suite in the order of the file."""
    return (_case_line(case, suite) for case in suite.cases)


def _case_line(case: Case, suite: Suite) -> CaseLine:
    unit = f" {case.unit}" if case.unit else ""
    remark = "anchor" if case.anchor else case.aside or ("" if case.within else case.reason or "outside")
    return CaseLine(
        case.name,
        NOTHING if case.predicted is None else f"{number(case.predicted)}{unit}",
        f"{number(case.measured)}{unit}",
        share(case.error) if case.ratio is None else signed(case.ratio - 1, suite.zero),
        NOTHING if suite.unscored else _allowed(case.tolerance),
        remark,
    )


def _allowed(tolerance: Tolerance) -> str:
    """A tolerance: `±4.3 %`, or a factor."""
    if not isclose(1 - tolerance.low, tolerance.high - 1):
        return f"×{number(tolerance.high)}"
    return f"±{share(tolerance.error)}" if tolerance.error >= _SMALL else f"±{tolerance.error:.0e}"


def share(value: float | None, zero: str = "exact") -> str:
    """A relative error in percent: `4.3 %`; a word where it is rounding alone."""
    if value is None:
        return NOTHING
    return zero if value < _EXACT else f"{100 * value:.1f} %"


def signed(value: float | None, zero: str = "exact") -> str:
    """A relative deviation with its sign."""
    if value is None:
        return NOTHING
    return zero if abs(value) < _EXACT else f"{100 * value:+.1f} %".replace("-", "−")
