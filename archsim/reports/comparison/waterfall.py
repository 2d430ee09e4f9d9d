"""From the baseline's joules to a candidate's, step by step, by kind of hardware and by tensor."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import accumulate
from typing import Literal, NamedTuple

from archsim.model.result import KINDS
from archsim.reports.comparison.bars import Span
from archsim.reports.comparison.matrix import Comparison, joules
from archsim.reports.comparison.outcome import Cell
from archsim.reports.comparison.words import NAMES
from archsim.reports.quantities import si

_TENSORS = ("weights", "kv", "state", "activations", "arithmetic", "active", "static")
ORDERS: Mapping[str, tuple[str, ...]] = {"kind": KINDS, "tensor": _TENSORS}


class Step(NamedTuple):
    """A line: a machine, or what makes more or less between two; where its bar lies, and its joules."""

    label: str
    sort: Literal["whole", "more", "less"]
    bar: Span
    joules: str


@dataclass(frozen=True, slots=True)
class Waterfall:
    """The way from the baseline of a workload to a candidate; `first` says that it is the one to show first."""

    id: str
    workload: str
    candidate: str
    steps: Mapping[str, tuple[Step, ...]]
    first: bool = False


def waterfalls(comparison: Comparison) -> tuple[Waterfall, ...]:
    """All there are to choose from; the first workload's best candidate is shown first."""
    found = list(_all(comparison))
    best = min(found, key=lambda pair: (pair[0], joules(pair[1])), default=None)
    return tuple(
        Waterfall(
            id=f"{row}-{comparison.machines.index(cell.machine)}",
            workload=cell.workload.label,
            candidate=cell.machine.label,
            steps={column: _steps(baseline, cell, column) for column in ORDERS},
            first=best is not None and best[1] is cell,
        )
        for row, cell, baseline in found
    )


def _all(comparison: Comparison) -> Iterator[tuple[int, Cell, Cell]]:
    for row, workload in enumerate(comparison.workloads):
        baseline = comparison.reference(workload)
        for cell in comparison.results(workload):
            if baseline is not None and cell is not baseline:
                yield row, cell, baseline


def _steps(baseline: Cell, candidate: Cell, column: str) -> tuple[Step, ...]:
    """Differences between the two wholes; what is equal in both makes no step."""
    before, after = (cell.document["energy"][f"by_{column}"] for cell in (baseline, candidate))
    names = dict.fromkeys((*ORDERS[column], *before, *after))
    changes = {name: after.get(name, 0.0) - before.get(name, 0.0) for name in names}
    changes = {name: change for name, change in changes.items() if change}
    sums = list(accumulate(changes.values(), initial=joules(baseline)))
    scale = 100 / (max(*sums, joules(candidate)) or 1.0)
    return (
        _whole(baseline, scale),
        *(
            Step(
                NAMES.get(name, name),
                "more" if change > 0 else "less",
                Span(round(scale * min(start, start + change), 3), round(scale * abs(change), 3)),
                f"{'+' if change > 0 else '−'}{si(abs(change), 'J')}",
            )
            for start, (name, change) in zip(sums, changes.items(), strict=False)
        ),
        _whole(candidate, scale),
    )


def _whole(cell: Cell, scale: float) -> Step:
    return Step(cell.machine.label, "whole", Span(0.0, round(scale * joules(cell), 3)), si(joules(cell), "J"))
