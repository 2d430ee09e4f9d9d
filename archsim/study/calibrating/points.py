"""From measured rows to points of a fit: the ledger's counts over the measured time, at the library's prices."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from archsim.model.calibration import Parameter, Point
from archsim.model.component import ACTIVE_ACTION, Connector
from archsim.model.machine import Machine
from archsim.model.pricing import Priced, watts
from archsim.model.result import Result
from archsim.study.calibrating.sets import Measured, MeasurementSet
from archsim.study.playing import How
from archsim.study.running import simulated
from archsim.study.validating.kinds import run
from archsim.study.validating.prediction import UNITS

PATH, COMPUTE, ACTIVE = "path", "compute", "active"
FREE = (PATH, COMPUTE, ACTIVE)
"""What may be fitted: the link that every byte of DRAM crosses once, MACs, and tiles at work in steps of models."""

_GROUPS = ("n", "workload")
"""Columns whose equal cells are left out together, the first that a set has."""


@dataclass(frozen=True, slots=True)
class Counted:
    """A row simulated on the machine that is calibrated, and watts of a device by what they are paid for."""

    measured: Measured
    of: MeasurementSet
    result: Result
    seconds: float

    def watts(self, kind: str) -> float:
        """What one kind of price takes over the measured time, whatever is priced by time as it is."""
        machine = self.result.machine
        entries = [entry for entry in self.result.entries if kind_of(entry, machine) == kind]
        return watts(entries, self.result.latency.total_s, self.seconds) / machine.devices


def kind_of(entry: Priced, machine: Machine) -> str:
    """The parameter that a row's price follows; empty where it stays as it is."""
    row, component = entry.row, machine.components[entry.row.component]
    if row.action == ACTIVE_ACTION:
        return ACTIVE if entry.price.value else ""
    if row.action.startswith("mac_"):
        return COMPUTE
    return PATH if isinstance(component, Connector) and _at_memory(component, machine) else ""


def _at_memory(link: Connector, machine: Machine) -> bool:
    """Whether a link starts at stacks of DRAM: what comes of them crosses it once."""
    ends = (machine.components.get(end) for end in link.between)
    return any(end is not None and end.energy_kind == "dram" for end in ends)


def counted(of: MeasurementSet, device: str) -> Iterator[Counted]:
    """Each row of a set simulated on a device without its power cap; raise `InputError` where it does not go."""
    settings = of.settings.model_copy(update={"hardware": device})
    for measured in of.rows:
        job, target = run.checked(settings, measured.row)
        uncapped = replace(target, header=target.header.model_copy(update={"power_cap": None}))
        latency = float(measured.row[of.latency]) * UNITS[settings.latency_unit]
        yield Counted(measured, of, simulated(job, uncapped, How(), ""), latency * settings.steps)


def point(item: Counted, parameters: Sequence[Parameter], cap: float | None) -> Point:
    """The row as a point of a fit."""
    free = [parameter.name for parameter in parameters]
    fixed = sum(item.watts(kind) for kind in ("", *FREE) if kind not in free)
    seen, idle = _seen(item)
    return Point(
        of=item.of.name,
        row=item.measured.at.line,
        group=next((f"{item.of.name} {item.measured.row[name]}" for name in _GROUPS if name in item.measured.row), ""),
        watts=item.measured.watts,
        fixed=fixed,
        slopes=tuple(item.watts(name) for name in free),
        seen=seen,
        idle=idle,
        cap=cap,
    )


def _seen(item: Counted) -> tuple[float, float]:
    """The share of the rise above what stands idle that a reading shows, and those watts."""
    row, sensor = item.measured.row, item.of.settings.sensor
    if sensor is None:
        return float(row.get("seen", 1.0)), float(row.get("idle_W", 0.0))
    warmth = float(row[item.of.settings.warmth.removeprefix("$")])
    return sensor.seen(item.seconds / item.of.settings.steps, warmth), sensor.idle


def parameters(items: Sequence[Counted], held: Sequence[str]) -> tuple[Parameter, ...]:
    """What these rows let be fitted, each with the library's value and range, weighted by what the rows spend."""
    entries: dict[str, list[Priced]] = {name: [] for name in FREE}
    for item in items:
        for entry in item.result.entries:
            entries.get(kind_of(entry, item.result.machine), []).append(entry)
    units = {PATH: "pJ/B", COMPUTE: "pJ/MAC", ACTIVE: "W a tile"}
    return tuple(
        Parameter(name, units[name], *(_of(name, spent, end) for end in ("value", "low", "high")))
        for name, spent in entries.items()
        if name not in held and any(entry.price.value for entry in spent)  # nothing scales a price of zero
    )


def _of(name: str, entries: Sequence[Priced], end: str) -> float:
    """One end of a parameter's range: of the path, the sum over its parts, each crossed once."""
    if name == PATH:
        prices = {(entry.row.component, entry.row.action): entry.price for entry in entries}
        return sum(float(getattr(price, end)) for price in prices.values())
    spent = sum(entry.row.count for entry in entries)
    return sum(entry.row.count * float(getattr(entry.price, end)) for entry in entries) / spent
