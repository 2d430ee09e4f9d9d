"""Board power of a run whose time is given: what is counted over the measured time, beside what runs with the clock.

With a sensor the figure is what it would have stored; where a row does not say how warm the board was, the nearest
reading between cold and warm stands for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Literal

from pydantic import Field

from archsim.config.diagnostics import UnplacedError
from archsim.model.pricing import watts
from archsim.study.playing import How
from archsim.study.running import simulated
from archsim.study.validating.kinds import run
from archsim.study.validating.prediction import UNITS, Prediction, predicted
from archsim.study.validating.sensor import Sensor

KIND = "board_power"

_CAPPED = 0.99
"""Of the cap: what draws more is held there."""


class BoardPowerSettings(run.RunSettings):
    """As for a run; `latency` and `warmth` are columns. Watts are of one device."""

    predicts: str = "power"
    unit: str = "W"
    latency: str = Field(description="the measured time of what is run")
    latency_unit: Literal["s", "ms", "us"] = "ms"
    steps: int = Field(default=1, ge=1, description="output tokens that the measured time is a part of")
    sensor: Sensor | None = None
    warmth: str = Field(default="", description="share of the rise that was there at the start, 0 to 1")
    below_cap: bool = Field(default=False, description="leave rows aside that are predicted at the cap")


SPEC = BoardPowerSettings


def check(settings: BoardPowerSettings, row: Mapping[str, Any]) -> None:
    """Raise `UnplacedError` where a row has no time, or the settings ask for more than power."""
    run.check(settings, row)
    if not isinstance(row.get(_column(settings.latency)), int | float):
        raise UnplacedError(f"`{settings.latency}` is no column of measured times")
    if settings.below_cap and (settings.sensor is None or settings.sensor.cap is None):
        raise UnplacedError("without a cap nothing lies below it")


def predict(settings: BoardPowerSettings, row: Mapping[str, Any]) -> Prediction:
    """Watts of a device over the measured time, or what a sensor stores of them."""
    job, target = run.checked(settings, row)
    result = simulated(job, target, How(), "")
    latency = float(row[_column(settings.latency)]) * UNITS[settings.latency_unit]
    power = watts(result.entries, result.latency.total_s, latency * settings.steps) / result.machine.devices
    found = predicted(power, "W", job.family.trace(job.workload), result.machine.devices)
    return found if settings.sensor is None else _read(settings, row, found, latency)


def _read(settings: BoardPowerSettings, row: Mapping[str, Any], found: Prediction, latency: float) -> Prediction:
    sensor = settings.sensor
    if sensor is None:
        raise AssertionError("a reading needs a sensor")
    warmth = row.get(_column(settings.warmth))
    cold, warm = (
        sensor.reading(found.value, latency, share) for share in ((0.0, 1.0) if warmth is None else (warmth,) * 2)
    )
    seen = sensor.seen(latency, 0.0 if warmth is None else float(warmth))
    at_cap = sensor.cap is not None and found.value >= _CAPPED * sensor.cap
    return replace(
        found,
        value=min(max(float(row["measured"]), cold), warm),
        operators=1 - seen,  # a constant power seen through the same window: idle x (1 - seen) + power x seen
        bytes=seen,
        aside="predicted at the cap" if settings.below_cap and at_cap else "",
    )


def _column(name: str) -> str:
    return name.removeprefix("$")
