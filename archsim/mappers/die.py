"""A layer in hard-wired logic: its own arrays of weights, its own banks of cache, its own adders."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from math import ceil, log2

from archsim.mappers.chips import ChipLayout
from archsim.mappers.layout import Spread
from archsim.mappers.phases import PhaseOfWork
from archsim.mappers.region import part
from archsim.mappers.sequences import touched
from archsim.model.machine import Machine
from archsim.model.taskgraph import Task
from archsim.model.trace import Experts


@dataclass(frozen=True, slots=True)
class Delays:
    """Picoseconds on a die: a level of an adder tree, the rest of a product, and from layer to layer."""

    level: int
    product: int
    barrier: int


@dataclass(frozen=True)
class DieLayout:
    """Every stage is a layer of a die; `chip_of` names the group of chips that a stage is on.

    Weights meet one row of activations at a time: each row reads them anew. `machine` has the banks and adders of one
    layer on all chips of a group; arrays of `rom` are as many as a matrix needs, so that all of it is read in as many
    cycles as an array has rows.
    """

    machine: Machine
    chips: ChipLayout
    chip_of: Sequence[int]
    rom: str
    array: int
    row: int
    delays: Delays

    def spread(self, phase: PhaseOfWork) -> Spread:
        """As many arrays as the weights fill; small vectors of weights are a row deep."""
        inner = self.chips.spread(phase)
        held = sum(tensor.bytes for tensor in phase.operator.reads if tensor.role == "weights")
        size = held if phase.operator.multiplies else held * inner.copies
        arrays = -(-size // (self.array if phase.product else self.row))
        ways = self.machine.components[self.chips.homes.tile].count
        macs = phase.operator.macs * inner.replicas
        machine = part(self.machine, {self.rom: max(1, arrays)}, devices=1)
        return replace(inner, machine=machine, ways=ways, critical=-(-macs // ways), readings=_readings(phase))

    def reductions(self, phase: PhaseOfWork, name: str) -> Iterator[Task]:
        """The adder tree of a product or of a statistic, then a sum over chips where they share a layer."""
        if phase.product is not None:
            yield Task(f"{name}_reduce", "", (), self.delays.product + self._tree(phase.product.k))
        for _ in range(phase.statistics):
            yield Task(
                f"{name}_reduce", "", (), self._tree(max(2, phase.product.n if phase.product else _width(phase)))
            )
        yield from self.chips.reductions(phase, name)

    def _tree(self, terms: int) -> int:
        return self.delays.level * ceil(log2(max(2, terms)))

    def sampled(self, name: str) -> Iterator[Task]:
        """The largest logit."""
        yield from self.chips.sampled(name)

    def crossing(self, source: int, target: int, size: int) -> tuple[Task, ...]:
        """From layer to layer on a die, or over the link to the next chips."""
        one, other = self.chip_of[source], self.chip_of[target]
        if one != other:
            return self.chips.crossing(one, other, size)
        return (Task("crossing", "", (), self.delays.barrier),)


def _readings(phase: PhaseOfWork) -> int:
    """Rows that each weight meets, of the experts that have any."""
    shape, rows = phase.operator.shape, phase.product.rows if phase.product else 1
    return -(-rows // max(1, touched(shape))) if isinstance(shape, Experts) else rows


def _width(phase: PhaseOfWork) -> int:
    """Values of a row that a statistic is taken of."""
    return sum(tensor.elements for tensor in phase.operator.writes) // phase.rows
