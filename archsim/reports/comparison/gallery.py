"""Every chart of the page that plotly draws; bars and timelines are marked up by the page itself."""

from __future__ import annotations

from collections.abc import Iterator

from archsim.reports.comparison.charts.figure import Chart
from archsim.reports.comparison.charts.roofline import roofline_chart
from archsim.reports.comparison.charts.sankey import bytes_chart, joules_chart
from archsim.reports.comparison.charts.tradeoff import energy_and_time, rates
from archsim.reports.comparison.matrix import Comparison
from archsim.reports.comparison.outcome import Cell


def gallery(comparison: Comparison) -> tuple[Chart, ...]:
    """The charts that have anything to show, those of the first cells first."""
    return tuple(_all(comparison)) if comparison.cells else ()


def _all(comparison: Comparison) -> Iterator[Chart]:
    several = len(comparison.cells) > 1
    if several:
        yield energy_and_time(comparison)
    if several and any(cell.document["throughput"]["tokens_per_s_per_user"] for cell in comparison.cells):
        yield rates(comparison)
    for row, outcomes in enumerate(comparison.rows):
        for column, outcome in enumerate(outcomes):
            if isinstance(outcome, Cell):
                drawings = (
                    roofline_chart(outcome, f"roofline-{row}-{column}"),
                    bytes_chart(outcome, f"bytes-{row}-{column}"),
                    joules_chart(outcome, f"joules-{row}-{column}"),
                )
                yield from (chart for chart in drawings if chart is not None)
