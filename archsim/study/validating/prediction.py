"""What a kind of case says about one row."""

from __future__ import annotations

from dataclasses import dataclass

from archsim.config.units import unprefixed
from archsim.model.trace import Trace

_WRITTEN = ("s", "ms", "us", "ns", "ps", "J", "mJ", "pJ", "W", "token/s", "B")
UNITS = {unit: unprefixed(unit)[0] for unit in _WRITTEN} | {"TFLOP/s": 1e12}
"""What one of a unit is in the SI."""


@dataclass(frozen=True, slots=True)
class Prediction:
    """A figure in the unit of the row, and what trivial laws may know of the work.

    `bytes` are unique bytes and `macs` multiply-accumulates of one device that the workload asks for, in so many
    executions of `operators`; `bound` is the time of the mapped traffic at peak rates, in the unit of the figure, where
    that is a time or a rate. `aside` says why it is shown and not scored.
    """

    value: float
    unit: str
    bytes: float = 0
    macs: float = 0
    operators: float = 1
    bound: float | None = None
    aside: str = ""


def predicted(value: float, unit: str, trace: Trace, devices: int = 1, bound: float | None = None) -> Prediction:
    """A figure with what the trace of its workload asks of one of `devices`, each operand once an execution."""
    done = tuple(trace.executions())
    moved = sum(times * sum(item.bytes for item in (*each.reads, *each.writes)) for each, _, times in done)
    macs = sum(times * each.macs for each, _, times in done)
    return Prediction(value, unit, moved // devices, macs // devices, sum(times for _, _, times in done), bound)
