"""The result as a page for the terminal: headline, joules, time, machine, and what the figures rest on."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from archsim.model.result import Result
from archsim.reports.footprint import TITLE, footprint
from archsim.reports.operators import operator_lines, time_heading
from archsim.reports.page import ACCENT, QUIET, Column, heading, table, written
from archsim.reports.quantities import si
from archsim.reports.summary import Share, asked, breakdowns, built, figures, notes, parts

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

KIND = "table"
FILENAME = "result.txt"

_NARROW, _WIDE = 96, 120
_SHARES, _OPERATORS = 8, 12
_BAR, _SHORTEST_BAR, _NAME, _APART = 10, 3, 16, 2
_EIGHTHS = " ▏▎▍▌▋▊▉"
_ALERT = "yellow"


def render(result: Result, *, width: int | None = None, color: bool = False) -> str:
    """The page in `width` columns; escape codes only where `color` is asked for and NO_COLOR is not set."""
    sections = (_headline, _energy, _time, _machine, _footprint, _basis)
    return written([partial(section, result) for section in sections], width, color=color)


def _headline(result: Result, console: Console) -> None:
    """The figures side by side, what each is of below it, then its range; below each other where there is no room."""
    console.print(f"{result.workload.name} on {result.hardware.name}", style="bold")
    console.print(asked(result), style=QUIET)
    console.print(built(result), style=QUIET)
    console.print()
    shown, styles = figures(result), (f"bold {ACCENT}", "", QUIET)
    if sum(max(map(len, figure)) + _APART for figure in shown) - _APART > console.width:
        console.print(table([Column(style=style, right=style == styles[0]) for style in styles], shown))
        return
    cards = table([Column()] * len(shown), (), gap=_APART)
    for row, style in zip(zip(*shown, strict=True), styles, strict=True):
        cards.add_row(*row, style=style)
    console.print(cards)


def _energy(result: Result, console: Console) -> None:
    """Three tables side by side, with bars in what room is left; below each other where there is none."""
    divided = breakdowns(result, _SHARES)
    taken = sum(_width(title, shares) for title, shares in divided) + _APART * (len(divided) - 1)
    length = min(_BAR, (console.width - taken) // len(divided))
    full = max((share.fraction for _, shares in divided for share in shares), default=1.0)
    heading("Energy per token", console)
    if length < _SHORTEST_BAR:
        for index, (title, shares) in enumerate(divided):
            console.print(*([""] if index else []), _shares(title, shares, _BAR, full))
        return
    row = table([Column()] * len(divided), (), gap=_APART)
    row.add_row(*(_shares(title, shares, length, full) for title, shares in divided))
    console.print(row)


def _width(title: str, shares: Sequence[Share]) -> int:
    """Characters of a table of shares, bars aside."""
    names = max(map(len, (title, *(share.name for share in shares))))
    joules = max((len(si(share.joules, "J")) for share in shares), default=0)
    percents = max((len(share.percent) for share in shares), default=0)
    return names + joules + percents + 3


def _shares(title: str, shares: Sequence[Share], length: int, full: float) -> Table:
    columns = (Column(title), Column(right=True), Column(style=ACCENT), Column(right=True))
    rows = ((share.name, si(share.joules, "J"), _bar(share.fraction / full, length), share.percent) for share in shares)
    return table(columns, rows, gap=1)


def _bar(fraction: float, length: int) -> str:
    """A bar of `length` characters where the fraction is 1, drawn to an eighth of a character."""
    eighths = max(1, round(fraction * length * 8)) if fraction else 0
    return ("█" * (eighths // 8) + _EIGHTHS[eighths % 8])[:length].ljust(length)


def _time(result: Result, console: Console) -> None:
    lines = operator_lines(result, _OPERATORS)
    several = len({line.phase for line in lines if line.phase}) > 1
    narrow, wide = console.width < _NARROW, console.width >= _WIDE
    columns = {
        "operator": Column("operator", wraps=True, least=min(_NAME, max(len(line.operator) for line in lines))),
        "phase": Column("phase"),
        "time": Column(time_heading(result), right=True, style="bold"),
        "share": Column("share", right=True),
        "energy": Column("energy", right=True),
        "limiter": Column("limited by", wraps=True),
        "achieved": Column("achieved of peak", right=True, spare=1),
        "used": Column("of peak" if narrow and several else "", right=True),
        "second": Column("then by", wraps=True, spare=2),
        "bound": Column("bound", right=True, style=QUIET),
    }
    hidden = {"phase": not several, "energy": not wide, "second": narrow, "achieved": narrow and several}
    heading("Time", console)
    shown = [name for name in columns if not hidden.get(name)]
    rows = ([getattr(line, name) for name in shown] for line in lines)
    console.print(table([columns[name] for name in shown], rows, console.width))


def _machine(result: Result, console: Console) -> None:
    columns = (
        Column("component", wraps=True),
        Column("count", right=True),
        Column("in use", style=ACCENT),
        Column(right=True),
        Column("bytes/token", right=True),
        Column("holds", right=True),
    )
    rows = (
        (part.name, f"{part.instances:,}", _bar(part.busy, _BAR), part.used, part.traffic, part.holds)
        for part in parts(result)
    )
    heading("Machine", console)
    console.print(table(columns, rows))


def _footprint(result: Result, console: Console) -> None:
    taken = footprint(result)
    if taken:
        heading(TITLE, console)
        columns = (
            Column(right=True, style="bold"),
            Column(style=QUIET),
            Column(),
            Column(style=QUIET, wraps=True),
        )
        console.print(table(columns, taken))


def _basis(result: Result, console: Console) -> None:
    found = table((Column(), Column(wraps=True)), ())
    for label, text in notes(result):
        found.add_row(label, text, style=QUIET)
    for warning in result.warnings:
        found.add_row("warning", warning, style=_ALERT)
    console.print()
    console.print(found)
