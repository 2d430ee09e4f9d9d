"""A page for the terminal: a console that writes to a text, quiet headings, tables without lines."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from io import StringIO
from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

WIDTH, LEAST = 100, 80
"""Columns where nobody says how many there are, and the fewest that a page is laid out for."""

QUIET, ACCENT = "dim", "cyan"


class Column(NamedTuple):
    """A column of a table; one that wraps takes what room the others leave, but for `least` characters."""

    heading: str = ""
    right: bool = False
    style: str = ""
    wraps: bool = False
    least: int = 0


def written(sections: Iterable[Callable[[Console], None]], width: int | None, *, color: bool) -> str:
    """What sections print in `width` columns; escape codes only where asked for and NO_COLOR is not set."""
    from rich.console import Console  # every report is loaded to find its kind; only a page needs a console

    text = StringIO()
    colored = color and not os.environ.get("NO_COLOR")
    console = Console(
        file=text,
        width=max(width or WIDTH, LEAST),
        force_terminal=colored,
        color_system="standard" if colored else None,
        legacy_windows=False,
        markup=False,
        emoji=False,
        highlight=False,
    )
    for section in sections:
        section(console)
    return "\n".join(line.rstrip() for line in text.getvalue().splitlines()) + "\n"


def heading(title: str, console: Console) -> None:
    """A title in a line across the page."""
    console.print()
    console.rule(title, align="left", style=QUIET)


def table(columns: Sequence[Column], rows: Iterable[Sequence[str]], gap: int = 2) -> Table:
    """A table without lines, its headings quiet."""
    from rich.table import Table  # as above

    titled = any(column.heading for column in columns)
    found = Table(box=None, pad_edge=False, padding=(0, gap, 0, 0), show_header=titled, header_style=QUIET)
    for name, right, style, wraps, least in columns:
        side: Literal["right", "left"] = "right" if right else "left"
        found.add_column(name, justify=side, style=style, no_wrap=not wraps, overflow="fold", min_width=least)
    for row in rows:
        found.add_row(*row)
    return found
