"""From scores to texts and files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from archsim.config.diagnostics import InputError, of_option
from archsim.config.validation import unknown_choice
from archsim.reports.accuracy import document, markdown, table
from archsim.reports.accuracy.data import results_csv, results_json
from archsim.reports.accuracy.html import accuracy_html
from archsim.reports.accuracy.picture import picture
from archsim.reports.accuracy.scores import Validation
from archsim.reports.accuracy.table import progress
from archsim.reports.accuracy.words import share
from archsim.study.validating.standing import standings, weaknesses
from archsim.study.writing import prepare, write_together

__all__ = ["chosen", "misses", "prepare", "progress", "publish", "rendered"]

_TABLE = "table"
_FORMATS: dict[str, Callable[[Validation], str]] = {
    _TABLE: table.render,
    "json": results_json,
    "csv": results_csv,
    "markdown": markdown.render,
}


def chosen(kind: str) -> str:
    """A format that there is; raise `InputError` for another."""
    if kind not in _FORMATS:
        raise InputError([unknown_choice("format", kind, _FORMATS, of_option("--format", kind))])
    return kind


def rendered(kind: str, validation: Validation, *, width: int | None = None, color: bool = False) -> str:
    """The text of a format; a table takes the width and colours of a terminal."""
    return table.render(validation, width=width, color=color) if kind == _TABLE else _FORMATS[kind](validation)


def misses(validation: Validation) -> tuple[str, ...]:
    """A line for each suite that does not hold, and for each case without a prediction."""
    lines = []
    for suite in validation.suites:
        lines += [f"no prediction: {suite.name}: {case.name}: {case.reason}" for case in suite.failed]
        if suite.bound and suite.above_bound:
            found, recorded = share(suite.median_error), share(suite.bound.median)
            lines.append(f"{suite.name}: median error {found}, recorded {recorded}")
    return tuple(lines)


def publish(validation: Validation, folder: Path) -> tuple[Path, ...]:
    """Write the reports, each whole or not at all, and name them."""
    files = {
        "accuracy.html": accuracy_html(validation),
        "accuracy.md": document.render(validation, tuple(standings()), tuple(weaknesses())),
        "accuracy.svg": picture(validation),
        "accuracy.json": results_json(validation),
        "accuracy.csv": results_csv(validation),
        "cases.md": markdown.render(validation),
    }
    whole: dict[Path, str | bytes] = {folder / name: text for name, text in files.items()}
    write_together(whole)
    return tuple(whole)
