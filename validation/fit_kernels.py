"""Fit a stack's constants of one kernel on all rows that a suite draws from, and say how well they predict others.

    python validation/fit_kernels.py validation/gemm-a100.yaml PATH.csv [CONSTANT ...]

Constants are paths in the stack (`gemm.wave`, `prefill_attention.kv.fp8.launch`) or in the machine
(`hardware.components.hbm.efficiency`); the suite's `cross_validated.free` if none are given. All others stay as they
are, and they were chosen with every row known. Robust least squares of the logarithm (soft-L1, scale 6 %), each row
simulated. Rows are dealt into five folds by the hash of their shape, and each fold is predicted with constants fitted
on the other four, from powers of ten: of what all rows gave a start knows the magnitude alone.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import yaml
from numpy.typing import NDArray
from sample import cell_of, rows_of

from archsim.study.bench import Bench
from archsim.study.checking import Hardware
from archsim.study.validating.kinds.kernel import KernelSettings, Timing, timing
from archsim.study.validating.prediction import UNITS

Floats = NDArray[np.float64]

FOLDS, SCALE, STEP, ROUNDS, ENOUGH = 5, 0.06, 0.02, 25, 1e-4
DAMPINGS = (1e-3, 1e-1, 1.0, 10.0)
_LEAST = 1e-6


class Points(NamedTuple):
    """What is timed, what was measured (picoseconds), and the fold of each row."""

    timings: Sequence[Timing]
    measured: Floats
    folds: NDArray[np.int64]

    def predicted(self, free: Sequence[str], logs: Floats) -> Floats:
        """Logarithm of predicted over measured, with constants at some logarithms."""
        benches = {id(each.bench): _moved(each.bench, free, logs) for each in self.timings}
        times = [each._replace(bench=benches[id(each.bench)]).picoseconds for each in self.timings]
        return np.asarray(np.log(np.array(times) / self.measured))


def points(suite: Mapping[str, Any], table: str) -> Points:
    """All rows that the suite's cases are drawn from, shapes that stand twice once."""
    settings, sample, columns = KernelSettings.model_validate(suite["settings"]), suite["sample"], suite["columns"]
    found: dict[str, dict[str, Any]] = {}
    for row in rows_of(Path(table), ""):
        if cell_of(str(sample.get("where", "True")), row):
            cells = dict(zip(columns, (cell_of(cell, row) for cell in sample["cells"]), strict=True))
            found.setdefault(",".join(f"{key}={cells[key]}" for key in columns if key != "measured"), cells)
    rows = [found[shape] for shape in sorted(found, key=lambda shape: sha256(shape.encode()).digest())]
    measured = np.array([float(row["measured"]) for row in rows]) * UNITS[settings.unit] / UNITS["ps"]
    return Points([timing(settings, row) for row in rows], measured, np.arange(len(rows)) % FOLDS)


def _moved(bench: Bench, free: Sequence[str], logs: Floats) -> Bench:
    """A bench with other constants."""
    target = bench.target
    for name, log in zip(free, logs, strict=True):
        part, path = _place(name)
        target = replace(target, **{part: _changed(getattr(target, part), path, float(np.exp(log)))})
    return replace(bench, target=target)


def _place(name: str) -> tuple[str, Sequence[str]]:
    """Which part of a checked machine a constant is in, and its path there; links stand among components."""
    path = name.split(".")
    return ("components", path[2:]) if path[0] == "hardware" else ("stack", path)


def _stated(target: Hardware, name: str) -> float:
    part, path = _place(name)
    return _value(getattr(target, part), path)


def _value(item: Any, path: Sequence[str]) -> float:
    for key in path:
        item = item[key] if isinstance(item, Mapping) else getattr(item, key)
    return float(getattr(item, "value", item))


def _changed(item: Any, path: Sequence[str], value: float) -> Any:
    """A stack, or a part of it, with another constant."""
    if path:
        key, *rest = path
        if isinstance(item, Mapping):
            return {**item, key: _changed(item[key], rest, value)}
        return item.model_copy(update={key: _changed(getattr(item, key), rest, value)})
    if hasattr(item, "value"):
        return item.model_copy(update={"value": value})
    return round(value) if isinstance(item, int) else value


def fitted(of: Callable[[Floats], Floats], start: Floats, kept: NDArray[np.bool_]) -> Floats:
    """Logarithms of constants that fit the rows kept best: damped Gauss-Newton steps, weights of soft-L1."""
    at, off = start, of(start)
    for _ in range(ROUNDS):
        moved, found = _step(of, at, off, kept)
        gained = _loss(off[kept]) - _loss(found[kept])
        at, off = moved, found
        if gained <= ENOUGH * _loss(off[kept]):
            break
    return at


def _step(of: Callable[[Floats], Floats], at: Floats, off: Floats, kept: NDArray[np.bool_]) -> tuple[Floats, Floats]:
    """The first step, each shorter than the one before, that lessens the loss, and what is off there; else none."""
    slopes = np.stack([(of(at + step) - off) / STEP for step in STEP * np.eye(len(at))], axis=1)[kept]
    weights = (1 + (off[kept] / SCALE) ** 2) ** -0.5
    normal, right = slopes.T @ (slopes * weights[:, None]), slopes.T @ (off[kept] * weights)
    for damping in DAMPINGS:
        ridge = damping * np.diag(normal.diagonal()) + _LEAST * np.eye(len(at))
        moved: Floats = at - np.clip(np.linalg.solve(normal + ridge, right), -1, 1)
        found = of(moved)
        if _loss(found[kept]) < _loss(off[kept]):
            return moved, found
    return at, off


def _loss(off: Floats) -> float:
    return float(np.sum(np.sqrt(1 + (off / SCALE) ** 2) - 1))


def main(path: str, table: str, *names: str) -> None:
    """Print the constants fitted on all rows and on each four folds, and the errors of rows fitted on and left out."""
    suite = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    known, free = points(suite, table), names or tuple(suite["cross_validated"]["free"])
    start = np.log([_stated(known.timings[0].bench.target, name) for name in free])
    neutral = np.log(10) * np.round(start / np.log(10))

    def of(logs: Floats) -> Floats:
        return known.predicted(free, logs)

    _say("stack", free, start, of(start))
    best = fitted(of, start, known.folds >= 0)
    _say("all", free, best, of(best))
    unseen = np.zeros(len(known.measured))
    for fold in range(FOLDS):
        at = fitted(of, neutral, known.folds != fold)
        unseen[known.folds == fold] = of(at)[known.folds == fold]
        _say(f"without fifth {fold + 1}", free, at, unseen[known.folds == fold])
    _say("left out in turn", (), np.zeros(0), unseen)


def _say(what: str, free: Sequence[str], logs: Floats, off: Floats) -> None:
    median, most = np.quantile(abs(np.exp(off) - 1), (0.5, 0.9))
    shown = "  ".join(_constants(free, logs))
    sys.stdout.write(f"{what:18} {len(off):4} rows {median:6.1%} {most:6.1%}  {shown}\n")


def _constants(free: Sequence[str], logs: Floats) -> Iterator[str]:
    for name, log in zip(free, logs, strict=True):
        yield f"{name} {np.exp(log):.4g}"


if __name__ == "__main__":
    main(*sys.argv[1:])
