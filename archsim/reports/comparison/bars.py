"""Joules per token as stacked bars: of each machine, by kind, tensor or component, with the band of its prices."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from archsim.model.result import KINDS
from archsim.reports.comparison.charts.figure import KIND_COLORS, TENSOR_COLORS, Key, series
from archsim.reports.comparison.matrix import Comparison, joules
from archsim.reports.comparison.outcome import Cell
from archsim.reports.comparison.words import NAMES
from archsim.reports.quantities import percent, same, si

COLUMNS = ("kind", "tensor", "component")


class Span(NamedTuple):
    """A part of a track, in percent of it."""

    start: float
    width: float


class Piece(NamedTuple):
    """A part of a bar: parts in a million of it, its colour, its percentage, and all of it in words."""

    share: int
    color: str
    percent: str
    told: str


class Bar(NamedTuple):
    """A machine: its joules, how much of the track they take, and where nine of ten draws of its prices lie."""

    machine: str
    joules: str
    width: float
    band: Span | None
    pieces: tuple[Piece, ...]


@dataclass(frozen=True, slots=True)
class Panel:
    """A workload, on a scale of its own."""

    workload: str
    bars: tuple[Bar, ...]


@dataclass(frozen=True, slots=True)
class Stack:
    """All workloads by one column of the ledger."""

    column: str
    legend: tuple[Key, ...]
    panels: tuple[Panel, ...]


def stacks(comparison: Comparison) -> tuple[Stack, ...]:
    """One for each column; none where nothing has figures."""
    return tuple(_stack(comparison, column) for column in COLUMNS) if comparison.cells else ()


def _stack(comparison: Comparison, column: str) -> Stack:
    names = _names(comparison.cells, column)
    colors = {name: _color(name, column, index) for index, name in enumerate(names)}
    panels = tuple(
        Panel(workload.label, _bars(cells, column, colors))
        for workload in comparison.workloads
        if (cells := comparison.results(workload))
    )
    return Stack(column, tuple(Key(_label(name, column), color) for name, color in colors.items()), panels)


def _bars(cells: Sequence[Cell], column: str, colors: Mapping[str, str]) -> tuple[Bar, ...]:
    scale = 100 / (max(max(joules(cell), cell.document["energy"]["p95_j"]) for cell in cells) or 1.0)
    return tuple(
        Bar(
            machine=cell.machine.label,
            joules=si(joules(cell), "J"),
            width=round(scale * joules(cell), 3),
            band=_band(cell, scale),
            pieces=_pieces(cell, column, colors),
        )
        for cell in cells
    )


def _band(cell: Cell, scale: float) -> Span | None:
    low, high = (cell.document["energy"][end] for end in ("p05_j", "p95_j"))
    return None if same(low, high) else Span(round(scale * low, 3), round(scale * (high - low), 3))


def _pieces(cell: Cell, column: str, colors: Mapping[str, str]) -> tuple[Piece, ...]:
    parts, whole = _parts(cell, column), joules(cell) or 1.0
    return tuple(
        Piece(
            round(1e6 * parts[name] / whole),
            color,
            percent(parts[name] / whole),
            f"{_label(name, column)}: {si(parts[name], 'J')}, {percent(parts[name] / whole)}",
        )
        for name, color in colors.items()
        if parts.get(name)
    )


def _parts(cell: Cell, column: str) -> Mapping[str, float]:
    parts: Mapping[str, float] = cell.document["energy"][f"by_{column}"]
    return parts


def _names(cells: Sequence[Cell], column: str) -> list[str]:
    """What any cell has; kinds in their own order, others by size."""
    sums: dict[str, float] = {}
    for cell in cells:
        for name, part in _parts(cell, column).items():
            sums[name] = sums.get(name, 0.0) + part / (joules(cell) or 1.0)
    if column == "kind":
        return [kind for kind in KINDS if sums.get(kind)]
    return sorted((name for name in sums if sums[name]), key=lambda name: (-sums[name], name))


def _color(name: str, column: str, index: int) -> str:
    return {"kind": KIND_COLORS, "tensor": TENSOR_COLORS}.get(column, {}).get(name, series(index))


def _label(name: str, column: str) -> str:
    return name if column == "component" else NAMES.get(name, name)
