"""The double-entry ledger: counts by component and action (credit) and by operator, phase and tensor (debit)."""

from __future__ import annotations

from dataclasses import dataclass

from archsim.model.machine import Machine
from archsim.model.run import Run

STATIC_ACTION = "static"

_TIME = "ps"
"""What a row counts that is paid by time."""


@dataclass(frozen=True, slots=True)
class Row:
    """One entry: `count` units (B, MAC, op; ps for time) of an action."""

    component: str
    action: str
    operator: str
    phase: str
    tensor: str
    count: int
    unit: str

    @property
    def timed(self) -> bool:
        """Whether time is counted: its price is a power, and its joules follow the length of the run."""
        return self.unit == _TIME


def price_unit(unit: str) -> str:
    """What a price of one `unit` is stated in: a power where time is counted."""
    return "W" if unit == _TIME else f"pJ/{unit}"


def ledger(run: Run, machine: Machine) -> tuple[Row, ...]:
    """All rows of a run: what was done, then the time of every powered component, all instances, at work or not."""
    return (*_done(run, machine), *_static(run, machine))


def _done(run: Run, machine: Machine) -> list[Row]:
    totals: dict[tuple[str, str, str, str, str], int] = {}
    for key, count in run.counts.items():
        group = machine.group_of(key.component)
        entry = (group, key.action, key.operator, key.phase, key.tensor)
        totals[entry] = totals.get(entry, 0) + count
    return [Row(*entry, count, machine.actions[entry[0]][entry[1]].unit) for entry, count in totals.items() if count]


def _static(run: Run, machine: Machine) -> list[Row]:
    powered = [name for name, component in machine.components.items() if component.static.high > 0]
    return [
        Row(name, STATIC_ACTION, span.operator, span.phase, "", held * machine.instances(name), _TIME)
        for name in powered
        for span, held in run.held.items()
        if held
    ]
