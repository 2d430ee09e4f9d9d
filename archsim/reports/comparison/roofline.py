"""The roofline of a run: operators by MACs per byte of the memory that keeps the weights."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from archsim.model.result import Result
from archsim.model.run import Span


class Dot(NamedTuple):
    """An operator: MACs per byte, MACs per second, its share of the time, and what limits it."""

    operator: str
    phase: str
    intensity: float
    rate: float
    share: float
    limiter: str


@dataclass(frozen=True, slots=True)
class Roofline:
    """Peaks of all devices (None: no limit), and the operators that both compute and read the memory."""

    memory: str
    peak_macs: float | None
    peak_bytes: float | None
    dots: tuple[Dot, ...]


def roofline(result: Result) -> Roofline | None:
    """The roofline at the home of the weights; None where no operator reads it."""
    home = next((placed.component for placed in result.plan.placements if placed.role == "weights"), None)
    if home is None:
        return None
    macs, read = _sums(result, home)
    dots = tuple(
        Dot(item.operator, item.phase, macs[span] / read[span], macs[span] / item.time_s, item.share, item.limiter)
        for item in result.operators
        if (span := Span(item.operator, item.phase)) in macs and span in read and item.time_s
    )
    used = {(entry.row.component, entry.row.action) for entry in result.entries if entry.row.unit == "MAC"}
    reads = {(home, name) for name, action in result.machine.actions[home].items() if action.unit == "B"}
    return Roofline(home, _peak(result, used), _peak(result, reads), dots) if dots else None


def _sums(result: Result, home: str) -> tuple[dict[Span, int], dict[Span, int]]:
    """MACs, and bytes at the memory, of each operator."""
    macs: dict[Span, int] = {}
    read: dict[Span, int] = {}
    for entry in result.entries:
        row, span = entry.row, Span(entry.row.operator, entry.row.phase)
        if row.unit == "MAC":
            macs[span] = macs.get(span, 0) + row.count
        elif row.unit == "B" and row.component == home:
            read[span] = read.get(span, 0) + row.count
    return macs, read


def _peak(result: Result, actions: Iterable[tuple[str, str]]) -> float | None:
    """The fastest of some actions, over all instances of all devices."""
    rates = []
    for component, name in actions:
        action = result.machine.actions[component][name]
        rate = action.peak or action.rate
        if rate is None:
            return None
        rates.append(rate * result.machine.instances(component))
    return max(rates, default=None)
