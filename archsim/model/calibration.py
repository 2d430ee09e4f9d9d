"""Free parameters of a machine's energy fitted on measured power, robustly, and with reasons to refuse.

Power is linear in the prices, so each measured point is a constant and a slope for each parameter: what is counted over
the measured time. Parameters are relative to the library: 1 is what it says, and its ranges are prior and bounds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from numpy import float64
    from numpy.typing import NDArray

FOLDS = 5
POINTS_EACH = 8
"""Points below the cap that each parameter needs."""

MOST_CORRELATED = 0.95
_NOISE = 0.05
"""Relative error from which on a point counts less (soft L1): board and window corrections."""

_ROUNDS = 200
_DONE = 1e-7
_NORMAL_95 = 1.96
_FLOOR = 0.003
"""Spread of readings at the cap: no fit is surer than that."""


class Parameter(NamedTuple):
    """What is fitted: its name and unit, and value, low and high as the library has them."""

    name: str
    unit: str
    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Point:
    """Measured watts of a device, and what they should be: `fixed` plus a slope for each parameter at its value.

    A reading that sees a share of the rise is `idle + (drawn - idle) x seen`, with what is drawn held to `cap`.
    Points of a `group` are left out together.
    """

    of: str
    row: int
    group: str
    watts: float
    fixed: float
    slopes: tuple[float, ...]
    seen: float = 1.0
    idle: float = 0.0
    cap: float | None = None


@dataclass(frozen=True, slots=True)
class Errors:
    """Relative errors: median and 90th percentile."""

    median: float
    p90: float


@dataclass(frozen=True)
class Fit:
    """Parameters relative to the library, with standard deviations and correlations, and how well they do.

    `crossed` are errors of points whose group was left out of the fit; `residuals` are predicted / measured - 1.
    """

    parameters: tuple[Parameter, ...]
    values: tuple[float, ...]
    deviations: tuple[float, ...]
    correlations: tuple[tuple[float, ...], ...]
    points: tuple[Point, ...]
    predicted: tuple[float, ...]
    errors: Errors
    crossed: Errors
    folds: int

    @property
    def residuals(self) -> tuple[float, ...]:
        """Of each point."""
        return tuple(found / point.watts - 1 for found, point in zip(self.predicted, self.points, strict=True))

    def interval(self, index: int) -> tuple[float, float]:
        """The 95 % interval of a parameter, relative to the library."""
        value, spread = self.values[index], _NORMAL_95 * self.deviations[index]
        return max(0.0, value - spread), value + spread


class RefusedError(Exception):
    """Why a fit says nothing; `reasons` are sentences."""

    def __init__(self, reasons: Sequence[str]) -> None:
        self.reasons = tuple(reasons)
        super().__init__("; ".join(reasons))


def needed(parameters: Sequence[Parameter]) -> int:
    """Points that so many parameters need."""
    return POINTS_EACH * len(parameters)


def fit(points: Sequence[Point], parameters: Sequence[Parameter]) -> Fit:
    """The fit of all points, cross-validated by group.

    Raises:
        RefusedError: where it does not converge, ends on a bound, or two parameters can't be told apart.
    """
    problem = _Problem(tuple(points), tuple(parameters))
    values = problem.solved()
    deviations, correlations = problem.uncertainty(values)
    reasons = [*problem.on_bounds(values), *problem.degenerate(correlations)]
    if reasons:
        raise RefusedError(reasons)
    predicted = problem.readings(values)
    crossed, folds = _crossed(problem)
    return Fit(
        parameters=problem.parameters,
        values=tuple(map(float, values)),
        deviations=deviations,
        correlations=correlations,
        points=problem.points,
        predicted=tuple(map(float, predicted)),
        errors=_errors(predicted, problem.watts),
        crossed=_errors(crossed, problem.watts),
        folds=folds,
    )


def _crossed(problem: _Problem) -> tuple[Any, int]:
    """Each point as predicted without its fold, and the number of folds; groups go to folds in turn."""
    groups = sorted({point.group for point in problem.points})
    folds = min(FOLDS, len(groups))
    fold_of = {group: index % folds for index, group in enumerate(groups)}
    found = [0.0] * len(problem.points)
    for fold in range(folds):
        kept = tuple(point for point in problem.points if fold_of[point.group] != fold)
        if not kept:
            raise RefusedError(["all points are of one group: nothing is left to fit without it"])
        values = _Problem(kept, problem.parameters).solved()
        for index, reading in enumerate(problem.readings(values)):
            if fold_of[problem.points[index].group] == fold:
                found[index] = float(reading)
    return found, folds


def _errors(predicted: Any, watts: Any) -> Errors:
    import numpy as np  # a tenth of a second, and only a calibration needs it

    off = np.abs(np.asarray(predicted) / np.asarray(watts) - 1)
    return Errors(float(np.median(off)), float(np.percentile(off, 90)))


class _Problem:
    """Points and parameters as arrays."""

    def __init__(self, points: tuple[Point, ...], parameters: tuple[Parameter, ...]) -> None:
        import numpy as np  # as above

        self.points, self.parameters = points, parameters
        self.watts: NDArray[float64] = np.array([point.watts for point in points])
        self._fixed = np.array([point.fixed for point in points])
        self._slopes = np.array([point.slopes for point in points]).reshape(len(points), len(parameters))
        self._seen: NDArray[float64] = np.array([point.seen for point in points])
        self._idle: NDArray[float64] = np.array([point.idle for point in points])
        self._cap = np.array([np.inf if point.cap is None else point.cap for point in points])
        ends = [(item.low / item.value, item.high / item.value) for item in parameters]
        self._low, self._high = (np.array(end) for end in zip(*ends, strict=True))
        self._prior = (self._high - self._low) / (2 * _NORMAL_95)

    def readings(self, values: NDArray[float64]) -> NDArray[float64]:
        """Watts as they would be read."""
        import numpy as np  # as above

        drawn = np.minimum(self._fixed + self._slopes @ values, self._cap)
        found: NDArray[float64] = self._idle + (drawn - self._idle) * self._seen
        return found

    def solved(self) -> NDArray[float64]:
        """Values by damped, reweighted least squares of the logarithm, from the library's on; raise RefusedError."""
        import numpy as np  # as above

        values: NDArray[float64] = np.ones(len(self.parameters))
        damping = 1e-3
        loss = self._loss(values)
        for _ in range(_ROUNDS):
            step = self._step(values, damping)
            tried = np.clip(values + step, self._low, self._high)
            found = self._loss(tried)
            if found <= loss:
                moved, values, loss = np.abs(tried - values).max(), tried, found
                damping = max(damping / 5, 1e-9)
                if moved < _DONE:
                    return values
            elif damping > 1 / _DONE:
                return values
            else:
                damping *= 4
        raise RefusedError([f"it does not converge in {_ROUNDS} rounds"])

    def _step(self, values: NDArray[float64], damping: float) -> Any:
        """The step of all parameters that no bound holds back."""
        import numpy as np  # as above

        residual, jacobian, weight = self._linear(values)
        normal = jacobian.T @ (weight[:, None] * jacobian) / _NOISE**2 + np.diag(1 / self._prior**2)
        slope = jacobian.T @ (weight * residual) / _NOISE**2 + (values - 1) / self._prior**2
        held = ((values <= self._low) & (slope > 0)) | ((values >= self._high) & (slope < 0))
        free = np.flatnonzero(~held)
        damped = (normal + damping * np.diag(np.diag(normal)))[np.ix_(free, free)]
        step = np.zeros(len(values))
        step[free] = -np.linalg.solve(damped, slope[free])
        return step

    def _linear(self, values: NDArray[float64]) -> tuple[Any, Any, Any]:
        """Logarithmic residuals, their slopes, and what each point counts."""
        import numpy as np  # as above

        readings = self.readings(values)
        residual = np.log(readings / self.watts)
        free = (self._fixed + self._slopes @ values < self._cap) * self._seen
        return residual, self._slopes * (free / readings)[:, None], 1 / np.sqrt(1 + (residual / _NOISE) ** 2)

    def _loss(self, values: NDArray[float64]) -> float:
        import numpy as np  # as above

        residual = np.log(self.readings(values) / self.watts) / _NOISE
        prior = ((values - 1) / self._prior) ** 2
        return float(2 * np.sum(np.sqrt(1 + residual**2) - 1) + np.sum(prior))

    def uncertainty(self, values: NDArray[float64]) -> tuple[tuple[float, ...], tuple[tuple[float, ...], ...]]:
        """Standard deviations with the prior, and correlations without it: a prior would hide a degenerate fit."""
        import numpy as np  # as above

        residual, jacobian, weight = self._linear(values)
        spread = max(_FLOOR, 1.4826 * float(np.median(np.abs(residual))))
        known = jacobian.T @ (weight[:, None] * jacobian) / spread**2
        deviations = np.sqrt(np.diag(np.linalg.inv(known + np.diag(1 / self._prior**2))))
        free = np.linalg.pinv(known)
        scale = np.sqrt(np.clip(np.diag(free), 1e-300, None))
        correlations = free / np.outer(scale, scale)
        return tuple(map(float, deviations)), tuple(tuple(map(float, row)) for row in correlations)

    def on_bounds(self, values: NDArray[float64]) -> list[str]:
        """A sentence for each parameter that the library's range holds back."""
        return [
            f"{item.name} ends on its bound, {bound * item.value:.3g} {item.unit}: the range of the library is "
            f"{item.low:.3g} to {item.high:.3g}"
            for item, value, ends in zip(self.parameters, values, zip(self._low, self._high, strict=True), strict=True)
            for bound in ends
            if abs(value - bound) < _DONE
        ]

    def degenerate(self, correlations: tuple[tuple[float, ...], ...]) -> list[str]:
        """A sentence for each pair that the points can't tell apart."""
        return [
            f"{one.name} and {other.name} can't be told apart: their correlation is {correlations[row][column]:+.3f}, "
            f"beyond {MOST_CORRELATED}"
            for row, one in enumerate(self.parameters)
            for column, other in enumerate(self.parameters[:row])
            if abs(correlations[row][column]) > MOST_CORRELATED
        ]
