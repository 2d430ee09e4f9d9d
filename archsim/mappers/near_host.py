"""What does not run at the memories: operators on the tiles of the host part, each a kernel with its launch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from archsim.mappers.declared import padding
from archsim.mappers.kernels import Kernel
from archsim.mappers.shares import Share
from archsim.mappers.tiles import Tiles
from archsim.mappers.traffic import Traffic
from archsim.model.dtype import packed_bytes
from archsim.model.machine import Machine
from archsim.model.plan import Declaration, PlanError
from archsim.model.stack import Stack
from archsim.model.taskgraph import Task
from archsim.model.trace import Attention, Operator, Phase, Tensor

SCORES = "scores"
"""Products of queries and keys, on their way through the softmax."""


@dataclass(frozen=True, slots=True)
class Host:
    """Tiles that work on what lies in their buffer, and on what they fetch from the memories."""

    machine: Machine
    stack: Stack
    traffic: Traffic

    def computes(self, operator: Operator) -> bool:
        """Whether the tiles multiply in the data type of an operator."""
        return self._tiles.computes(operator)

    def tasks(self, operator: Operator, phase: Phase) -> list[Task]:
        """A kernel, or several one after the other; raise as `kernels` does."""
        return list(self._tiles.tasks(self._own(operator), self.kernels(operator), phase))

    def padded(self, operator: Operator, phase: Phase) -> tuple[Declaration, ...]:
        """What the kernels of an operator issue beyond its MACs."""
        return tuple(padding(self._own(operator), self.kernels(operator), phase, self._tiles.name))

    def kernels(self, operator: Operator) -> tuple[Kernel, ...]:
        """How an operator occupies the tiles.

        Raises:
            PlanError: where it multiplies in a data type that nothing here multiplies in.
        """
        if not self.computes(operator):
            raise PlanError(
                f"nothing in {self.machine.name} computes `{operator.name}` in `{operator.mac_dtype}`",
                ("workload", "dtypes", "activations"),
                f"neither the units at its memories nor `{self._tiles.name}` has that data type",
            )
        return self._tiles.kernels(operator)

    @property
    def _tiles(self) -> Tiles:
        return Tiles(self.machine, self.stack, self.traffic)

    def _own(self, operator: Operator) -> Share:
        return Share(operator, Fraction(self.machine.devices))


def appending(operator: Operator) -> tuple[Operator, ...]:
    """What a product appends to caches by itself, as an operator that can stand before it."""
    kept = tuple(tensor for tensor in operator.writes if tensor.role != "activations")
    return (replace(operator, reads=(), writes=kept, macs=0, vector_ops=0, shape=None),) if kept else ()


def together(operators: Sequence[Operator]) -> Operator:
    """Operators of one kernel under the name of the last, each of which leaves behind what it writes."""
    if len(operators) == 1:
        return operators[0]
    reads = {tensor.name: tensor for operator in reversed(operators) for tensor in reversed(operator.reads)}
    writes = {tensor.name: tensor for operator in operators for tensor in operator.writes}
    return replace(
        operators[-1],
        reads=tuple(reads.values()),
        writes=tuple(writes.values()),
        vector_ops=sum(operator.vector_ops for operator in operators),
    )


def softmax(operator: Operator) -> Operator:
    """What lies between the two products of attention.

    Raises:
        AssertionError: for an operator that is no attention.
    """
    shape = operator.shape
    if not isinstance(shape, Attention):
        raise AssertionError("only attention has a softmax")  # noqa: TRY004 - a defect, not a wrong type of input
    count = shape.batch * shape.heads * shape.queries * shape.context
    scores = Tensor(SCORES, "activations", count, operator.mac_dtype, packed_bytes(count, operator.mac_dtype))
    return Operator(
        operator.name, (scores,), (scores,), mac_dtype=operator.mac_dtype, vector_ops=operator.vector_ops, shards="none"
    )
