"""What does not run at the memories: operators on the tiles of the host part, each a kernel with its launch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise

from archsim.mappers import kernels
from archsim.mappers.declared import padding
from archsim.mappers.expert_kernels import grouped
from archsim.mappers.kernels import Kernel, Rates
from archsim.mappers.scan_kernels import scan
from archsim.mappers.shares import Share
from archsim.mappers.traffic import Traffic
from archsim.model.dtype import BITS, packed_bytes
from archsim.model.machine import Machine, Requester, Work
from archsim.model.plan import Declaration, PlanError
from archsim.model.stack import Stack
from archsim.model.taskgraph import Task
from archsim.model.trace import Attention, Experts, Gemm, Operator, Phase, Scan, Tensor

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
        return not operator.macs or f"mac_{operator.mac_dtype}" in self.machine.actions[self.traffic.paths.tile]

    def tasks(self, operator: Operator, phase: Phase) -> list[Task]:
        """A kernel, or several one after the other; raise as `kernels` does."""
        return [self._task(operator, kernel, phase) for kernel in self.kernels(operator)]

    def padded(self, operator: Operator, phase: Phase) -> tuple[Declaration, ...]:
        """What the kernels of an operator issue beyond its MACs."""
        own = Share(operator, Fraction(self.machine.devices))
        return tuple(padding(own, self.kernels(operator), phase, self.traffic.paths.tile))

    def _task(self, operator: Operator, kernel: Kernel, phase: Phase) -> Task:
        tile = self.machine.components[self.traffic.paths.tile]
        window, trip = (tile.window_bytes, 0) if kernel.window == "tile" else (kernel.window, self.traffic.trip)
        requester = Requester(kernel.ways, window, tile.grain_bytes, trip)
        own = Share(operator, Fraction(self.machine.devices))
        flow = self.machine.flow(list(self.traffic.moves(own, kernel)), self._work(operator, kernel), requester)
        task = Task(operator.name, phase, (flow,), kernel.launch)
        return self.machine.at_work(task, self.traffic.paths.tile, kernel.ways)

    def kernels(self, operator: Operator) -> tuple[Kernel, ...]:
        """How an operator occupies the tiles.

        Raises:
            PlanError: where it multiplies in a data type that nothing here multiplies in.
        """
        self._refuse(operator)
        shape, stack = operator.shape, self.stack
        tiles = self.machine.components[self.traffic.paths.tile].count
        if isinstance(shape, Attention) and shape.queries == 1:
            return kernels.decode_attention(shape, stack.decode_attention, tiles)
        if isinstance(shape, Attention):
            return (kernels.prefill_attention(shape, stack.prefill_attention, tiles),)
        if isinstance(shape, Experts):
            return (grouped(shape, stack.experts, tiles),)
        if isinstance(shape, Scan):
            return (scan(shape, operator.macs, stack.scan, tiles),)
        if isinstance(shape, Gemm) and stack.gemm.tiles:
            weights = sum(tensor.bytes for tensor in operator.reads if tensor.role == "weights")
            inputs = sum(tensor.bytes for tensor in operator.reads if tensor.role == "activations")
            return (kernels.gemm(shape, weights, inputs, stack.gemm, self._rates(operator, tiles)),)
        launch = stack.gemm.launch if isinstance(shape, Gemm) else stack.vector.launch
        return (replace(kernels.even(operator.macs, tiles), launch=launch),)

    def _refuse(self, operator: Operator) -> None:
        if not self.computes(operator):
            raise PlanError(
                f"nothing in {self.machine.name} computes `{operator.name}` in `{operator.mac_dtype}`",
                ("workload", "dtypes", "activations"),
                f"neither the units at its memories nor `{self.traffic.paths.tile}` has that data type",
            )

    def _work(self, operator: Operator, kernel: Kernel) -> list[Work]:
        tile, work = self.traffic.paths.tile, []
        if operator.macs:
            macs = kernel.billed(operator.macs)
            work.append(Work(tile, f"mac_{operator.mac_dtype}", macs, kernel.critical, kernel.ways))
        operations = kernel.portion(operator.vector_ops + self._dequantised(operator))
        if operations:
            work.append(Work(tile, "vector", operations, -(-operations // kernel.ways), kernel.ways))
        return work

    def _dequantised(self, operator: Operator) -> int:
        """Vector operations that turn narrow operands into the type of the MACs."""
        narrow = [t for t in operator.reads if t.role != "activations" and BITS[t.dtype] < BITS[operator.mac_dtype]]
        return round(sum(tensor.elements for tensor in narrow) * self.stack.dequantise) if operator.macs else 0

    def _rates(self, operator: Operator, tiles: int) -> Rates:
        path = self.traffic.paths.weights
        served = [(hop.group, "move") for here, there in pairwise(path) for hop in self.machine.route(here, there)]
        return Rates(
            tiles=tiles,
            supply=self._slowest([(path[0], "read"), *served]),
            operands=self._slowest([(path[-2], "read"), *served[-1:]]),
            macs=self.machine.actions[path[-1]][f"mac_{operator.mac_dtype}"].rate,
        )

    def _slowest(self, served: Sequence[tuple[str, str]]) -> int | None:
        rates = (
            (self.machine.actions[name][action].rate, self.machine.components[name].count) for name, action in served
        )
        return min((rate * count for rate, count in rates if rate is not None), default=None)


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
