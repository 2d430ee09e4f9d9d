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
    """A column of a table; one that wraps takes what room the others leave, but for `least` characters.

    Where room lacks, columns that are `spare` are left out: those of the highest number first.
    """

    heading: str = ""
    right: bool = False
    style: str = ""
    wraps: bool = False
    least: int = 0
    spare: int = 0


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


def table(columns: Sequence[Column], rows: Iterable[Sequence[str]], width: int | None = None, gap: int = 2) -> Table:
    """A table without lines, its headings quiet; in `width` characters, columns that are spare may be left out."""
    from rich.table import Table  # as above

    kept, cells, widths = columns, list(rows), None
    if width is not None:
        kept, cells, widths = _laid_out(columns, cells, width, gap)
    titled = any(column.heading for column in kept)
    found = Table(box=None, pad_edge=False, padding=(0, gap, 0, 0), show_header=titled, header_style=QUIET)
    for index, column in enumerate(kept):
        side: Literal["right", "left"] = "right" if column.right else "left"
        found.add_column(
            column.heading,
            justify=side,
            style=column.style,
            no_wrap=not column.wraps,
            overflow="fold",
            min_width=None if widths else column.least,
            width=widths[index] if widths else None,
        )
    for row in cells:
        found.add_row(*row)
    return found


Cells = list[Sequence[str]]


def _laid_out(
    columns: Sequence[Column], rows: Cells, width: int, gap: int
) -> tuple[Sequence[Column], Cells, list[int] | None]:
    """The columns that there is room for, their cells and widths; no widths where the last ones do not fit either."""
    most = max(column.spare for column in columns)
    for spare in range(most, -1, -1):
        kept = [index for index, column in enumerate(columns) if column.spare <= spare]
        shown, cells = [columns[index] for index in kept], [[row[index] for index in kept] for row in rows]
        widths = fitted(shown, cells, width, gap)
        if widths:
            break
    return shown, [*cells], widths


def fitted(columns: Sequence[Column], rows: Sequence[Sequence[str]], width: int, gap: int = 2) -> list[int] | None:
    """Characters of each column in so many in all; those that wrap give way. None where that is not enough.

    Whole words are kept, but for names that may be broken: those of columns that have a least width.
    """
    cells = [(column.heading, *(row[index] for row in rows)) for index, column in enumerate(columns)]
    widths = [max(len(line) for text in texts for line in text.split("\n")) for texts in cells]
    floors = [
        min(found, column.least or max((len(word) for text in texts for word in text.split()), default=0))
        if column.wraps
        else found
        for column, texts, found in zip(columns, cells, widths, strict=True)
    ]
    left = width - gap * (len(columns) - 1)
    while sum(widths) > left:
        index = max(range(len(widths)), key=lambda place: widths[place] - floors[place])
        if widths[index] <= floors[index]:
            return None
        widths[index] -= 1
    return widths
