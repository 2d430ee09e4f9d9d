"""Trivial laws that predictions must beat; their parameters are fitted on the very cases that they are scored on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from archsim.study.validating.prediction import Prediction
from archsim.study.validating.suites import MEASURED, BaselineSpec, Row

Vector = npt.NDArray[np.float64]

_ROUNDS, _TINY = 60, 1e-4
"""Rounds of reweighting towards the least sum of relative errors, and the error below which no case weighs more."""


def baseline(
    law: BaselineSpec | None, rows: Sequence[Row], found: Sequence[Prediction | None]
) -> tuple[float | None, ...]:
    """What a law says of each case; None where it says nothing, or there is no prediction to beat."""
    if law is None:
        return (None,) * len(rows)
    if law.law == "column":
        return tuple(row.get(law.of) for row in rows)
    if law.law == "bound":
        return tuple(item.bound if item else None for item in found)
    said: list[float | None] = [None] * len(rows)
    groups: dict[tuple[Any, ...], list[int]] = {}
    for index, (row, item) in enumerate(zip(rows, found, strict=True)):
        if item is not None:
            groups.setdefault(tuple(row.get(name) for name in law.per), []).append(index)
    for places in groups.values():
        measured = np.array([float(rows[place][MEASURED]) for place in places])
        features = np.array([_features(law, rows[place], found[place]) for place in places])
        for place, value in zip(places, _LAWS[law.law](features, measured), strict=True):
            said[place] = float(value)
    return tuple(said)


def _features(law: BaselineSpec, row: Row, item: Prediction | None) -> tuple[float, float, float]:
    """What is moved (unique bytes, or a column), MACs, and executions of operators."""
    if item is None:
        raise AssertionError("only cases with a prediction are grouped")
    return float(row[law.of]) if law.of else float(item.bytes), float(item.macs), float(item.operators)


def _affine(features: Vector, measured: Vector) -> Vector:
    """A x operators + x / b."""
    return _fitted(features[:, [2, 0]], measured)


def _constant(features: Vector, measured: Vector) -> Vector:
    return _fitted(np.ones_like(features[:, :1]), measured)


def _roofline(features: Vector, measured: Vector) -> Vector:
    """A x operators + the larger of bytes / b and MACs / c: which of the two counts is settled by turns."""
    moved, macs, operators = features.T
    scale = np.array([np.min(measured / np.maximum(column, 1.0)) for column in (moved, macs)])
    said: Vector = np.maximum(moved * scale[0], macs * scale[1])
    for _ in range(_ROUNDS):
        memory = moved * scale[0] >= macs * scale[1]
        design = np.column_stack((operators, np.where(memory, moved, 0), np.where(memory, 0, macs)))
        parameters = _parameters(design, measured)
        scale = np.where(parameters[1:] > 0, parameters[1:], scale)
        said = max(parameters[0], 0.0) * operators + np.maximum(moved * scale[0], macs * scale[1])
    return said


def _fitted(design: Vector, measured: Vector) -> Vector:
    said: Vector = design @ _parameters(design, measured)
    return said


def _parameters(design: Vector, measured: Vector) -> Vector:
    """Least sum of |relative error|, by reweighted least squares; columns are scaled so that none drowns."""
    size = np.abs(design).max(axis=0)
    size = np.where(size > 0, size, 1.0)
    relative = design / size / measured[:, None]
    weights = np.ones(len(measured))
    parameters: Vector = np.zeros(design.shape[1])
    for _ in range(_ROUNDS):
        parameters = np.linalg.lstsq(relative * weights[:, None], weights, rcond=None)[0].astype(np.float64)
        weights = 1 / np.sqrt(np.maximum(np.abs(relative @ parameters - 1), _TINY))
    return np.asarray(parameters / size)


_LAWS: dict[str, Callable[[Vector, Vector], Vector]] = {
    "affine": _affine,
    "constant": _constant,
    "roofline": _roofline,
}
