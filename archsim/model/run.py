"""What a simulation found: integers only, so that runs add up and scale exactly."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from archsim.model.taskgraph import Port, Task

STATIC = "(static)"
"""The operator that bears time in which no task runs."""


class CountKey(NamedTuple):
    """One row of the double-entry ledger: credit (component, action), debit (operator, phase, tensor)."""

    component: str
    action: str
    operator: str
    phase: str
    tensor: str


class Span(NamedTuple):
    """The operator and phase that an instant belongs to."""

    operator: str
    phase: str


@dataclass(frozen=True, slots=True)
class Mark:
    """An instant, in picoseconds, at which something was complete: `what` is the `closes` of a segment."""

    what: str
    at: int


@dataclass(frozen=True, slots=True)
class Interval:
    """One execution of a task, from its launch to the end of its last flow, in picoseconds.

    `flows` says from when to when each of its flows used its ports.
    """

    task: Task
    start: int
    end: int
    flows: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Run:
    """Time and counts of one simulation.

    `counts` holds completions x bills. `held` divides all picoseconds among operators: each instant belongs to the
    earliest task in program order that has started and not ended, or to `(static)`. `busy` is, per port, the ticks of
    it that completed flows took. `served` is units of one device by component and action, as its servers counted them
    where a fidelity has servers that count. `timeline` has every execution of a task where it was asked for.
    """

    picoseconds: int
    counts: Mapping[CountKey, int]
    held: Mapping[Span, int]
    busy: Mapping[Port, int]
    marks: tuple[Mark, ...]
    events: int
    fidelity: str
    served: Mapping[tuple[str, str], int] = field(default_factory=dict)
    timeline: tuple[Interval, ...] = ()
