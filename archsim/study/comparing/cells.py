"""One cell of a comparison: a run, with what had to be changed so that it could be, or the reason why it can't."""

from __future__ import annotations

import shlex
import traceback
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from archsim.config.diagnostics import Diagnostic, InputError
from archsim.config.document import Document
from archsim.config.shipped import library_path
from archsim.model.plan import PlanError
from archsim.model.price import Boundary
from archsim.model.workload import Dtypes, Format
from archsim.reports.comparison.outcome import Adjustment, Cell, Outcome, Refusal, Subject, cell
from archsim.study.checking import Hardware, Job, check_hardware, check_workload
from archsim.study.comparing.fitting import fitting_sets, suggested
from archsim.study.files import load_pair
from archsim.study.playing import How
from archsim.study.running import at_boundary, simulated

_PACKAGE = library_path().parent
_ROOTS = (_PACKAGE / "_data", _PACKAGE.parent)
"""Where the files that travel with the package stand, in a wheel and in a checkout."""

_ATTEMPTS = 4
"""Runs of one cell: a number of devices that is suggested may be refused for another reason."""

_DTYPES = ("workload", "dtypes")
_MAC = "mac_"


@dataclass(frozen=True, slots=True)
class Case:
    """What to simulate; with `fit`, on as many devices as hold the model. Joules are told at `boundary`, if given."""

    workload: Subject
    machine: Subject
    sets: tuple[str, ...] = ()
    fit: bool = False
    boundary: Boundary | None = None


def answer(case: Case) -> Outcome:
    """The cell of a case; a refusal, or a defect, is an answer with its reason."""
    try:
        return _in_native_types(case)
    except InputError as error:
        reason = "; ".join(finding.message for finding in error.diagnostics)
        return Refusal(case.workload, case.machine, reason, next(filter(None, (f.help for f in error.diagnostics)), ""))
    except Exception as error:  # noqa: BLE001 - the other cells are worth having, and the reader is told all of it
        reason = f"a defect of archsim: {type(error).__name__}: {error}"
        return Refusal(case.workload, case.machine, reason, defect="".join(traceback.format_exception(error)))


def _in_native_types(case: Case) -> Cell:
    """The cell in the workload's data types, or in the machine's own where it lacks them."""
    job, target = _checked(case, case.sets)
    native = _native(target, job.workload.dtypes)
    if native is not None and not _computes(target, job.workload.dtypes.activations):
        return _fitted(case, (native,))
    try:
        return _fitted(case, ())
    except InputError as error:
        refusal = error.__cause__
        if native is not None and isinstance(refusal, PlanError) and refusal.where[:2] == _DTYPES:
            return _fitted(case, (native,))
        raise


def _fitted(case: Case, native: tuple[Adjustment, ...]) -> Cell:
    """The cell on the devices of the file or, where those can't hold it and more may be taken, on as many as can."""
    adjustments = native
    refused: list[Diagnostic] = []
    for _ in range(_ATTEMPTS):
        job, target = _checked(case, _sets(case, adjustments))
        try:
            return _simulated(case, adjustments, job, target)
        except InputError as error:
            refusal = error.__cause__
            devices = suggested(refusal, target) if case.fit and isinstance(refusal, PlanError) else None
            if devices is None:
                raise InputError((*refused, *error.diagnostics)) from refusal
            refused += (replace(finding, help="") for finding in error.diagnostics)  # what it says is tried now
            adjustments = (*native, _on(devices, _checked(case, _sets(case, native))[1]))
    raise InputError(refused)


def _on(devices: int, target: Hardware) -> Adjustment:
    note = f"{devices} devices instead of {target.header.devices}: the least that hold the model"
    return Adjustment(fitting_sets(devices, target), note)


def _simulated(case: Case, adjustments: tuple[Adjustment, ...], job: Job, target: Hardware) -> Cell:
    settings = (part for text in _sets(case, adjustments) for part in ("--set", text))
    widened = () if case.boundary is None else ("--boundary", case.boundary)
    command = shlex.join(("archsim", "run", case.workload.argument, case.machine.argument, *settings, *widened))
    result = simulated(job, target, How(), command)
    if case.boundary is not None and case.boundary != target.header.boundary:
        result = at_boundary(result, case.boundary, target)
        adjustments = (*adjustments, Adjustment((), result.warnings[-1]))
    return cell(case.workload, case.machine, adjustments, result)


def _sets(case: Case, adjustments: Iterable[Adjustment]) -> tuple[str, ...]:
    return (*case.sets, *(text for adjustment in adjustments for text in adjustment.sets))


def _checked(case: Case, sets: Sequence[str]) -> tuple[Job, Hardware]:
    workload, hardware = load_pair(case.workload.argument, case.machine.argument, sets)
    job, target = check_workload(workload), check_hardware(hardware)
    named = replace(target, document=_portable(target.document), sources=_shipped_names(target.sources))
    return replace(job, document=_portable(job.document)), named


def _portable(document: Document) -> Document:
    """The document with shipped files named as everywhere: a report is the same wherever it is made."""
    return replace(document, name=_shipped_name(document.name), sources=_shipped_names(document.sources))


def _shipped_names(sources: Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    return tuple((_shipped_name(path), digest) for path, digest in sources)


def _shipped_name(path: str) -> str:
    root = next((root for root in _ROOTS if Path(path).is_relative_to(root)), None)
    return path if root is None else Path(path).relative_to(root).as_posix()


def _computes(target: Hardware, dtype: str) -> bool:
    """Whether some component multiplies in a data type; so does one that does not say in which."""
    actions = {name for item in target.components.values() for name, act in item.actions().items() if act.unit == "MAC"}
    typed = {name for name in actions if name.startswith(_MAC)}
    return f"{_MAC}{dtype}" in typed or actions != typed


def _native(target: Hardware, asked: Dtypes) -> Adjustment | None:
    """The data types that a machine is meant to run, instead of those asked for; None where its file does not say."""
    native = target.header.native_dtypes
    if native is None:
        return None
    texts = {"weights": _stored(native.weights), "kv": _stored(native.kv), "activations": native.activations}
    told = ", ".join(f"{'KV' if key == 'kv' else key} {text}" for key, text in texts.items())
    alike = ("workload.dtypes.experts=null",) if asked.experts else ()
    return Adjustment(
        (*(f"workload.dtypes.{key}={text}" for key, text in texts.items()), *alike),
        f"in the machine's own precision ({told}), as it lacks the workload's: the answers may be of another quality",
    )


def _stored(stored: Format) -> str:
    """A format as a file states it."""
    if stored.group is None:
        return stored.dtype
    return f"{{dtype: {stored.dtype}, group: {stored.group}, scale: {stored.scale}}}"
