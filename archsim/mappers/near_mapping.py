"""Where each operator of a near-memory machine runs, the tasks that it becomes, and what it reads again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Literal

from archsim.mappers.collectives import Fabric, all_reduce
from archsim.mappers.fusion import fused
from archsim.mappers.near_host import Host, appending, softmax, together
from archsim.mappers.near_products import is_product, products
from archsim.mappers.near_units import Units, alone
from archsim.mappers.parallel import shard
from archsim.model.machine import Machine
from archsim.model.plan import Declaration
from archsim.model.stack import Stack
from archsim.model.taskgraph import Task
from archsim.model.trace import Attention, Experts, Gemm, Operator, Phase

HostRows = int | Literal["fastest", "never"]
"""Rows from which products may leave the memories."""


@dataclass(frozen=True, slots=True)
class Made:
    """The tasks of an operator, and what they read of its tensors at home beyond their unique bytes."""

    tasks: tuple[Task, ...]
    declared: tuple[Declaration, ...] = ()


@dataclass(frozen=True)
class NearMapping:
    """What stays the same for all operators of a run; the tasks of an operator are made once."""

    machine: Machine
    stack: Stack
    degree: int
    host_rows: HostRows
    units: Units
    host: Host
    _made: dict[tuple[str, tuple[int, ...]], tuple[Made, tuple[Operator, ...]]] = field(default_factory=dict)
    _ran: dict[tuple[str, str], None] = field(default_factory=dict)

    def places(self) -> dict[str, str]:
        """Which operators ran where, for the line beside the number."""
        found: dict[str, list[str]] = {}
        for component, name in self._ran:
            found.setdefault(component, []).append(name)
        return {f"at {component}": ", ".join(names) for component, names in sorted(found.items())}

    def made(self, group: tuple[Operator, ...], phase: Phase) -> Made:
        """The tasks of a kernel or product, with what joins it."""
        same = (phase, tuple(map(id, group)))
        if same not in self._made:  # the operators are kept beside their tasks: their ids stay theirs
            self._made[same] = self._make(group, phase), group
        return self._made[same][0]

    def _make(self, group: tuple[Operator, ...], phase: Phase) -> Made:
        """At the units where they compute it, unless the host part may do it and is faster."""
        whole, tile = fused(group), self.units.paths.tile
        options: dict[str, Callable[[], Made]] = {}
        if is_product(whole) and self.units.computes(whole):
            options[self.units.name] = lambda: self._near(group, phase)
        if not options or self._may_leave(whole):
            options[tile] = lambda: self._on_host(whole, phase)
        made = {name: make() for name, make in options.items()}
        fastest = self.host_rows == "fastest"
        chosen = min(made, key=lambda name: alone(made[name].tasks)) if fastest else [*made][-1]
        self._ran[chosen, whole.name] = None
        return made[chosen]

    def _may_leave(self, operator: Operator) -> bool:
        """Whether a product at the memories may go to the host part: where rows share what is read once."""
        shape, least = operator.shape, self.host_rows
        if least == "never" or not self.host.computes(operator):
            return False
        if isinstance(shape, Attention):
            return shape.queries > 1
        rows = sum(shape.loads) if isinstance(shape, Experts) else shape.m if isinstance(shape, Gemm) else 1
        return least == "fastest" or rows >= least

    def _near(self, group: tuple[Operator, ...], phase: Phase) -> Made:
        """What joins the product runs before it on the host part, and between scores and values the softmax."""
        *others, whole = group
        joining = (*others, *appending(whole))
        part = shard(whole, self.degree)
        before = self._on_host(together(joining), phase) if joining else Made(())
        made_of = products(part, self.units.reuse)
        first, *later = self.units.tasks(part, made_of, phase)
        tasks = [*before.tasks, *first]
        for product in later:
            tasks += [*self.host.tasks(softmax(part), phase), *product]
        read = sum(product.read for product in made_of) * self.machine.devices
        tensor = made_of[0].tensor
        extra = read - sum(item.bytes for item in whole.reads if item.role != "activations")
        reason = f"{self.units.name} multiply {self.units.reuse} rows with one read"
        again = (Declaration(whole.name, phase, tensor, self.units.paths.main, extra, reason),) if extra else ()
        return Made((*tasks, *self._summed(whole, part, phase)), (*before.declared, *again))

    def _on_host(self, whole: Operator, phase: Phase) -> Made:
        part = shard(whole, self.degree)
        kernel, traffic = self.host.kernels(part)[0], self.host.traffic
        extras: dict[str, int] = {}
        for tensor, piece in zip(whole.reads, part.reads, strict=True):
            if tensor.role != "activations":
                served = traffic.home_reads(piece, part, kernel) * self.machine.devices
                extras[tensor.role] = extras.get(tensor.role, 0) + served - tensor.bytes
        declared = tuple(
            Declaration(whole.name, phase, role, self.units.paths.main, extra, "copies and passes of the host part")
            for role, extra in extras.items()
            if extra
        )
        declared = (*declared, *self.host.padded(part, phase))
        return Made((*self.host.tasks(part, phase), *self._summed(whole, part, phase)), declared)

    def _summed(self, whole: Operator, part: Operator, phase: Phase) -> tuple[Task, ...]:
        """The sum over devices of what each of them has a part of."""
        if self.degree == 1 or whole.shards != "rows":
            return ()
        fabric = Fabric(self.machine, self.stack, self.units.paths)
        return (all_reduce(part, phase, fabric, self.degree, Fraction(self.degree)),)
