"""What a board's power sensor reads of a short run: a moving average that began while the board still stood idle.

The collector replays a kernel for `repeats` of its latency, reads the board power each tenth of a second from the start
and keeps the plain mean; the driver reports an average over about a second. So the mean of a run of W seconds holds a
part phi(W) of the rise, and more where the run before it has left the board warm.
"""

from __future__ import annotations

from math import floor
from typing import Annotated

from pydantic import Field, PositiveFloat

from archsim.config.checked import Checked

_TIGHT = 1e-9


class Sensor(Checked):
    """One collector and one board."""

    repeats: PositiveFloat = Field(description="latencies that a run lasts")
    idle: Annotated[float, Field(ge=0, description="watts that are read while nothing runs yet")]
    average: PositiveFloat = Field(default=1.0, description="seconds over which the driver averages")
    every: PositiveFloat = Field(default=0.1, description="seconds between two readings")
    cap: PositiveFloat | None = Field(default=None, description="watts at which the board is held")

    def seen(self, latency: float, warmth: float) -> float:
        """The share of the rise in the mean reading of a run; `warmth` is the share that was there at its start."""
        return warmth + (1 - warmth) * self.risen(self.repeats * latency)

    def risen(self, seconds: float) -> float:
        """Of a run that began cold: the mean of min(t / average, 1) over the readings."""
        readings = floor(seconds / self.every + _TIGHT) + 1
        return sum(min(index * self.every / self.average, 1.0) for index in range(readings)) / readings

    def reading(self, watts: float, latency: float, warmth: float) -> float:
        """Watts that are stored of a run that draws so many."""
        drawn = min(watts, self.cap) if self.cap is not None else watts
        return self.idle + (drawn - self.idle) * self.seen(latency, warmth)
