"""The scores as Markdown, with tables as GitHub draws them."""

from __future__ import annotations

from collections.abc import Iterable

from archsim.reports.accuracy.scores import Suite, Validation
from archsim.reports.accuracy.words import CASE_HEADINGS, SUITE_HEADINGS, case_lines, suite_line
from archsim.reports.gfm import plain, table


def render(validation: Validation) -> str:
    """A table of the suites, then one of the cases of each."""
    parts = ["# Predictions against measurements", suites_table(validation.suites)]
    parts += [f"## {suite.name}\n\n{plain(suite.title)}\n\n{_cases_table(suite)}" for suite in validation.suites]
    return "\n\n".join(parts) + "\n"


def suites_table(suites: Iterable[Suite]) -> str:
    """A line per suite."""
    return table("lrrrrrrrrrrl", (*SUITE_HEADINGS[:-1], "remarks"), map(suite_line, suites))


def _cases_table(suite: Suite) -> str:
    return table("lrrrrl", (*CASE_HEADINGS[:-1], "remarks"), case_lines(suite))
