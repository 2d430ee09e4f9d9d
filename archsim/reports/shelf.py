"""The component library as pages: a list of figures with their ranges, one entry explained, and both as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from typing import TYPE_CHECKING

from archsim.model.price import Boundary, Grade
from archsim.reports.page import ACCENT, QUIET, Column, heading, table, written
from archsim.reports.quantities import counted, number

if TYPE_CHECKING:
    from rich.console import Console


@dataclass(frozen=True, slots=True)
class Stated:
    """One figure of an entry: which action it is of, and its range in `unit`; a share has no boundary."""

    action: str
    value: float
    low: float
    high: float
    unit: str
    boundary: Boundary | None
    grade: Grade
    source: str


@dataclass(frozen=True, slots=True)
class Listed:
    """An entry: what component takes it or what its figure is about, and the shipped machines and entries that name it.

    `gives` are values of a component that are no figures, as they are written.
    """

    name: str
    kind: str
    component: bool
    node: str | None
    figures: tuple[Stated, ...]
    covers: tuple[str, ...]
    gives: tuple[tuple[str, str], ...]
    note: str | None
    machines: tuple[str, ...]
    entries: tuple[str, ...]
    file: str
    line: int


def listing(entries: Sequence[Listed], *, width: int | None = None, color: bool = False) -> str:
    """A line per figure, by kind."""
    return written((partial(_list, entries),), width, color=color)


def explained(entries: Sequence[Listed], *, width: int | None = None, color: bool = False) -> str:
    """All that is known of the entries."""
    return written((partial(_explain, entry) for entry in entries), width, color=color)


def as_json(entries: Iterable[Listed]) -> str:
    """The entries as a JSON list."""
    return json.dumps([asdict(entry) for entry in entries], indent=2, ensure_ascii=False) + "\n"


def _list(entries: Sequence[Listed], console: Console) -> None:
    columns = (
        Column("entry", style=ACCENT, wraps=True, least=16),
        Column("figure", wraps=True, least=9),
        Column("value", right=True),
        Column("range", right=True),
        Column("", style=QUIET),
        Column("node", style=QUIET, wraps=True, least=6, spare=2),
        Column("boundary", style=QUIET, spare=1),
        Column("grade", style=QUIET),
    )
    for kind in dict.fromkeys(entry.kind for entry in entries):
        rows = [row for entry in entries if entry.kind == kind for row in _rows(entry)]
        heading(kind, console)
        console.print(table(columns, rows, console.width))
    console.print()
    taken = sum(entry.component for entry in entries)
    cited = counted(len(entries) - taken, "single figure")
    console.print(f"{counted(taken, 'component')} to name, {cited} to cite at a price: `library: NAME`", style=QUIET)


def _rows(entry: Listed) -> Iterator[tuple[str, ...]]:
    for index, stated in enumerate(entry.figures):
        name, node = ("", "") if index else (entry.name, entry.node or "")
        figure = (number(stated.value), f"{number(stated.low)}–{number(stated.high)}", stated.unit)
        yield (name, stated.action, *figure, node, stated.boundary or "", stated.grade)


def _explain(entry: Listed, console: Console) -> None:
    console.print(entry.name, style=f"bold {ACCENT}")
    use = (
        f"a component: kind {entry.kind}, library {entry.name}" if entry.component else f"a single figure: {entry.kind}"
    )
    console.print(f"{use} · node {entry.node or 'none stated'} · {entry.file}:{entry.line}", style=QUIET)
    for stated in entry.figures:
        heading(stated.action, console)
        unit = f" {stated.unit}" if stated.unit else ""
        console.print(f"{number(stated.value)}{unit} ({number(stated.low)}–{number(stated.high)})", style="bold")
        console.print(", ".join(part for part in (stated.boundary, stated.grade) if part))
        console.print(stated.source, style=QUIET)
    heading("about", console)
    told = [*entry.gives]
    told += [("covers", ", ".join(entry.covers))] if entry.covers else []
    told += [("note", entry.note)] if entry.note else []
    told += [("entries", ", ".join(entry.entries))] if entry.entries else []
    told.append(("machines", ", ".join(entry.machines) or "none that ships names it"))
    console.print(table((Column(style=QUIET), Column(wraps=True)), told))
