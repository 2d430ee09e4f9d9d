"""Energy against time with the front that nothing beats, and the rate of one user against that of all."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from archsim.reports.comparison.charts.figure import SYMBOLS, Chart, Data, Key, frame, log_axis, series, shown, symbol
from archsim.reports.comparison.matrix import Comparison, joules, pace
from archsim.reports.comparison.outcome import Cell
from archsim.reports.quantities import number, si


def energy_and_time(comparison: Comparison) -> Chart:
    """Joules per token against seconds per token; whoever is left and below of all others is on the front."""
    cells = [cell for cell in comparison.cells if pace(cell).seconds and joules(cell)]  # the axes are logarithmic
    traces = [_front([cell for cell in cells if cell.workload == workload]) for workload in comparison.workloads]
    points = _points(comparison, cells, lambda cell: pace(cell).seconds, joules, _told, ranged=True)
    ranges = [cell.document["energy"][end] for cell in cells for end in ("p05_j", "p95_j", "per_token_j")]
    layout = _layout(
        log_axis("time per token", [pace(cell).seconds for cell in cells] or [1.0], "s"),
        log_axis("energy per token", [joule for joule in ranges if joule] or [1.0], "J"),
    )
    told = "; ".join(f"{cell.workload.label} on {cell.machine.label}: {_told(cell)}" for cell in comparison.cells)
    text = f"Energy per token against time per token: {told}."
    return Chart("energy-and-time", text, (*(trace for trace in traces if trace), *points), layout, _legend(comparison))


def rates(comparison: Comparison) -> Chart:
    """Tokens per second of one user against those of all."""
    cells = [cell for cell in comparison.cells if _per_user(cell)]
    points = _points(comparison, cells, _per_user, _in_total, _rated)
    layout = _layout(
        log_axis("tokens/s per user", [_per_user(cell) for cell in cells] or [1.0], ""),
        log_axis("tokens/s of all users", [_in_total(cell) for cell in cells] or [1.0], ""),
    )
    told = "; ".join(f"{cell.workload.label} on {cell.machine.label}: {_rated(cell)}" for cell in cells)
    return Chart("rates", f"Tokens per second, of one user against all: {told}.", points, layout, _legend(comparison))


def _layout(x: Data, y: Data) -> Data:
    return frame(360, xaxis=x, yaxis=y, margin={"l": 8, "r": 16, "t": 16, "b": 48})


def _points(
    comparison: Comparison,
    cells: Sequence[Cell],
    x: Callable[[Cell], float],
    y: Callable[[Cell], float],
    told: Callable[[Cell], str],
    *,
    ranged: bool = False,
) -> tuple[Data, ...]:
    """A trace for each machine, its colour, in which symbols tell workloads apart."""
    traces = []
    for index, machine in enumerate(comparison.machines):
        mine = [cell for cell in cells if cell.machine == machine]
        symbols = [symbol(comparison.workloads.index(cell.workload)) for cell in mine]
        trace = {
            "type": "scatter",
            "mode": "markers",
            "name": shown(machine.label),
            "x": [x(cell) for cell in mine],
            "y": [y(cell) for cell in mine],
            "text": [shown(machine.label)] * len(mine),
            "customdata": [f"{shown(cell.workload.label)}<br>{told(cell)}" for cell in mine],
            "hovertemplate": "%{text}<br>%{customdata}<extra></extra>",
            "marker": {
                "size": 11,
                "color": series(index),
                "symbol": symbols,
                "line": {"width": 1, "color": "--ground"},
            },
        }
        if ranged:
            trace["error_y"] = _ranges(mine, series(index))
        traces += [trace] if mine else []
    return tuple(traces)


def _legend(comparison: Comparison) -> tuple[Key, ...]:
    """Colours of machines, and marks of workloads where there are several."""
    colors = [Key(item.label, series(index), "●") for index, item in enumerate(comparison.machines)]
    marks = [Key(item.label, "--quiet", SYMBOLS[symbol(index)]) for index, item in enumerate(comparison.workloads)]
    return (*colors, *(marks if len(marks) > 1 else ()))


def _ranges(cells: Sequence[Cell], color: str) -> Data:
    """Nine of ten draws; where prices stand at an end of their ranges, the value lies outside of them."""
    above = [max(0.0, cell.document["energy"]["p95_j"] - joules(cell)) for cell in cells]
    below = [max(0.0, joules(cell) - cell.document["energy"]["p05_j"]) for cell in cells]
    return {"type": "data", "array": above, "arrayminus": below, "thickness": 1.5, "width": 3, "color": color}


def _front(cells: Sequence[Cell]) -> Data | None:
    """The line through what no other cell of the workload beats in both."""
    best = float("inf")
    front = []
    for cell in sorted(cells, key=lambda cell: (pace(cell).seconds, joules(cell))):
        if joules(cell) < best:
            best = joules(cell)
            front.append(cell)
    if len(front) <= 1:
        return None
    return {
        "type": "scatter",
        "mode": "lines",
        "x": [pace(cell).seconds for cell in front],
        "y": [joules(cell) for cell in front],
        "line": {"color": "--quiet", "width": 1, "dash": "dot", "shape": "hv"},
        "hoverinfo": "skip",
        "showlegend": False,
    }


def _told(cell: Cell) -> str:
    return f"{si(joules(cell), 'J')}, {si(pace(cell).seconds, 's')} {pace(cell).of}"


def _rated(cell: Cell) -> str:
    flight = cell.document["throughput"]["sequences_in_flight"]
    return f"{number(_per_user(cell))} a user, {number(_in_total(cell))} in all, {flight:,} in flight"


def _per_user(cell: Cell) -> float:
    return float(cell.document["throughput"]["tokens_per_s_per_user"] or 0.0)


def _in_total(cell: Cell) -> float:
    return float(cell.document["throughput"]["tokens_per_s"] or 0.0)
