"""What the page lays out: a section for each workload, with its lines, its numbers and its cells."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from archsim.reports.comparison.bars import COLUMNS, Span
from archsim.reports.comparison.matrix import Comparison, joules, pace
from archsim.reports.comparison.moments import Moments, moments
from archsim.reports.comparison.outcome import Cell, Subject, Words
from archsim.reports.comparison.sources import Cited, prices
from archsim.reports.comparison.words import NAMES, Refused, Row, area, marks, precision, rows
from archsim.reports.quantities import NOTHING, si


class Strip(NamedTuple):
    """Where an energy, nine of ten draws of it, and all that its prices allow stand, in percent of the widest."""

    all: Span
    most: Span
    value: float


class Told(NamedTuple):
    """A line of the comparison: figures with the numbers of its notes and its strip, or a refusal."""

    row: Row | Refused
    notes: tuple[int, ...]
    strip: Strip | None


class Spent(NamedTuple):
    """A line of the numbers: what joules were spent on, and how many by each machine."""

    name: str
    joules: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Drawn:
    """A cell with the ids of its charts' ends, its headline, and what to know about it."""

    id: str
    cell: Cell
    words: Words
    headline: str
    moments: Moments | None
    facts: tuple[tuple[str, str], ...]
    told: tuple[str, ...]
    command: str


@dataclass(frozen=True, slots=True)
class Section:
    """One workload."""

    workload: Subject
    asked: str
    lines: tuple[Told, ...]
    numbers: tuple[tuple[str, tuple[Spent, ...]], ...]
    machines: tuple[str, ...]
    cells: tuple[Drawn, ...]


class MachinePrices(NamedTuple):
    """A machine with the prices that its cells use."""

    label: str
    boundary: str
    prices: tuple[Cited, ...]


def sections(comparison: Comparison) -> tuple[tuple[Section, ...], tuple[str, ...]]:
    """The workloads in order, and the notes that their lines have numbers of."""
    notes: dict[str, int] = {}
    return tuple(_section(comparison, index, notes) for index in range(len(comparison.workloads))), tuple(notes)


def _section(comparison: Comparison, index: int, notes: dict[str, int]) -> Section:
    workload = comparison.workloads[index]
    cells = comparison.results(workload)
    strips = _strips(cells)
    lines = tuple(
        Told(line, (), None)
        if isinstance(line, Refused)
        else Told(line, tuple(notes.setdefault(mark, len(notes) + 1) for mark in line.marks), strips.get(line.machine))
        for line in rows(comparison, index)
    )
    return Section(
        workload=workload,
        asked=cells[0].words.asked if cells else "",
        lines=lines,
        numbers=tuple((column, _numbers(cells, column)) for column in COLUMNS) if cells else (),
        machines=tuple(cell.machine.label for cell in cells),
        cells=tuple(_drawn(comparison, cell) for cell in cells),
    )


def _strips(cells: Sequence[Cell]) -> dict[str, Strip]:
    widest = max((cell.document["energy"]["high_j"] for cell in cells), default=0.0) or 1.0
    return {cell.machine.label: _strip(cell.document["energy"], 100 / widest) for cell in cells}


def _strip(energy: Mapping[str, float], scale: float) -> Strip:
    low, high, p05, p95, value = (
        round(scale * energy[end], 2) for end in ("low_j", "high_j", "p05_j", "p95_j", "per_token_j")
    )
    return Strip(Span(low, round(high - low, 2)), Span(p05, round(p95 - p05, 2)), value)


def _numbers(cells: Sequence[Cell], column: str) -> tuple[Spent, ...]:
    """Joules by a column of the ledger, a figure for each machine, the largest lines first."""
    parts = [cell.document["energy"][f"by_{column}"] for cell in cells]
    names = {name for part in parts for name, spent in part.items() if spent}
    ranked = sorted(names, key=lambda name: (-max(part.get(name, 0.0) for part in parts), name))
    return tuple(
        Spent(
            NAMES.get(name, name) if column != "component" else name,
            tuple(si(part[name], "J") if part.get(name) else NOTHING for part in parts),
        )
        for name in ranked
    )


def _drawn(comparison: Comparison, cell: Cell) -> Drawn:
    row, column = comparison.workloads.index(cell.workload), comparison.machines.index(cell.machine)
    facts = (("precision", precision(cell)), *((("area", area(cell)),) if cell.area_mm2 else ()))
    return Drawn(
        id=f"{row}-{column}",
        cell=cell,
        words=cell.words,
        headline=f"{si(joules(cell), 'J')} per token · {si(pace(cell).seconds, 's')} {pace(cell).of}",
        moments=moments(cell),
        facts=facts,
        told=tuple(dict.fromkeys((*marks(comparison, cell), *cell.document["warnings"]))),
        command=cell.document["provenance"]["command"],
    )


def machines(comparison: Comparison) -> tuple[MachinePrices, ...]:
    """The prices of every machine that has figures."""
    found = []
    for machine in comparison.machines:
        cells = tuple(cell for cell in comparison.cells if cell.machine == machine)
        if cells:
            found.append(MachinePrices(machine.label, machine.boundary or "", prices(cells)))
    return tuple(found)
