"""One token in time: how busy each component is while each operator runs."""

from __future__ import annotations

from itertools import accumulate, pairwise

from archsim.reports.comparison.busy import Interval
from archsim.reports.comparison.charts.figure import Chart, Data, axis, frame, shown
from archsim.reports.comparison.outcome import Cell
from archsim.reports.quantities import percent, si

_ROW, _AROUND = 26, 76


def timeline_chart(cell: Cell, key: str) -> Chart | None:
    """A row for each component, a column as wide as each operator takes; None where nothing is busy."""
    line = cell.timeline
    if not line.busy or not line.intervals:
        return None
    edges = [0.0, *accumulate(interval.seconds for interval in line.intervals)]
    text = [
        [_told(shown(name), share, interval) for share, interval in zip(shares, line.intervals, strict=True)]
        for name, shares in line.busy.items()
    ]
    trace = {
        "type": "heatmap",
        "x": edges,
        "y": [shown(name) for name in line.busy],
        "z": [list(shares) for shares in line.busy.values()],
        "zmin": 0,
        "zmax": 1,
        "colorscale": [[0, "--idle"], [1, "--accent"]],
        "showscale": False,
        "xgap": 1,
        "ygap": 3,
        "customdata": text,
        "hovertemplate": "%{customdata}<extra></extra>",
    }
    layout = frame(_AROUND + _ROW * len(line.busy))
    layout |= {
        "xaxis": axis("", tickformat="~s", ticksuffix="s", showgrid=False, range=[0, edges[-1]]),
        "yaxis": axis("", autorange="reversed", showgrid=False, ticks="", ticklabelstandoff=6),
        "annotations": _names(cell, edges),
        "meta": [interval.seconds / edges[-1] for interval in line.intervals],
        "margin": {"l": 8, "r": 12, "t": 28, "b": 36},
    }
    told = "; ".join(
        f"{interval.operator} {si(interval.seconds, 's')}, limited by {interval.limiter}" for interval in line.intervals
    )
    return Chart(key, f"One token in time, operator by operator: {told}.", (trace,), layout)


def _told(name: str, share: float, interval: Interval) -> str:
    during = f"{si(interval.seconds, 's')}, limited by {shown(interval.limiter)}"
    return f"{name} is busy {percent(share)} of {shown(interval.operator)}<br>{during}"


def _names(cell: Cell, edges: list[float]) -> list[Data]:
    """Names of the operators above their columns."""
    spans = zip(cell.timeline.intervals, pairwise(edges), strict=True)
    return [
        {
            "x": (start + end) / 2,
            "y": 1,
            "yref": "paper",
            "yanchor": "bottom",
            "text": shown(interval.operator),
            "showarrow": False,
        }
        for interval, (start, end) in spans
    ]
