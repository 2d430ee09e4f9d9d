"""Joules per token, stacked by kind, tensor or component: a bar for each machine, a panel for each workload."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from archsim.model.result import KINDS
from archsim.reports.comparison.charts.figure import (
    KIND_COLORS,
    TENSOR_COLORS,
    Chart,
    Data,
    Key,
    axis,
    frame,
    series,
    shown,
)
from archsim.reports.comparison.matrix import Comparison, joules
from archsim.reports.comparison.outcome import Cell
from archsim.reports.comparison.words import NAMES
from archsim.reports.quantities import percent, si

COLUMNS = ("kind", "tensor", "component")

_BAR, _HEADING, _ALONE, _THICKNESS = 46, 44, 8, 0.5
"""Pixels of a bar with its name, of a panel's heading, and without one; the part of its place that a bar fills."""


def energy(comparison: Comparison, column: str, *, share: bool) -> Chart:
    """The chart of one column of the ledger, in joules or as shares of each bar."""
    panels = {work.label: cells for work in comparison.workloads if (cells := comparison.results(work))}
    names = _names(comparison.cells, column)
    colors = {name: _color(name, column, index) for index, name in enumerate(names)}
    heading = _HEADING if len(panels) > 1 else _ALONE
    height = sum(heading + _BAR * len(cells) for cells in panels.values())
    layout = frame(height, barmode="stack", bargap=1 - _THICKNESS, annotations=[])
    layout |= {"margin": {"l": 0, "r": 64, "t": 0, "b": 0}, "uniformtext": {"mode": "hide", "minsize": 9}}
    traces: list[Data] = []
    bottom = 1.0
    for panel, (label, cells) in enumerate(panels.items(), start=1):
        number = "" if panel == 1 else str(panel)
        top, bottom = bottom - heading / height, bottom - (heading + _BAR * len(cells)) / height
        layout[f"xaxis{number}"] = _bare(anchor=f"y{number}")
        layout[f"yaxis{number}"] = _bare(anchor=f"x{number}", domain=[max(0.0, bottom), top], autorange="reversed")
        layout["annotations"] += [*_heading(label, top, len(panels)), *_labels(cells, number, share=share)]
        for name in names:
            bar = _bar(cells, name, column, share=share)
            traces.append(bar | {"xaxis": f"x{number}", "yaxis": f"y{number}", "marker": {"color": colors[name]}})
    what = "share of the energy" if share else "energy"
    text = f"The {what} of one token by {column}, a bar for each machine; the table below has the numbers."
    legend = tuple(Key(_label(name, column), color) for name, color in colors.items())
    return Chart(f"energy-{column}-{'share' if share else 'joules'}", text, tuple(traces), layout, legend)


def _bare(**settings: Any) -> Data:
    """An axis that is not seen: its labels stand beside the bars."""
    return axis(showgrid=False, showticklabels=False) | {"automargin": False, **settings}


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


def _bar(cells: Sequence[Cell], name: str, column: str, *, share: bool) -> Data:
    parts = [_parts(cell, column).get(name, 0.0) for cell in cells]
    shares = [part / (joules(cell) or 1.0) for part, cell in zip(parts, cells, strict=True)]
    label = shown(_label(name, column))
    return {
        "type": "bar",
        "orientation": "h",
        "name": label,
        "y": [shown(cell.machine.label) for cell in cells],
        "x": shares if share else parts,
        "text": [percent(item) if item else "" for item in shares],
        "textposition": "inside",
        "textfont": {"size": 11},
        "insidetextanchor": "middle",
        "textangle": 0,
        "customdata": [f"{si(part, 'J')}, {percent(item)}" for part, item in zip(parts, shares, strict=True)],
        "hovertemplate": f"%{{y}}<br>{label}: %{{customdata}}<extra></extra>",
    }


def _labels(cells: Sequence[Cell], number: str, *, share: bool) -> Iterator[Data]:
    """The machine above each bar, its joules at the end."""
    for cell in cells:
        place = {"y": shown(cell.machine.label), "yref": f"y{number}", "showarrow": False, "xanchor": "left"}
        above = {"xref": "paper", "x": 0, "yanchor": "bottom", "yshift": _BAR * _THICKNESS / 2 - 2}
        end = {"xref": f"x{number}", "x": 1 if share else joules(cell), "xshift": 4}
        yield {"text": shown(cell.machine.label), **place, **above}
        yield {"text": f"<b>{si(joules(cell), 'J')}</b>", **place, **end}


def _heading(label: str, top: float, panels: int) -> list[Data]:
    """The workload above its panel, where there are several."""
    place = {"xref": "paper", "yref": "paper", "x": 0, "y": top, "xanchor": "left", "yanchor": "bottom", "yshift": 12}
    return [{"text": f"<b>{shown(label)}</b>", "showarrow": False, **place}] if panels > 1 else []
