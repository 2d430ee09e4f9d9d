"""The result as a page for the terminal: headline, joules, time, machine, and what the figures rest on."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from io import StringIO
from typing import TYPE_CHECKING, Literal, NamedTuple

from archsim.model.result import Result
from archsim.reports.footprint import TITLE, footprint
from archsim.reports.operators import operator_lines, time_heading
from archsim.reports.quantities import si
from archsim.reports.summary import Share, asked, breakdowns, built, figures, notes, parts

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

KIND = "table"
FILENAME = "result.txt"

WIDTH = 100
"""Columns where nobody says how many there are."""

_LEAST, _NARROW, _WIDE = 80, 96, 120
_SHARES, _OPERATORS = 8, 12
_BAR, _SHORTEST_BAR, _NAME, _APART = 10, 3, 16, 2
_EIGHTHS = " ▏▎▍▌▋▊▉"
_ACCENT, _QUIET, _ALERT = "cyan", "dim", "yellow"


class _Column(NamedTuple):
    heading: str = ""
    right: bool = False
    style: str = ""
    wraps: bool = False
    least: int = 0


def render(result: Result, *, width: int | None = None, color: bool = False) -> str:
    """The page in `width` columns; escape codes only where `color` is asked for and NO_COLOR is not set."""
    from rich.console import Console  # every format is loaded to find its kind; only this one needs a console

    page = StringIO()
    colored = color and not os.environ.get("NO_COLOR")
    console = Console(
        file=page,
        width=max(width or WIDTH, _LEAST),
        force_terminal=colored,
        color_system="standard" if colored else None,
        legacy_windows=False,
        markup=False,
        emoji=False,
        highlight=False,
    )
    for section in (_headline, _energy, _time, _machine, _footprint, _basis):
        section(result, console)
    return "\n".join(line.rstrip() for line in page.getvalue().splitlines()) + "\n"


def _headline(result: Result, console: Console) -> None:
    """The figures side by side, what each is of below it, then its range; below each other where there is no room."""
    console.print(f"{result.workload.name} on {result.hardware.name}", style="bold")
    console.print(asked(result), style=_QUIET)
    console.print(built(result), style=_QUIET)
    console.print()
    shown, styles = figures(result), (f"bold {_ACCENT}", "", _QUIET)
    if sum(max(map(len, figure)) + _APART for figure in shown) - _APART > console.width:
        console.print(_table([_Column(style=style, right=style == styles[0]) for style in styles], shown))
        return
    cards = _table([_Column()] * len(shown), (), gap=_APART)
    for row, style in zip(zip(*shown, strict=True), styles, strict=True):
        cards.add_row(*row, style=style)
    console.print(cards)


def _energy(result: Result, console: Console) -> None:
    """Three tables side by side, with bars in what room is left; below each other where there is none."""
    divided = breakdowns(result, _SHARES)
    taken = sum(_width(title, shares) for title, shares in divided) + _APART * (len(divided) - 1)
    length = min(_BAR, (console.width - taken) // len(divided))
    full = max((share.fraction for _, shares in divided for share in shares), default=1.0)
    _heading("Energy per token", console)
    if length < _SHORTEST_BAR:
        for index, (title, shares) in enumerate(divided):
            console.print(*([""] if index else []), _shares(title, shares, _BAR, full))
        return
    row = _table([_Column()] * len(divided), (), gap=_APART)
    row.add_row(*(_shares(title, shares, length, full) for title, shares in divided))
    console.print(row)


def _width(title: str, shares: Sequence[Share]) -> int:
    """Characters of a table of shares, bars aside."""
    names = max(map(len, (title, *(share.name for share in shares))))
    joules = max((len(si(share.joules, "J")) for share in shares), default=0)
    percents = max((len(share.percent) for share in shares), default=0)
    return names + joules + percents + 3


def _shares(title: str, shares: Sequence[Share], length: int, full: float) -> Table:
    columns = (_Column(title), _Column(right=True), _Column(style=_ACCENT), _Column(right=True))
    rows = ((share.name, si(share.joules, "J"), _bar(share.fraction / full, length), share.percent) for share in shares)
    return _table(columns, rows, gap=1)


def _bar(fraction: float, length: int) -> str:
    """A bar of `length` characters where the fraction is 1, drawn to an eighth of a character."""
    eighths = max(1, round(fraction * length * 8)) if fraction else 0
    return ("█" * (eighths // 8) + _EIGHTHS[eighths % 8])[:length].ljust(length)


def _time(result: Result, console: Console) -> None:
    lines = operator_lines(result, _OPERATORS)
    several = len({line.phase for line in lines if line.phase}) > 1
    narrow, wide = console.width < _NARROW, console.width >= _WIDE
    columns = {
        "operator": _Column("operator", wraps=True, least=min(_NAME, max(len(line.operator) for line in lines))),
        "phase": _Column("phase"),
        "time": _Column(time_heading(result), right=True, style="bold"),
        "share": _Column("share", right=True),
        "energy": _Column("energy", right=True),
        "limiter": _Column("limited by", wraps=True),
        "achieved": _Column("achieved of peak", right=True),
        "used": _Column("of peak" if narrow and several else "", right=True),
        "second": _Column("then by", wraps=True),
        "bound": _Column("bound", right=True, style=_QUIET),
    }
    hidden = {"phase": not several, "energy": not wide, "second": narrow, "achieved": narrow and several}
    shown = [name for name in columns if not hidden.get(name)]
    _heading("Time", console)
    rows = ([getattr(line, name) for name in shown] for line in lines)
    console.print(_table([columns[name] for name in shown], rows))


def _machine(result: Result, console: Console) -> None:
    columns = (
        _Column("component", wraps=True),
        _Column("count", right=True),
        _Column("in use", style=_ACCENT),
        _Column(right=True),
        _Column("bytes/token", right=True),
        _Column("holds", right=True),
    )
    rows = (
        (part.name, f"{part.instances:,}", _bar(part.busy, _BAR), part.used, part.traffic, part.holds)
        for part in parts(result)
    )
    _heading("Machine", console)
    console.print(_table(columns, rows))


def _footprint(result: Result, console: Console) -> None:
    taken = footprint(result)
    if taken:
        _heading(TITLE, console)
        columns = (
            _Column(right=True, style="bold"),
            _Column(style=_QUIET),
            _Column(),
            _Column(style=_QUIET, wraps=True),
        )
        console.print(_table(columns, taken))


def _basis(result: Result, console: Console) -> None:
    table = _table((_Column(), _Column(wraps=True)), ())
    for label, text in notes(result):
        table.add_row(label, text, style=_QUIET)
    for warning in result.warnings:
        table.add_row("warning", warning, style=_ALERT)
    console.print()
    console.print(table)


def _heading(title: str, console: Console) -> None:
    console.print()
    console.rule(title, align="left", style=_QUIET)


def _table(columns: Sequence[_Column], rows: Iterable[Sequence[str]], gap: int = 2) -> Table:
    """A table without lines, its headings quiet."""
    from rich.table import Table  # as above

    titled = any(column.heading for column in columns)
    table = Table(box=None, pad_edge=False, padding=(0, gap, 0, 0), show_header=titled, header_style=_QUIET)
    for heading, right, style, wraps, least in columns:
        side: Literal["right", "left"] = "right" if right else "left"
        table.add_column(heading, justify=side, style=style, no_wrap=not wraps, overflow="fold", min_width=least)
    for row in rows:
        table.add_row(*row)
    return table
