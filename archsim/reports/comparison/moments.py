"""One token in time: how busy each component is while each operator runs."""

from __future__ import annotations

from itertools import accumulate
from math import floor, log10
from typing import NamedTuple

from archsim.reports.comparison.busy import Interval
from archsim.reports.comparison.outcome import Cell
from archsim.reports.quantities import percent, si

_TICKS = 7
"""Most ticks below a token."""


class Moment(NamedTuple):
    """How busy a component is during an operator, in percent, and in words."""

    busy: int
    told: str


class Tick(NamedTuple):
    """A time below the token, and where it stands in percent of it."""

    place: float
    time: str


class Moments(NamedTuple):
    """Operators with the parts in a million that they take, a row for each component, and the scale of time."""

    operators: tuple[tuple[str, int], ...]
    rows: tuple[tuple[str, tuple[Moment, ...]], ...]
    ticks: tuple[Tick, ...]
    text: str


def moments(cell: Cell) -> Moments | None:
    """The picture of a cell; None where nothing is busy."""
    line = cell.timeline
    total = sum(interval.seconds for interval in line.intervals)
    if not line.busy or not total:
        return None
    rows = tuple(
        (name, tuple(map(_moment, shares, line.intervals, [name] * len(shares)))) for name, shares in line.busy.items()
    )
    told = "; ".join(f"{item.operator} {si(item.seconds, 's')}, limited by {item.limiter}" for item in line.intervals)
    operators = tuple((item.operator, round(1e6 * item.seconds / total)) for item in line.intervals)
    return Moments(operators, rows, _ticks(total), f"One token in time, operator by operator: {told}.")


def _moment(share: float, interval: Interval, name: str) -> Moment:
    during = f"{si(interval.seconds, 's')}, limited by {interval.limiter}"
    return Moment(round(100 * share), f"{name} is busy {percent(share)} of {interval.operator} ({during})")


def _ticks(total: float) -> tuple[Tick, ...]:
    """Round times from nothing to the end."""
    power = 10.0 ** floor(log10(total / _TICKS))
    step = next(step * power for step in (1, 2, 5, 10) if total / (step * power) <= _TICKS)
    places = accumulate([step] * floor(total / step), initial=0.0)
    return tuple(Tick(round(100 * place / total, 2), _short(place)) for place in places)


def _short(seconds: float) -> str:
    """A time without the zeros that say nothing."""
    figure, _, unit = si(seconds, "s").partition(" ")
    return f"{figure.rstrip('0').rstrip('.') if '.' in figure else figure} {unit}"
