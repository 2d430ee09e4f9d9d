"""From a fit to files: a hardware file that extends the machine with the fitted prices, figures, residuals."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import yaml

from archsim.config.shipped import shipped
from archsim.model.calibration import Fit
from archsim.model.ledger import price_unit
from archsim.model.price import Price
from archsim.model.price_paths import path_of
from archsim.reports.calibration import table
from archsim.reports.calibration.picture import residuals
from archsim.study.calibrating.calibrate import Calibrated
from archsim.study.calibrating.points import ACTIVE, kind_of
from archsim.study.files import HARDWARE_FOLDER
from archsim.study.writing import prepare, write_whole

__all__ = ["document", "prepare", "publish", "refusals", "rendered"]


def rendered(found: Calibrated, *, width: int | None = None, color: bool = False) -> str:
    """A fit in words; nothing of one that was refused."""
    if found.fit is None:
        return ""
    names = ", ".join(f"{item.name} ({len(item.rows)} rows)" for item in found.sets)
    title = f"{found.target.header.name} with {found.target.stack.name}, on {names}"
    return table.render(title, found.fit, width=width, color=color)


def refusals(found: Calibrated) -> tuple[str, ...]:
    """Why there is no fit, each with the machine that it is about."""
    return tuple(f"{found.target.header.name}: {reason}" for reason in found.reasons)


def publish(found: Calibrated, folder: Path) -> list[Path]:
    """Write NAME.yaml, NAME.json and NAME.svg; their paths, none of a fit that was refused."""
    fit = found.fit
    if fit is None:
        return []
    stem = f"{Path(found.device).stem}-calibrated"
    texts = {
        ".yaml": _yaml(found, fit, folder),
        ".json": json.dumps(document(found, fit), indent=2, ensure_ascii=False) + "\n",
        ".svg": residuals(fit, found.target.header.name),
    }
    paths = [folder / f"{stem}{suffix}" for suffix in texts]
    for path, text in zip(paths, texts.values(), strict=True):
        write_whole(path, text)
    return paths


def document(found: Calibrated, fit: Fit) -> dict[str, Any]:
    """The figures of a fit as plain data."""
    return {
        "device": found.target.header.name,
        "stack": found.target.stack.name,
        "sets": [{"name": item.name, "rows": len(item.rows)} for item in found.sets],
        "parameters": [_parameter(fit, index) for index in range(len(fit.parameters))],
        "correlations": [list(row) for row in fit.correlations],
        "errors": asdict(fit.errors),
        "cross_validated": {**asdict(fit.crossed), "folds": fit.folds},
        "points": [
            {"set": point.of, "line": point.row, "measured_w": point.watts, "predicted_w": predicted}
            for point, predicted in zip(fit.points, fit.predicted, strict=True)
        ],
    }


def _parameter(fit: Fit, index: int) -> dict[str, Any]:
    item, (low, high) = fit.parameters[index], fit.interval(index)
    return {
        "name": item.name,
        "unit": item.unit,
        "library": {"value": item.value, "low": item.low, "high": item.high},
        "value": item.value * fit.values[index],
        "low": item.value * low,
        "high": item.value * high,
    }


def _yaml(found: Calibrated, fit: Fit, folder: Path) -> str:
    header = found.target.header
    base = found.device if found.device in shipped(HARDWARE_FOLDER) else os.path.relpath(found.device, folder)
    names = ", ".join(item.name for item in found.sets)
    content: dict[str, Any] = {
        "schema": "archsim.hardware/1",
        "extends": base,
        "name": f"{header.name}, calibrated on {names}",
    }
    for path, price, text in _prices(found, fit, names):
        place = content
        for key in path[:-1]:
            place = place.setdefault(key, {})
        place[path[-1]] = {**price, "grade": "measured", "source": text}
    told = f"# Fitted on {names} ({len(fit.points)} rows, stack {found.target.stack.name}): {_told(fit)}.\n"
    told += "".join(f"# {sentence}\n" for sentence in _of_the_mix(fit))
    return told + yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=160)


def _of_the_mix(fit: Fit) -> Iterator[str]:
    """What belongs to the mix of a stack, and not to the machine: kernels alone and prompts would pay it too."""
    for index, item in enumerate(fit.parameters):
        if item.name == ACTIVE:
            low, high = (item.value * end for end in fit.interval(index))
            fitted = f"{item.value * fit.values[index]:.3g} {item.unit} ({low:.3g} to {high:.3g})"
            yield f"Not written: `{ACTIVE}`, {fitted}, is a term of the stack's `mix`, which decode steps alone pay."


def _told(fit: Fit) -> str:
    errors, crossed = fit.errors, fit.crossed
    left = f"{crossed.median:.1%} and {crossed.p90:.1%} with each of {fit.folds} parts left out"
    return f"{errors.median:.1%} off at the median and {errors.p90:.1%} at the 90th percentile, {left}"


def _prices(found: Calibrated, fit: Fit, names: str) -> Iterator[tuple[tuple[str, ...], dict[str, str], str]]:
    """Each fitted price as a file states it, with where; each one once."""
    scale = {item.name: (fit.values[index], fit.interval(index)) for index, item in enumerate(fit.parameters)}
    seen: set[tuple[str, ...]] = set()
    for item in found.items:
        machine = item.result.machine
        for entry in item.result.entries:
            kind, row = kind_of(entry, machine), entry.row
            path = path_of(machine, row.component, row.action)
            if kind not in scale or kind == ACTIVE or not path or path in seen:
                continue
            seen.add(path)
            value, (low, high) = scale[kind]
            stated = entry.stated or entry.price
            ends = _ends(stated, value, low, high, price_unit(row.unit))
            told = f"x {value:.3f} ({low:.3f} to {high:.3f}) of the library's"
            yield path, ends, f"calibrated on {names} ({len(fit.points)} rows): {told}"


def _ends(stated: Price, value: float, low: float, high: float, unit: str) -> dict[str, str]:
    """The fitted price, and a range that holds the interval of the fit and what the library says."""
    ends = {
        "value": stated.value * value,
        "low": min(stated.low, stated.value * low),
        "high": max(stated.high, stated.value * high),
    }
    return {name: f"{end:.4g} {unit}" for name, end in ends.items()}
