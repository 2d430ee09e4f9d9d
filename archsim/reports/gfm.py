"""Text and tables in Markdown, as GitHub draws it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from archsim.reports.svg import printable

_ESCAPED = str.maketrans({sign: f"\\{sign}" for sign in "\\`*[]<>|"} | {"\n": " ", "\r": " "})
_EDGE = re.compile(r"(?<![^\W_])_|_(?![^\W_])")
"""An underscore that may start or end emphasis; one inside a name does not."""

_RULES = {"l": ":--", "r": "--:"}


def plain(text: str) -> str:
    """Text that Markdown and HTML leave as it is, in one line."""
    return printable(_EDGE.sub(r"\\_", text.translate(_ESCAPED)))


def table(sides: Iterable[str], headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table with `l`eft and `r`ight aligned columns of plain text."""
    return marked(sides, headings, ([plain(cell) for cell in row] for row in rows))


def marked(sides: Iterable[str], headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """The same with cells that are Markdown already."""
    lines = ([plain(heading) for heading in headings], [_RULES[side] for side in sides], *rows)
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
