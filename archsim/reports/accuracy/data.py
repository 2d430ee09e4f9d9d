"""The scores as data: one JSON object, and a table with a line per case."""

from __future__ import annotations

import csv
import json
from io import StringIO
from typing import Any

from archsim.reports.accuracy.scores import Case, Suite, Validation

COLUMNS = (
    "suite", "case", "predicted", "measured", "unit", "error", "tolerance", "within", "baseline", "anchor", "reason",
)  # fmt: skip


def results_json(validation: Validation) -> str:
    """`{suites: {name: scores}, cases: [...]}`; errors are |predicted / measured - 1|, null where nothing is scored."""
    content = {
        "suites": {suite.name: _scores(suite) for suite in validation.suites},
        "cases": [record(suite, case) for suite in validation.suites for case in suite.cases],
    }
    return json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def _scores(suite: Suite) -> dict[str, Any]:
    scores = {
        "n": len(suite.scored),
        "median_error": suite.median_error,
        "p90_error": suite.p90_error,
        "worst_error": suite.worst_error,
        "bias": suite.bias,
        "rank_correlation": suite.rank_correlation,
        "baseline_median_error": suite.baseline_median_error,
        "bound": suite.bound.median if suite.bound else None,
        "scored": not suite.unscored,
    }
    unseen = suite.unseen
    if unseen is None:
        return scores
    return scores | {"cross_validated": {"median_error": unseen.median, "p90_error": unseen.p90, "rows": unseen.rows}}


def record(suite: Suite, case: Case) -> dict[str, Any]:
    """One case by column."""
    return {
        "suite": suite.name,
        "case": case.name,
        "predicted": case.predicted,
        "measured": case.measured,
        "unit": case.unit,
        "error": case.error,
        "tolerance": case.tolerance.error,
        "within": case.within,
        "baseline": case.baseline,
        "anchor": case.anchor,
        "reason": case.reason,
    }


def results_csv(validation: Validation) -> str:
    """A line per case."""
    text = StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(record(suite, case) for suite in validation.suites for case in suite.cases)
    return text.getvalue()
