"""The free parameters of a machine and its stack, fitted on measurement sets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from archsim.config.diagnostics import InputError, fail, of_option
from archsim.config.document import load
from archsim.config.shipped import find, shipped
from archsim.config.validation import unknown_choice
from archsim.model.calibration import Fit, Parameter, Point, RefusedError, fit, needed
from archsim.study.calibrating.points import FREE, Counted, counted, parameters, point
from archsim.study.calibrating.sets import MeasurementSet, measurement_sets
from archsim.study.checking import Hardware, check_hardware
from archsim.study.files import HARDWARE_FOLDER


@dataclass(frozen=True)
class Calibrated:
    """A machine, the rows that it was held against, and the fit or the reasons why there is none."""

    device: str
    target: Hardware
    sets: tuple[MeasurementSet, ...]
    items: tuple[Counted, ...]
    fit: Fit | None
    reasons: tuple[str, ...] = ()


def calibrate(devices: Sequence[str], names: Sequence[str], held: Sequence[str] = ()) -> tuple[Calibrated, ...]:
    """Each device fitted on the sets that were measured on it.

    Raises:
        InputError: where a device or a set can't be used, or has too few points.
    """
    for name in held:
        if name not in FREE:
            raise InputError([unknown_choice("parameter", name, FREE, of_option("--hold", name))])
    targets = [(name, check_hardware(load(find(name, HARDWARE_FOLDER), HARDWARE_FOLDER))) for name in devices]
    sets = measurement_sets(names)
    for item in sets:
        if not any(_suits(item, name) for name in devices):
            fail(f"`{item.name}` was measured on `{item.hardware}`", of_option("--set", item.name))
    return tuple(
        _calibrated(name, target, [item for item in sets if _suits(item, name)], held) for name, target in targets
    )


def _suits(measured: MeasurementSet, device: str) -> bool:
    """Whether a set may be held against a device: it was measured there, or the device is the user's own."""
    return measured.hardware in ("", device) or device not in shipped(HARDWARE_FOLDER)


def _calibrated(device: str, target: Hardware, sets: Sequence[MeasurementSet], held: Sequence[str]) -> Calibrated:
    if not sets:
        fail(f"none of the sets was measured on `{device}`", of_option("DEVICE", device))
    items = tuple(item for of in sets for item in counted(of, device))
    free = parameters(items, held)
    if not free:
        fail("all parameters are held: nothing is left to fit", of_option("--hold", " ".join(held)))
    cap = target.header.power_cap.power.value if target.header.power_cap else None
    points = [point(item, free, cap) for item in items]
    _refuse_few(points, free, items)
    try:
        return Calibrated(device, target, tuple(sets), items, fit(points, free))
    except RefusedError as error:
        return Calibrated(device, target, tuple(sets), items, None, error.reasons)


def _refuse_few(points: Sequence[Point], free: Sequence[Parameter], items: Sequence[Counted]) -> None:
    below = sum(one.cap is None or one.fixed + sum(one.slopes) < one.cap for one in points)
    if below >= needed(free):
        return
    rest = len(points) - below
    capped = f"; {rest} more stand at the power cap and say nothing" if rest else ""
    named = ", ".join(item.name for item in free)
    some = "1 point is" if below == 1 else f"{below} points are"
    few = f"{some} too few for {len(free)} parameters ({named}): {needed(free)} are needed{capped}"
    fail(few, items[0].measured.at, "more rows, or --hold a parameter at the library's value")
