"""The scores as one page that opens offline, with its plots inside it."""

from __future__ import annotations

from typing import NamedTuple

from archsim.reports.accuracy.charts import charts
from archsim.reports.accuracy.scores import Suite, Validation
from archsim.reports.accuracy.verdict import verdict
from archsim.reports.accuracy.words import (
    CASE_HEADINGS,
    SUITE_HEADINGS,
    CaseLine,
    SuiteLine,
    case_lines,
    cross_validated,
    suite_line,
)
from archsim.reports.comparison.charts.figure import Chart
from archsim.reports.comparison.charts.page import rendered


class Part(NamedTuple):
    """A suite as the page shows it."""

    suite: Suite
    line: SuiteLine
    charts: tuple[Chart, ...]
    cases: tuple[CaseLine, ...]


def accuracy_html(validation: Validation) -> str:
    """The page; the same scores make the same bytes."""
    parts = [Part(suite, suite_line(suite), charts(suite), tuple(case_lines(suite))) for suite in validation.suites]
    shown = {
        "verdict": verdict(validation),
        "parts": parts,
        "suite_headings": SUITE_HEADINGS,
        "case_headings": CASE_HEADINGS,
        "cross_validated": cross_validated,
    }
    return rendered(__package__, "accuracy", [chart for part in parts for chart in part.charts], {}, shown)
