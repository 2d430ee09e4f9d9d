"""Findings about what people wrote: where, what, and what to do about it."""

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Literal, NoReturn

MAX_FINDINGS = 50  # more are of no use to a reader
_MAX_MESSAGE = 600
_WINDOW = 120  # columns of a source line that are shown; a minified JSON file is one line of megabytes


@dataclass(frozen=True, slots=True)
class Position:
    """A span of a source line; `line` and `column` count from 1, `text` is the whole line, if there is one to show."""

    path: str
    line: int
    column: int
    length: int
    text: str


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One finding, with its position where there is one and a way out where one is known."""

    message: str
    position: Position | None = None
    help: str = ""
    severity: Literal["error", "warning"] = "error"


def of_option(name: str, text: str) -> Position:
    """The position of the value of a command-line option."""
    return Position(f"<{name}>", 1, 1, max(1, len(text)), text)


class InputError(Exception):
    """The input can't be used; `diagnostics` holds every finding at once."""

    def __init__(self, diagnostics: Iterable[Diagnostic]) -> None:
        self.diagnostics: tuple[Diagnostic, ...] = tuple(diagnostics)
        super().__init__(self.diagnostics)

    def __str__(self) -> str:
        return "\n\n".join(render(diagnostic) for diagnostic in self.diagnostics)


class UnplacedError(ValueError):
    """A finding made where no position is known, such as in a validator; `validation.build` gives it one.

    `at` is the path of the offending value below the one that is being validated.
    """

    def __init__(self, message: str, help: str = "", at: tuple[str | int, ...] = ()) -> None:
        self.help = help
        self.at = at
        super().__init__(message)


def fail(message: str, position: Position | None = None, help: str = "") -> NoReturn:
    """Raise an `InputError` with this one finding."""
    raise InputError([Diagnostic(message, position, help)])


def render(diagnostic: Diagnostic) -> str:
    """The finding as lines for a terminal: message, `FILE:LINE:COLUMN`, the line with a caret, help."""
    lines = [f"{diagnostic.severity}: {_printable(diagnostic.message)}"]
    if diagnostic.position is not None:
        lines += _excerpt(diagnostic.position)
    if diagnostic.help:
        lines.append(f"  = help: {_printable(diagnostic.help)}")
    return "\n".join(lines)


def did_you_mean(name: str, candidates: Iterable[str]) -> str:
    """The words "did you mean `x`?" for the candidate nearest to `name`, '' where none is near.

    Case doesn't count: candidates that differ in case alone are all named.
    """
    spellings: dict[str, list[str]] = {}
    for candidate in candidates:
        spellings.setdefault(candidate.casefold(), []).append(candidate)
    near = get_close_matches(name.casefold(), spellings, n=1)
    return f"did you mean {' or '.join(f'`{spelling}`' for spelling in spellings[near[0]])}?" if near else ""


def listed(names: Iterable[str], most: int = 20) -> str:
    """The names joined by commas, cut after `most` of them."""
    ordered = list(names)
    rest = len(ordered) - most
    return ", ".join(ordered[:most]) + (f" and {rest} more" if rest > 0 else "")


def _excerpt(position: Position) -> list[str]:
    start = max(0, position.column - _WINDOW // 2) if len(position.text) > _WINDOW else 0
    shown = position.text[start : start + _WINDOW]
    before = shown[: position.column - 1 - start]
    width = max(1, min(position.length, len(shown) - len(before)))
    number = str(position.line)
    gutter = " " * len(number)
    place = f"  --> {_printable(position.path)}:{position.line}:{position.column}"
    if not position.length:
        return [place]
    # a tab stays a tab under itself, so that the caret stands right at any tab width
    indent = "".join("\t" if character == "\t" else " " for character in before)
    return [
        place,
        f"{gutter} |",
        f"{number} | {_printable(shown)}".rstrip(),
        f"{gutter} | {indent}{'^' * width}",
    ]


def _printable(text: str) -> str:
    """The text with a visible mark for what could drive a terminal (escape sequences, line breaks), cut where long."""
    text = text if len(text) <= _MAX_MESSAGE else f"{text[:_MAX_MESSAGE]}..."
    return "".join(sign if sign.isprintable() or sign == "\t" else "\N{REPLACEMENT CHARACTER}" for sign in text)
