"""Every case of some suites predicted over the cores there are, scored, and held against a trivial law."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

from archsim.config.diagnostics import InputError
from archsim.reports.accuracy.scores import Case, Errors, Suite, Tolerance, Unseen, Validation
from archsim.study.processes import answers
from archsim.study.validating.baselines import baseline
from archsim.study.validating.prediction import Prediction
from archsim.study.validating.suites import KINDS, MEASURED, ErrorsSpec, Row, SuiteFile, tolerance

_APART = frozenset({MEASURED, "tolerance", "anchor"})
"""Columns that say nothing about what was run."""

_TOGETHER = 12
"""Cases that one process answers in a row: fewer cost more in handing them over than they take."""

Found = Prediction | str
"""A prediction, or the reason why there is none."""


@dataclass(frozen=True, slots=True)
class _Piece:
    """Some rows of one suite: what a process is given, and nothing that it could not be sent."""

    kind: str
    settings: Any
    rows: tuple[Row, ...]


def validate(
    files: Sequence[SuiteFile], jobs: int | None = None, told: Callable[[int], None] = lambda _: None
) -> Validation:
    """The scored suites; `told` hears how many cases were answered."""
    pieces = [piece for file in files for piece in _pieces(file)]
    found = answers(pieces, _predicted, lost=_lost, jobs=jobs, told=lambda some: told(len(some)))
    predictions = iter(item for some in found for item in some)
    return Validation(tuple(_suite(file, list(islice(predictions, len(file.spec.cases)))) for file in files))


def _pieces(file: SuiteFile) -> Iterable[_Piece]:
    rows = tuple(file.rows)
    for start in range(0, len(rows), _TOGETHER):
        yield _Piece(file.spec.kind, file.settings, rows[start : start + _TOGETHER])


def _predicted(piece: _Piece) -> tuple[Found, ...]:
    kind = KINDS.get(piece.kind)
    return tuple(_prediction(kind.predict, piece.settings, row) for row in piece.rows)


def _prediction(predict: Callable[[Any, Row], Prediction], settings: Any, row: Row) -> Found:
    try:
        return predict(settings, row)
    except InputError as error:
        return "; ".join(finding.message for finding in error.diagnostics)
    except Exception as error:  # noqa: BLE001 - the other cases are worth having, and the reader is told all of it
        return f"a defect of archsim: {traceback.format_exception_only(error)[-1].strip()}"


def _lost(piece: _Piece) -> tuple[Found, ...]:
    return ("a process that simulated cases ended before its time",) * len(piece.rows)


def _suite(file: SuiteFile, found: Sequence[Found]) -> Suite:
    spec = file.spec
    rows = list(file.rows)
    predictions = [item if isinstance(item, Prediction) else None for item in found]
    said = baseline(spec.baseline, rows, predictions)
    cases = tuple(_case(file, row, item) for row, item in zip(rows, found, strict=True))
    return Suite(
        name=file.name,
        title=spec.title,
        part=spec.part,
        group=spec.group,
        of=spec.of,
        about=spec.about,
        source=spec.source,
        independence=spec.independence,
        sampling=spec.sampling,
        quantity=spec.quantity,
        bound=_errors(spec.bound) if spec.bound else None,
        target=_errors(spec.target) if spec.target else None,
        miss=spec.miss,
        zero=spec.zero,
        baseline=spec.baseline.says if spec.baseline else "",
        unbeaten=spec.baseline.unbeaten if spec.baseline else "",
        unscored=spec.unscored,
        cases=tuple(replace(case, baseline=law) for case, law in zip(cases, said, strict=True)),
        unseen=Unseen(**dict(spec.cross_validated)) if spec.cross_validated else None,
    )


def _errors(spec: ErrorsSpec) -> Errors:
    return Errors(spec.median, spec.p90)


def _case(file: SuiteFile, row: Row, found: Found) -> Case:
    shown = {column: cell for column, cell in row.items() if column not in _APART}
    return Case(
        name=str(row.get("case", " ".join(f"{cell}" for cell in shown.values()))),
        row=tuple(shown.items()),
        unit=found.unit if isinstance(found, Prediction) else "",
        measured=float(row[MEASURED]),
        predicted=found.value if isinstance(found, Prediction) else None,
        tolerance=_tolerance(file, row),
        anchor=bool(row.get("anchor", False)),
        aside=found.aside if isinstance(found, Prediction) else "",
        reason=found if isinstance(found, str) else "",
    )


def _tolerance(file: SuiteFile, row: Row) -> Tolerance:
    """Of the row, else of the suite, else the 90th percentile that it should reach."""
    spec = file.spec
    aims = spec.target or spec.bound
    aimed = (aims.p90 or aims.median) if aims else None
    span = tolerance(row.get("tolerance")) or tolerance(spec.tolerance) or tolerance(aimed)
    return Tolerance(*(span or (0.0, 2.0)))
