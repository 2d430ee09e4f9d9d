"""Every chart of the page, and which of them stand for which cell."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from archsim.reports.comparison.charts.energy import COLUMNS, energy
from archsim.reports.comparison.charts.figure import Chart
from archsim.reports.comparison.charts.roofline import roofline_chart
from archsim.reports.comparison.charts.sankey import bytes_chart, joules_chart
from archsim.reports.comparison.charts.timeline import timeline_chart
from archsim.reports.comparison.charts.tradeoff import energy_and_time, rates
from archsim.reports.comparison.charts.waterfall import waterfall
from archsim.reports.comparison.matrix import Comparison, joules
from archsim.reports.comparison.outcome import Cell


class Pair(NamedTuple):
    """A waterfall of the gallery: its id, its workload, its candidate, and whether it is the one to show first."""

    id: str
    workload: str
    candidate: str
    first: bool


def gallery(comparison: Comparison) -> tuple[Chart, ...]:
    """The charts that have anything to show."""
    return tuple(_all(comparison)) if comparison.cells else ()


def _all(comparison: Comparison) -> Iterator[Chart]:
    yield from (energy(comparison, column, share=share) for column in COLUMNS for share in (False, True))
    yield energy_and_time(comparison)
    if any(cell.document["throughput"]["tokens_per_s_per_user"] for cell in comparison.cells):
        yield rates(comparison)
    for row, column, cell in _placed(comparison):
        reference = comparison.reference(cell.workload)
        if reference is not None and reference is not cell:
            yield waterfall(reference, cell, f"waterfall-{row}-{column}")
        drawings = (
            timeline_chart(cell, f"timeline-{row}-{column}"),
            roofline_chart(cell, f"roofline-{row}-{column}"),
            bytes_chart(cell, f"bytes-{row}-{column}"),
            joules_chart(cell, f"joules-{row}-{column}"),
        )
        yield from (chart for chart in drawings if chart is not None)


def _placed(comparison: Comparison) -> Iterator[tuple[int, int, Cell]]:
    for row, outcomes in enumerate(comparison.rows):
        for column, outcome in enumerate(outcomes):
            if isinstance(outcome, Cell):
                yield row, column, outcome


def waterfalls(comparison: Comparison) -> tuple[Pair, ...]:
    """What there is to choose from; the first workload's best candidate is shown first."""
    found = [
        (Pair(f"waterfall-{row}-{column}", cell.workload.label, cell.machine.label, first=False), row, joules(cell))
        for row, column, cell in _placed(comparison)
        if comparison.reference(cell.workload) not in (None, cell)
    ]
    best = min(found, key=lambda item: item[1:], default=None)
    return tuple(pair._replace(first=best is not None and pair is best[0]) for pair, _, _ in found)
