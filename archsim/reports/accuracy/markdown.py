"""The scores as Markdown, with tables as GitHub draws them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from archsim.reports.accuracy.scores import Suite, Validation
from archsim.reports.accuracy.words import CASE_HEADINGS, SUITE_HEADINGS, case_lines, suite_line
from archsim.reports.svg import printable

_ESCAPED = str.maketrans({sign: f"\\{sign}" for sign in "\\`*[]<>|"} | {"\n": " ", "\r": " "})


def render(validation: Validation) -> str:
    """A table of the suites, then one of the cases of each."""
    parts = ["# Predictions against measurements", suites_table(validation.suites)]
    parts += [f"## {suite.name}\n\n{plain(suite.title)}\n\n{_cases_table(suite)}" for suite in validation.suites]
    return "\n\n".join(parts) + "\n"


def suites_table(suites: Iterable[Suite]) -> str:
    """A line per suite."""
    return aligned("lrrrrrrrrrl", (*SUITE_HEADINGS[:-1], "remarks"), map(suite_line, suites))


def _cases_table(suite: Suite) -> str:
    return aligned("lrrrrl", (*CASE_HEADINGS[:-1], "remarks"), case_lines(suite))


def aligned(alignment: str, headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table with `l`eft and `r`ight aligned columns."""
    lines = [f"| {' | '.join(plain(cell) for cell in row)} |" for row in (headings, *rows)]
    rule = f"|{'|'.join('---' if side == 'l' else '--:' for side in alignment)}|"
    return "\n".join((lines[0], rule, *lines[1:]))


def plain(text: str) -> str:
    """Text that Markdown leaves as it is, in one line."""
    return printable(text.translate(_ESCAPED))
