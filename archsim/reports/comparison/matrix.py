"""The comparison as a value: workloads by machines, ratios to the baseline, and who is best."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from archsim.model.uncertainty import Band, ratio_band
from archsim.reports.comparison.outcome import Cell, Outcome, Refusal, Subject

SCHEMA = "archsim.compare/1"


class Pace(NamedTuple):
    """The time that a cell is compared by, and what it is of."""

    seconds: float
    of: str


@dataclass(frozen=True)
class Comparison:
    """Outcomes by workload, then machine, in the order asked for; `baseline` is the index of a machine."""

    workloads: tuple[Subject, ...]
    machines: tuple[Subject, ...]
    baseline: int
    rows: tuple[tuple[Outcome, ...], ...]

    @property
    def outcomes(self) -> Iterator[Outcome]:
        """All cells in order."""
        return (outcome for row in self.rows for outcome in row)

    @property
    def cells(self) -> tuple[Cell, ...]:
        """Those with figures."""
        return tuple(outcome for outcome in self.outcomes if isinstance(outcome, Cell))

    @property
    def refusals(self) -> tuple[Refusal, ...]:
        """Those without."""
        return tuple(outcome for outcome in self.outcomes if isinstance(outcome, Refusal))

    @property
    def mixed(self) -> bool:
        """Whether the joules of its machines cover different things."""
        return len({machine.boundary for machine in self.machines}) > 1

    def reference(self, workload: Subject) -> Cell | None:
        """The baseline's cell of a workload; None where it has no figures."""
        outcome = self.rows[self.workloads.index(workload)][self.baseline]
        return outcome if isinstance(outcome, Cell) else None

    def results(self, workload: Subject) -> tuple[Cell, ...]:
        """The cells of a workload."""
        return tuple(item for item in self.rows[self.workloads.index(workload)] if isinstance(item, Cell))


def joules(cell: Cell) -> float:
    """Joules per output token."""
    return float(cell.document["energy"]["per_token_j"])


def pace(cell: Cell) -> Pace:
    """Time per token; to the first token, or of the whole run, where there is no such interval."""
    latency = cell.document["latency"]
    if latency["tpot_s"] is not None:
        return Pace(float(latency["tpot_s"]), "per token")
    if latency["ttft_s"] is not None:
        return Pace(float(latency["ttft_s"]), "to first token")
    return Pace(float(latency["total_s"]), "in total")


class Ratios(NamedTuple):
    """Energy and time of a cell in those of the baseline; None without one.

    `band` is of energy: constants that both stand on cancel. `alike` says that the joules of both cover the same.
    """

    energy: float | None
    band: Band | None
    time: float | None
    alike: bool


def ratios(comparison: Comparison, cell: Cell) -> Ratios:
    """A cell against the baseline of its workload."""
    reference = comparison.reference(cell.workload)
    if reference is None:
        return Ratios(None, None, None, alike=True)
    mine, its, known = pace(cell), pace(reference), joules(reference) > 0
    return Ratios(
        joules(cell) / joules(reference) if known else None,
        ratio_band(cell.constants, reference.constants) if known else None,
        mine.seconds / its.seconds if its.seconds and mine.of == its.of else None,
        cell.machine.boundary == reference.machine.boundary,
    )
