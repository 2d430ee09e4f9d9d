"""What a terminal shows of a validation: every case, then the scores of the suites."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

from archsim.reports.accuracy.scores import Suite, Validation
from archsim.reports.accuracy.words import CASE_HEADINGS, SUITE_HEADINGS, case_lines, suite_line
from archsim.reports.page import ACCENT, QUIET, Column, heading, table, written

if TYPE_CHECKING:
    from rich.console import Console

_WIDE = 144
"""Columns that the table of suites takes where nobody says how many there are."""

_SPARE = {"n": 1, "target": 2, "trivial law": 3, "cross-val.": 4, "bias": 5, "worst": 6, "rank corr.": 7}
"""Columns of suites that a narrow page leaves out, the highest first."""

_NAME = 24
"""Characters of the name of a case or suite that stay in a line."""


def render(validation: Validation, *, width: int | None = None, color: bool = False) -> str:
    """The cases by suite, then a line per suite."""
    told: list[Callable[[Console], None]] = [partial(_cases, suite) for suite in validation.suites]
    return written([*told, partial(_suites, validation)], width or _WIDE, color=color)


def _cases(suite: Suite, console: Console) -> None:
    heading(f"{suite.name}: {suite.title}", console)
    name, *figures, remark = CASE_HEADINGS
    columns = (
        Column(name, wraps=True, least=_NAME),
        *(Column(figure, right=True, spare=int(figure == "tolerance")) for figure in figures),
        Column(remark, wraps=True),
    )
    console.print(table(columns, case_lines(suite), console.width))


def _suites(validation: Validation, console: Console) -> None:
    heading("Suites", console)
    name, *figures, remark = SUITE_HEADINGS
    columns = (
        Column(name, wraps=True, least=_NAME),
        *(_score(figure) for figure in figures),
        Column(remark, wraps=True),
    )
    console.print(table(columns, map(suite_line, validation.suites), console.width))
    for suite in validation.suites:
        if suite.baseline:
            console.print(f"trivial law of {suite.name}: {suite.baseline}", style=QUIET)


def _score(figure: str) -> Column:
    return Column(figure, right=True, style=ACCENT if figure == "median" else "", spare=_SPARE.get(figure, 0))


@contextmanager
def progress(cases: int, *, shown: bool) -> Iterator[Callable[[int], None]]:
    """What to tell of the number of cases answered; a bar on stderr moves on where it is shown."""
    if not shown:
        yield lambda _: None
        return
    from rich.console import Console  # only a person who waits sees a bar
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("simulating", total=cases)
        yield lambda count: bar.update(task, advance=count)
