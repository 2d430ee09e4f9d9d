"""What a stage is made of decides how work is laid out on it, how sums meet, and how results move on."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from archsim.mappers.phases import PhaseOfWork
from archsim.model.machine import Machine
from archsim.model.taskgraph import Task


@dataclass(frozen=True, slots=True)
class Spread:
    """How a phase occupies a stage: tiles at work, MAC slots of the busiest, copies of a vector, picoseconds to issue.

    `machine` has the instances that work on it. `depth` is the MACs that one tile adds up by itself, `replicas` how
    often the work is done in all, `readings` how often each weight of a product is read.
    """

    machine: Machine
    ways: int
    critical: int
    copies: int
    launch: int
    depth: int
    replicas: int = 1
    readings: int = 1

    def times_read(self, *, product: bool) -> int:
        """Readings of each weight: a vector of weights stands in as many copies as the vector that it meets."""
        return self.readings if product else self.copies


class Layout(Protocol):
    """A kind of stage. Tasks come without a phase."""

    def spread(self, phase: PhaseOfWork) -> Spread:
        """How a phase occupies the stage."""

    def reductions(self, phase: PhaseOfWork, name: str) -> Iterable[Task]:
        """What must meet before the next phase can start."""

    def sampled(self, name: str) -> Iterable[Task]:
        """The choice of a token from logits that are spread over the stage."""

    def crossing(self, source: int, target: int, size: int) -> tuple[Task, ...]:
        """`size` bytes from one stage to another."""
