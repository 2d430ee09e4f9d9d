"""What every chart has: an id, words for those who can't see it, traces, and a quiet frame."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, floor, log10
from typing import Any, NamedTuple

from archsim.reports.quantities import si

Data = dict[str, Any]

KIND_COLORS = {
    "compute": "--compute",
    "sram": "--sram",
    "dram": "--dram",
    "link": "--link",
    "static": "--static",
    "other": "--other",
}
TENSOR_COLORS = {
    "weights": "--dram",
    "kv": "--sram",
    "state": "--sram",
    "activations": "--link",
    "arithmetic": "--compute",
    "active": "--other",
    "static": "--static",
}
SERIES = tuple(f"--series-{number}" for number in range(1, 9))
"""Colours of machines, told apart by all; a ninth has the first again."""

_TICKS = 6
"""Ticks of an axis that can be read at a glance."""

SYMBOLS = {
    "circle": "●",
    "diamond": "◆",
    "square": "■",
    "triangle-up": "▲",
    "cross": "✚",
    "x": "✖",
    "star": "★",
    "hexagon": "⬢",
}
"""Marks of workloads, with a letter that looks like each."""


class Key(NamedTuple):
    """A line of a legend."""

    label: str
    color: str
    mark: str = "■"


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart: `text` says in words what it shows, `traces` and `layout` are plotly's. Colours are names of the page.

    Notes of a layout with `meta` have that share of the width each, and are left out where it is too narrow.
    """

    id: str
    text: str
    traces: tuple[Data, ...]
    layout: Data
    legend: tuple[Key, ...] = ()


def frame(height: int, **layout: Any) -> Data:
    """A layout without a box, a title or a grid that shouts."""
    return {
        "height": height,
        "margin": {"l": 8, "r": 12, "t": 8, "b": 40},
        "hovermode": "closest",
        "showlegend": False,
        "dragmode": False,
        **layout,
    }


def axis(title: str = "", **settings: Any) -> Data:
    """An axis whose labels make room for themselves."""
    return {
        "title": {"text": title, "standoff": 12},
        "automargin": True,
        "fixedrange": True,
        "zeroline": False,
        **settings,
    }


def log_axis(title: str, values: Sequence[float], unit: str, margin: float = 1.4) -> Data:
    """A logarithmic axis around positive values, with round ticks in SI prefixes."""
    low, high = min(values) / margin, max(values) * margin
    powers = range(floor(log10(low)), ceil(log10(high)) + 1)
    ticks: list[float] = []
    for steps in ((1, 2, 5), (1, 3), (1,)):
        ticks = [step * 10.0**power for power in powers for step in steps if low <= step * 10.0**power <= high]
        if len(ticks) <= _TICKS:
            break
    every = ceil(len(ticks) / _TICKS) or 1
    return axis(
        title,
        type="log",
        tickangle=0,
        range=[log10(low), log10(high)],
        tickvals=ticks[::every],
        ticktext=[_short(tick, unit) for tick in ticks[::every]],
    )


def _short(value: float, unit: str) -> str:
    """A quantity without the zeros that say nothing."""
    if not unit and value < 1:
        return f"{value:g}"
    figure, _, prefixed = si(value, unit).partition(" ")
    return f"{figure.rstrip('0').rstrip('.') if '.' in figure else figure} {prefixed}".strip()


def series(index: int) -> str:
    """The colour of the machine at an index."""
    return SERIES[index % len(SERIES)]


def symbol(index: int) -> str:
    """The mark of the workload at an index."""
    return tuple(SYMBOLS)[index % len(SYMBOLS)]


def shown(text: str) -> str:
    """A name as plotly shows it: it reads some HTML, so what looks like it is disarmed."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
