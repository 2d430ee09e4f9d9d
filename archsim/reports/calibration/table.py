"""A fit for the terminal: parameters, correlations, errors, and the rows that are worst off."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from archsim.model.calibration import Errors, Fit
from archsim.reports.page import Column, heading, table, written
from archsim.reports.quantities import number

if TYPE_CHECKING:
    from rich.console import Console

_WORST = 8


def render(title: str, fit: Fit, *, width: int | None = None, color: bool = False) -> str:
    """The text of a fit."""
    told: list[Callable[[Console], None]] = [partial(section, fit) for section in (_parameters, _errors, _rows)]
    return f"{title}\n" + written(told, width, color=color)


def _parameters(fit: Fit, console: Console) -> None:
    heading("Parameters", console)
    columns = (
        Column("parameter"),
        *(Column(name, right=True) for name in ("fitted", "95 % interval", "library", "range")),
        *(Column(f"corr. {item.name}", right=True, spare=1) for item in fit.parameters),
    )
    console.print(table(columns, (_parameter(fit, index) for index in range(len(fit.parameters))), console.width))


def _parameter(fit: Fit, index: int) -> tuple[str, ...]:
    item, (low, high) = fit.parameters[index], fit.interval(index)
    return (
        item.name,
        f"{number(item.value * fit.values[index])} {item.unit}",
        f"{number(item.value * low)}–{number(item.value * high)}",
        number(item.value),
        f"{number(item.low)}–{number(item.high)}",
        *(f"{value:+.2f}" for value in fit.correlations[index]),
    )


def _errors(fit: Fit, console: Console) -> None:
    heading("Errors", console)
    columns = (Column("of readings"), Column("median", right=True), Column("90th pct", right=True))
    lines = (
        _line(f"all {len(fit.points)} points", fit.errors),
        _line(f"cross-validated, {fit.folds} folds of groups", fit.crossed),
    )
    console.print(table(columns, lines, console.width))


def _line(name: str, errors: Errors) -> tuple[str, str, str]:
    return name, f"{errors.median:.1%}", f"{errors.p90:.1%}"


def _rows(fit: Fit, console: Console) -> None:
    heading("Worst rows", console)
    columns = (
        Column("set"),
        *(Column(name, right=True) for name in ("line", "measured", "predicted", "error")),
    )
    found = zip(fit.points, fit.predicted, fit.residuals, strict=True)
    worst = sorted(found, key=lambda item: -abs(item[2]))[:_WORST]
    lines = (
        (point.of, str(point.row), f"{point.watts:.0f} W", f"{watts:.0f} W", f"{off:+.1%}")
        for point, watts, off in worst
    )
    console.print(table(columns, lines, console.width))
