"""A stage of whole chips that share every operator: each has a part of the weights, and links of its own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from archsim.mappers.access import Paths
from archsim.mappers.collectives import Fabric, all_reduce, device_link
from archsim.mappers.layout import Spread
from archsim.mappers.phases import PhaseOfWork
from archsim.mappers.region import Homes, part
from archsim.model.machine import Machine
from archsim.model.stack import Stack
from archsim.model.taskgraph import Task
from archsim.model.trace import Operator, Tensor


@dataclass(frozen=True)
class ChipLayout:
    """`chips` devices as one stage: `machine` has all their instances, `one` those of a single device."""

    machine: Machine
    one: Machine
    homes: Homes
    stack: Stack
    chips: int

    def spread(self, phase: PhaseOfWork) -> Spread:
        """An even share for every tile; what is not sharded is done on each chip."""
        ways = self.machine.components[self.homes.tile].count
        replicas = self.chips if phase.operator.shards == "none" else 1
        macs = phase.operator.macs * replicas
        deep = phase.product.k if phase.product else 1
        return Spread(self.machine, ways, -(-macs // ways), self.chips, 0, deep, replicas)

    def reductions(self, phase: PhaseOfWork, name: str) -> Iterator[Task]:
        """A sum over the chips where each has a partial sum of all outputs."""
        if self.chips > 1 and phase.operator.shards in ("rows", "experts") and phase.product is not None:
            yield self._all_reduce(phase.operator)

    def sampled(self, name: str) -> Iterator[Task]:
        """The largest logit of each chip, and its index, known to all."""
        if self.chips > 1:
            largest = Tensor("largest", "activations", 2, "fp32", 8)
            yield self._all_reduce(Operator(name, (), (largest,)))

    def _all_reduce(self, operator: Operator) -> Task:
        local = self.homes.local
        paths = Paths(self.homes.weights, self.homes.cache, local, local, self.homes.activations)
        group = part(self.one, {}, devices=self.chips)
        return all_reduce(operator, "", Fabric(group, self.stack, paths), self.chips, Fraction(self.chips))

    def crossing(self, source: int, target: int, size: int) -> tuple[Task, ...]:
        """Each chip sends its copy of the vector to its counterpart."""
        link = device_link(self.one)
        group = part(self.one, {}, devices=self.chips)
        launch = self.machine.actions[link]["move"].latency
        return (Task("crossing", "", (group.exchange(link, "outputs", size, None),), launch),)
