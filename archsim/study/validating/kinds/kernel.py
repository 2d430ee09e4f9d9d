"""One kernel by itself, timed as kernels are measured: without the host's part of a step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from math import fsum
from string import Template
from typing import Any, NamedTuple

from pydantic import Field, PositiveInt, ValidationError

from archsim.config.checked import Checked
from archsim.config.diagnostics import UnplacedError, fail
from archsim.config.document import load
from archsim.config.settings import apply_sets
from archsim.config.shipped import find
from archsim.config.validation import build
from archsim.model.plan import PlanError
from archsim.model.stack import Stack
from archsim.model.trace import Trace
from archsim.study.bench import Bench, asked
from archsim.study.checking import Hardware, check_hardware
from archsim.study.files import HARDWARE_FOLDER, load_stack
from archsim.study.validating.prediction import UNITS, Prediction, predicted

KIND = "kernel"

Value = bool | int | float | str


class KernelSettings(Checked):
    """Values of which `$column` stands for a cell; a key whose cell is empty is left out."""

    hardware: str
    stack: str = Field(default="", description="another stack than the machine's own")
    sets: tuple[str, ...] = Field(default=(), description="changes of the machine and of that stack, as by `--set`")
    devices: Value = Field(default=1, description="devices that share the kernel")
    batch: Value = 1
    dtypes: dict[str, Value]
    entry: dict[str, Value | dict[str, Value]] = Field(description="an entry of a list of operators")
    draws: PositiveInt = Field(default=1, description="seeds whose times are averaged, where something is drawn")
    unit: str = "us"


SPEC = KernelSettings


class Timing(NamedTuple):
    """What a row times: a trace for each draw, in a batch, on a bench."""

    bench: Bench
    traces: Sequence[Trace]
    batch: int

    @property
    def picoseconds(self) -> float:
        """Mean over the draws; raise `PlanError` where one does not go onto the machine."""
        return fsum(self.bench.timed(trace, self.batch) for trace in self.traces) / len(self.traces)


def check(settings: KernelSettings, row: Mapping[str, Any]) -> None:
    """Raise `UnplacedError` where a row is no entry, or the unit none."""
    if settings.unit not in UNITS:
        raise UnplacedError(f"unknown unit `{settings.unit}`")
    try:
        _asked(settings, row, 0)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"][2:])
        raise UnplacedError(f"no entry of a list of operators: {where}: {first['msg']}") from None


def predict(settings: KernelSettings, row: Mapping[str, Any]) -> Prediction:
    """The time of the row's kernel; raise `InputError` where it does not go onto the machine."""
    found = timing(settings, row)
    try:
        picoseconds = found.picoseconds
    except PlanError as error:
        fail(error.message, help=error.help)
    return predicted(picoseconds * UNITS["ps"] / UNITS[settings.unit], settings.unit, found.traces[0])


def timing(settings: KernelSettings, row: Mapping[str, Any]) -> Timing:
    """What a row times, by the columns that it has; raise `InputError` for a machine or stack that is none."""
    stack, devices = _of(settings.stack, row) or "", int(_of(settings.devices, row))
    return Timing(
        _bench(_of(settings.hardware, row), stack, settings.sets, devices),
        [_asked(settings, row, seed) for seed in range(settings.draws)],
        int(_of(settings.batch, row)),
    )


def _asked(settings: KernelSettings, row: Mapping[str, Any], seed: int) -> Trace:
    return asked([_filled(settings.entry, row)], _filled(settings.dtypes, row), int(_of(settings.batch, row)), seed)


def _filled(values: Mapping[str, Value | dict[str, Value]], row: Mapping[str, Any]) -> dict[str, Any]:
    found = {key: _filled(value, row) if isinstance(value, dict) else _of(value, row) for key, value in values.items()}
    return {key: value for key, value in found.items() if value is not None}


def _of(value: Value, row: Mapping[str, Any]) -> Any:
    """A value, or the cell that it stands for; None for an empty one. `$bytes B` is a text with a cell in it."""
    if not isinstance(value, str) or "$" not in value:
        return value
    name = value.removeprefix("$")
    return row.get(name) if name.isidentifier() else Template(value).substitute(row)


@cache
def _bench(hardware: str, stack: str, sets: tuple[str, ...], devices: int) -> Bench:
    document = load(find(hardware, HARDWARE_FOLDER), HARDWARE_FOLDER)
    offered = {"stack": load_stack(stack, document)} if stack else {}
    changed = apply_sets({"hardware": document, **offered}, sets)
    target: Hardware = check_hardware(changed["hardware"])
    if stack:
        target = replace(target, stack=build(Stack, changed["stack"]))
    return Bench(target, devices if devices > 1 else None)
