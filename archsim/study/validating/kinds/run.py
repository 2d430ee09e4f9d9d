"""A workload on a machine, as `archsim run` has it, and one figure of its result."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cache
from string import Template
from typing import Any

from pydantic import Field

from archsim.config.checked import Checked
from archsim.config.diagnostics import UnplacedError, did_you_mean, listed
from archsim.config.document import Document, load
from archsim.config.settings import apply_sets
from archsim.config.shipped import find
from archsim.model.pricing import grouped
from archsim.model.result import Result
from archsim.model.trace import Trace
from archsim.study.checking import Hardware, Job, check_hardware, check_workload
from archsim.study.files import HARDWARE_FOLDER, WORKLOAD_FOLDER, with_model
from archsim.study.playing import How
from archsim.study.running import simulated
from archsim.study.validating.prediction import UNITS, Prediction, predicted

KIND = "run"

_HARDWARE = "hardware."
_MODEL = "workload.model."
_BOOKED, _FLOPS = "booked", "flops"


class RunSettings(Checked):
    """Texts in which `$column` stands for a cell; a setting that names an empty cell is left out."""

    workload: str
    hardware: str
    sets: tuple[str, ...] = Field(default=(), description="as `--set` takes them; a cell may hold a list of them")
    predicts: str = Field(description="which figure of the result, or: booked COMPONENT ACTION TENSOR, in joules")
    unit: str


SPEC = RunSettings


def check(settings: RunSettings, row: Mapping[str, Any]) -> None:
    """Raise `UnplacedError` where a row asks for a figure or a unit that there is not."""
    figure, unit = (_filled(text, row) for text in (settings.predicts, settings.unit))
    for what, name, known in (("figure", figure.split(" ")[0], [*_FIGURES, _BOOKED, _FLOPS]), ("unit", unit, UNITS)):
        if name not in known:
            raise UnplacedError(f"unknown {what} `{name}`; known: {listed(known)}", did_you_mean(name, known))


def predict(settings: RunSettings, row: Mapping[str, Any]) -> Prediction:
    """The figure that a row asks for, simulated; raise `InputError` where the corridor refuses it."""
    job, target = checked(settings, row)
    result = simulated(job, target, How(), "")
    unit = _filled(settings.unit, row)
    figure = _filled(settings.predicts, row)
    trace = job.family.trace(job.workload)
    bound = _bound(figure, result, UNITS[unit])
    return predicted(_figure(figure, result, trace) / UNITS[unit], unit, trace, result.machine.devices, bound)


def checked(settings: RunSettings, row: Mapping[str, Any]) -> tuple[Job, Hardware]:
    """The checked pair of a row; raise `InputError`."""
    hardware = _filled(settings.hardware, row)
    sets = tuple(_sets(settings.sets, row))
    of_machine = tuple(text for text in sets if text.startswith(_HARDWARE))
    of_workload = tuple(text for text in sets if not text.startswith(_HARDWARE))
    return _job(_filled(settings.workload, row), of_workload), _target(hardware, of_machine)


def _sets(texts: tuple[str, ...], row: Mapping[str, Any]) -> Iterator[str]:
    for text in texts:
        template = Template(text)
        names = template.get_identifiers()
        if all(name in row for name in names):
            several = row.get(text.strip("${}"))
            yield from several if isinstance(several, tuple) else (template.substitute(row),)


def _filled(text: str, row: Mapping[str, Any]) -> str:
    return Template(text).substitute(row)


def _job(workload: str, sets: tuple[str, ...]) -> Job:
    document = _document(workload, WORKLOAD_FOLDER)
    if any(text.startswith(_MODEL) for text in sets):
        document = with_model(document)
    return check_workload(apply_sets({"workload": document}, sets)["workload"])


@cache
def _target(hardware: str, sets: tuple[str, ...]) -> Hardware:
    document = _document(hardware, HARDWARE_FOLDER)
    return check_hardware(apply_sets({"hardware": document}, sets)["hardware"])


@cache
def _document(name: str, folder: str) -> Document:
    return load(find(name, folder), folder)


def _figure(name: str, result: Result, trace: Trace) -> float:
    if name.startswith(_BOOKED):
        _, *place = name.split(" ")
        return _booked(result, *place)
    if name == _FLOPS:  # as asked: what a product is said to do, however many MACs it issues
        return 2 * sum(times * each.macs for each, _, times in trace.executions()) / result.latency.total_s
    value = _FIGURES[name](result)
    if value is None:
        raise UnplacedError(f"the run has no `{name}`")
    return value


def _booked(result: Result, component: str, action: str, tensor: str = "") -> float:
    """Joules of an action of one tensor, over all operators."""
    booked = grouped(result.entries, lambda entry: (entry.row.component, entry.row.action, entry.row.tensor))
    return booked.get((component, action, tensor), 0.0)


def _bound(figure: str, result: Result, unit: float) -> float | None:
    """A time or rate from traffic at peak rates alone; all operators in a row, so not that of a pipeline."""
    seconds = sum(line.bound_s for line in result.operators)
    if not seconds or figure not in _TIMES | _RATES:
        return None
    seconds /= 1 if figure == "total" else max(1, result.workload.output_tokens)
    return 1 / seconds / unit if figure in _RATES else seconds / unit


def _inverse(seconds: float | None) -> float | None:
    return 1 / seconds if seconds else None


def _in_flight(result: Result) -> float | None:
    seconds = result.latency.tpot_p50_s
    return result.plan.in_flight / seconds if seconds else None


_TIMES = {"total", "tpot", "tpot_p50", "ttft"}
_RATES = {"rate", "rate_p50"}
_FIGURES: dict[str, Callable[[Result], float | None]] = {
    "total": lambda result: result.latency.total_s,
    "ttft": lambda result: result.latency.ttft_s,
    "tpot": lambda result: result.latency.tpot_s,
    "tpot_p50": lambda result: result.latency.tpot_p50_s,
    "rate": lambda result: _inverse(result.latency.tpot_s),
    "rate_p50": lambda result: _inverse(result.latency.tpot_p50_s),
    "rate_of_all": _in_flight,
    "energy": lambda result: result.energy.value,
    "energy_per_token": lambda result: result.energy.value / result.tokens,
    "power": lambda result: result.average_w,
    "power_per_device": lambda result: result.average_w / result.machine.devices,
}
