"""What a kind of case says about one row."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Prediction:
    """A figure in the unit of the row, and what trivial laws may know of the work.

    `bytes` are unique bytes and `macs` multiply-accumulates of one device that the workload asks for, in so many
    executions of `operators`; `bound` is the time of the mapped traffic at peak rates, in the unit of the figure, where
    that is a time or a rate.
    """

    value: float
    unit: str
    bytes: int = 0
    macs: int = 0
    operators: int = 1
    bound: float | None = None
