"""The roofline of one cell: operators under the peaks of arithmetic and of the memory of the weights."""

from __future__ import annotations

from collections.abc import Sequence
from math import log10

from archsim.reports.comparison.charts.figure import Chart, Data, frame, log_axis, shown
from archsim.reports.comparison.outcome import Cell
from archsim.reports.comparison.roofline import Dot, Roofline
from archsim.reports.quantities import percent, si

_NAMED, _APART = 6, 0.3
"""Operators that have a name beside them, the longest; those nearer than so many decades share one."""


def roofline_chart(cell: Cell, key: str) -> Chart | None:
    """The chart; None where no operator both computes and reads the memory."""
    roof = cell.roofline
    if roof is None:
        return None
    intensities, rates = [dot.intensity for dot in roof.dots], [dot.rate for dot in roof.dots]
    ridge = roof.peak_macs / roof.peak_bytes if roof.peak_macs and roof.peak_bytes else max(intensities)
    left, right = min(*intensities, ridge) / 3, max(*intensities, ridge) * 3
    lines = _roof(roof, left, ridge, right)
    heights = [rate for line in lines for rate in line["y"]] + rates
    layout = frame(
        330,
        xaxis=log_axis(f"MACs per byte of {shown(roof.memory)}", (left, right), "", margin=1.0),
        yaxis=log_axis("MAC/s", heights, "", margin=2.0),
    )
    told = "; ".join(f"{dot.operator} {_told(dot)}" for dot in roof.dots)
    return Chart(key, f"Roofline at {roof.memory}: {told}.", (*lines, _dots(roof)), layout)


def _roof(roof: Roofline, left: float, ridge: float, right: float) -> list[Data]:
    """The peaks, as far as there are any, each with its figure."""
    lines = []
    if roof.peak_bytes:
        end = ridge if roof.peak_macs else right
        x = [left, (left * end**2) ** (1 / 3), end]
        lines.append(
            _line(x, [at * roof.peak_bytes for at in x], ["", f"{si(roof.peak_bytes, 'B/s')} ", ""], "top left")
        )
    if roof.peak_macs:
        start = ridge if roof.peak_bytes else left
        lines.append(_line([start, right], [roof.peak_macs] * 2, ["", si(roof.peak_macs, "MAC/s")], "top left"))
    return lines


def _line(x: Sequence[float], y: Sequence[float], text: Sequence[str], side: str) -> Data:
    return {
        "type": "scatter",
        "mode": "lines+text",
        "x": list(x),
        "y": list(y),
        "text": list(text),
        "textposition": side,
        "line": {"color": "--total", "width": 1.5},
        "hoverinfo": "skip",
    }


def _dots(roof: Roofline) -> Data:
    names = _names(roof.dots)
    return {
        "type": "scatter",
        "mode": "markers+text",
        "x": [dot.intensity for dot in roof.dots],
        "y": [dot.rate for dot in roof.dots],
        "text": [shown(names.get(dot, "")) for dot in roof.dots],
        "textposition": "bottom right",
        "cliponaxis": False,
        "customdata": [f"{shown(dot.operator)}: {shown(_told(dot))}" for dot in roof.dots],
        "hovertemplate": "%{customdata}<extra></extra>",
        "marker": {
            "color": "--accent",
            "size": [7 + 18 * dot.share**0.5 for dot in roof.dots],
            "opacity": 0.7,
            "line": {"width": 1, "color": "--ground"},
        },
    }


def _names(dots: Sequence[Dot]) -> dict[Dot, str]:
    """Names beside dots; those that lie together are named once, beside the longest of them."""
    together: dict[Dot, list[str]] = {}
    for dot in sorted(dots, key=lambda dot: -dot.share)[:_NAMED]:
        near = next((first for first in together if _distance(first, dot) < _APART), dot)
        together.setdefault(near, []).append(dot.operator)
    return {dot: names[0] if len(names) == 1 else f"{names[0]} +{len(names) - 1}" for dot, names in together.items()}


def _distance(one: Dot, other: Dot) -> float:
    """In decades, along the axis in which they are further apart."""
    return max(abs(log10(one.intensity / other.intensity)), abs(log10(one.rate / other.rate)))


def _told(dot: Dot) -> str:
    return f"{si(dot.rate, 'MAC/s')}, {percent(dot.share)} of the time, limited by {dot.limiter}"
