"""Scatter plots of a suite: what was predicted against what was measured, on logarithmic axes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from archsim.config.units import unprefixed
from archsim.reports.accuracy.scores import Case, Suite
from archsim.reports.accuracy.words import share
from archsim.reports.comparison.charts.figure import (
    SYMBOLS,
    Chart,
    Data,
    Key,
    frame,
    log_axis,
    series,
    shown,
    symbol,
)
from archsim.reports.quantities import si

_BY = ("hardware", "operation", "kv", "weights", "phase", "model")
"""Columns that tell the points of a suite apart, the first that a suite has and that differs."""

_LEAST, _SERIES = 3, 8
"""Points that make a plot, and series that colours and marks tell apart."""


def charts(suite: Suite) -> tuple[Chart, ...]:
    """A plot for each unit that the figures of a suite come in."""
    drawn = [case for case in suite.cases if case.predicted]
    units = dict.fromkeys(case.unit for case in drawn)
    by_unit = {unit: [case for case in drawn if case.unit == unit] for unit in units}
    return tuple(_chart(suite, unit, cases) for unit, cases in by_unit.items() if len(cases) >= _LEAST)


def _chart(suite: Suite, unit: str, cases: Sequence[Case]) -> Chart:
    scale, base = unprefixed(unit)
    groups = _groups(cases)
    figures = [scale * value for case in cases for value in (case.measured, case.predicted or 0.0)]
    layout = frame(
        360,
        xaxis=log_axis("measured", figures, base),
        yaxis=log_axis("predicted", figures, base),
    )
    ends = [min(figures) / 1.4, max(figures) * 1.4]
    traces = (_band(cases, ends), _diagonal(ends), *_points(groups, scale, base))
    keys = tuple(Key(name, series(index), SYMBOLS[symbol(index)]) for index, name in enumerate(groups))
    legend = keys if len(keys) > 1 else ()  # one series needs no name
    return Chart(
        f"{suite.name}-{len(unit)}-{base}".replace("/", "-"), _told(suite, cases, figures, base), traces, layout, legend
    )


def _told(suite: Suite, cases: Sequence[Case], figures: Sequence[float], unit: str) -> str:
    """In words what the plot shows, and the errors of what is scored of it."""
    span = f"from {si(min(figures), unit)} to {si(max(figures), unit)}"
    drawn = replace(suite, cases=tuple(cases))
    apart = len(cases) - len(drawn.scored)
    scores = f"median error {share(drawn.median_error)}, 90th percentile {share(drawn.p90_error)}"
    counted = f"{len(cases)} cases {span}{f', {apart} of them not scored' if apart else ''}"
    return f"{suite.title}: predicted against measured, {counted}; {scores}."


def _groups(cases: Sequence[Case]) -> dict[str, list[Case]]:
    """The cases by a column that tells them apart; anchors by themselves."""
    found: dict[str, list[Case]] = {}
    column = next((name for name in _BY if 1 < len({dict(case.row).get(name) for case in cases}) <= _SERIES), None)
    for case in cases:
        name = "anchor, not scored" if case.anchor else str(dict(case.row).get(column, "case")) if column else "case"
        found.setdefault(name, []).append(case)
    return found


def _points(groups: dict[str, list[Case]], scale: float, unit: str) -> Iterator[Data]:
    for index, (name, cases) in enumerate(groups.items()):
        yield {
            "type": "scatter",
            "mode": "markers",
            "name": name,
            "x": [scale * case.measured for case in cases],
            "y": [scale * (case.predicted or 0.0) for case in cases],
            "text": [_hover(case, scale, unit) for case in cases],
            "hoverinfo": "text",
            "marker": {"color": series(index), "symbol": symbol(index), "size": 7, "opacity": 0.75},
        }


def _hover(case: Case, scale: float, unit: str) -> str:
    row = ", ".join(f"{column} {cell}" for column, cell in case.row if isinstance(cell, str | int | float))
    named = case.name if dict(case.row).get("case") else row
    measured, predicted = si(scale * case.measured, unit), si(scale * (case.predicted or 0.0), unit)
    return f"{shown(named)}<br>measured {measured}, predicted {predicted}: {share(case.error)}"


def _diagonal(ends: Sequence[float]) -> Data:
    line = {"color": "--total", "width": 1.2}
    return {"type": "scatter", "mode": "lines", "x": list(ends), "y": list(ends), "line": line, "hoverinfo": "skip"}


def _band(cases: Sequence[Case], ends: Sequence[float]) -> Data:
    """What the tolerance of most cases allows, as one closed shape."""
    low, high = max(set(map(_span, cases)), key=[_span(case) for case in cases].count)
    return {
        "type": "scatter",
        "mode": "lines",
        "x": [ends[0], ends[1], ends[1], ends[0], ends[0]],
        "y": [ends[0] * high, ends[1] * high, ends[1] * low, ends[0] * low, ends[0] * high],
        "fill": "toself",
        "fillcolor": "--idle",
        "line": {"color": "--idle", "width": 0},
        "hoverinfo": "skip",
    }


def _span(case: Case) -> tuple[float, float]:
    return max(case.tolerance.low, 0.01), case.tolerance.high
