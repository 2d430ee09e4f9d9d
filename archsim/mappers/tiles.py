"""The compute tiles of a device: which kernel of the stack does an operator on them, and the tasks that it takes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from math import ceil

from archsim.mappers import kernels
from archsim.mappers.attention_kernels import appending, decode_attention, prefill_attention
from archsim.mappers.expert_kernels import grouped
from archsim.mappers.gemm_kernels import Operands, gemm
from archsim.mappers.kernels import Kernel, Rates
from archsim.mappers.scan_kernels import convolution, scan
from archsim.mappers.shares import Share
from archsim.mappers.traffic import Traffic
from archsim.model.dtype import BITS, Dtype, packed_bytes
from archsim.model.kernel_table import GemmKernels, Quantisation
from archsim.model.machine import Machine
from archsim.model.plan import PlanError
from archsim.model.request import Requester, Work
from archsim.model.stack import Stack
from archsim.model.taskgraph import Flow, Task
from archsim.model.trace import Attention, Convolution, Experts, Gemm, Operator, Phase, Sampling, Scan, Tensor


@dataclass(frozen=True, slots=True)
class Tiles:
    """The tiles that a device's paths lead to."""

    machine: Machine
    stack: Stack
    traffic: Traffic

    @property
    def name(self) -> str:
        """The component."""
        return self.traffic.paths.tile

    @property
    def count(self) -> int:
        """Tiles of one device."""
        return self.machine.components[self.name].count

    def computes(self, operator: Operator) -> bool:
        """Whether they multiply in the data type of an operator."""
        return not operator.macs or f"mac_{operator.mac_dtype}" in self.machine.actions[self.name]

    def kernels(self, operator: Operator) -> tuple[Kernel, ...]:
        """The kernel that does an operator, or those that do it one after the other.

        Raises:
            PlanError: where the tiles do not multiply in its data type.
        """
        self._refuse(operator)
        shape = operator.shape
        if isinstance(shape, Attention) and shape.queries == 1:
            return decode_attention(shape, self.stack.decode_attention.over(_cached(operator)), self.count)
        return (self._kernel(operator),)

    def tasks(self, own: Share, chosen: Iterable[Kernel], phase: Phase) -> Iterator[Task]:
        """The kernels one after the other, and what the stack does before them."""
        quantisation = self._quantisation(own.part)
        if quantisation:
            yield self._quantised(own, quantisation, phase)
        if isinstance(own.part.shape, Gemm) and (results := self._gemm(own.part).results):
            own = replace(own, part=_written_in(own.part, results))
        append = self._append(own.part)
        if append:
            cached, own = _apart(own)
            yield self._task(cached, append, phase)
        for kernel in chosen:
            yield self._task(own, kernel, phase)
            if kernel.adding is not None:
                yield self._added(own, kernel, kernel.adding, phase)

    def _task(self, own: Share, kernel: Kernel, phase: Phase) -> Task:
        moves = list(self.traffic.moves(own, kernel))
        flow = self.machine.flow(moves, self._work(own, kernel), self._requester(kernel), kernel.stores)
        chain = (Flow((), 0, (), fill=kernel.chain),) if kernel.chain else ()
        task = Task(own.part.name, phase, (flow, *chain), kernel.launch)
        return self.machine.at_work(task, self.name, kernel.ways, own.work)

    def _append(self, operator: Operator) -> Kernel | None:
        """What writes the cache before a prompt is attended to, where that is a kernel of its own."""
        shape, offered = operator.shape, self.stack.prefill_attention
        if not isinstance(shape, Attention) or shape.queries == 1 or offered is None:
            return None
        writes = any(map(_is_cache, operator.writes))
        return appending(shape, offered.over(_cached(operator)), self.count) if writes else None

    def _requester(self, kernel: Kernel) -> Requester:
        tile = self.machine.components[self.name]
        window, trip = (tile.window_bytes, 0) if kernel.window == "tile" else (kernel.window, self.traffic.trip)
        trip = 0 if kernel.turnaround else trip
        return Requester(kernel.ways, window, tile.grain_bytes, trip, kernel.knee, kernel.turnaround, kernel.streams)

    def _quantisation(self, operator: Operator) -> Quantisation | None:
        """The pass that a product needs before it."""
        if isinstance(operator.shape, Gemm):
            return self._gemm(operator).quantisation
        return self.stack.experts_of(operator).quantisation if isinstance(operator.shape, Experts) else None

    def _quantised(self, own: Share, offered: Quantisation, phase: Phase) -> Task:
        """A pass over the activations of a product."""
        kernel = replace(kernels.even(0, self.count), window=offered.window)
        inputs = [tensor for tensor in own.part.reads if tensor.role == "activations"]
        read, written = (
            tuple(replace(item, bytes=ceil(item.elements * size)) for item in inputs)
            for size in (offered.reads, offered.writes)
        )
        part = replace(own.part, reads=read, writes=written, macs=0, vector_ops=0, shape=None)
        flow = self.machine.flow(list(self.traffic.moves(replace(own, part=part), kernel)), (), self._requester(kernel))
        task = Task(f"{own.part.name}_quantise", phase, (flow,), offered.launch)
        return self.machine.at_work(task, self.name, self.count, own.work)

    def _added(self, own: Share, kernel: Kernel, launch: int, phase: Phase) -> Task:
        """The parts of a split reduction, added up by all tiles once all are written."""
        requester = Requester(self.count, None, self.machine.components[self.name].grain_bytes)
        flow = self.machine.flow(list(self.traffic.added(own, kernel)), (), requester)
        return self.machine.at_work(Task(own.part.name, phase, (flow,), launch), self.name, self.count, own.work)

    def _work(self, own: Share, kernel: Kernel) -> list[Work]:
        operator, work = own.part, []
        if operator.macs:
            macs = kernel.billed(operator.macs)
            work.append(Work(self.name, f"mac_{operator.mac_dtype}", macs, kernel.critical, kernel.ways, own.work))
        more = kernel.padding
        asked = -(-operator.vector_ops * more.numerator // more.denominator)
        operations = kernel.portion(asked + self._dequantised(operator))
        if operations:
            work.append(Work(self.name, "vector", operations, -(-operations // kernel.ways), kernel.ways, own.work))
        return work

    def _refuse(self, operator: Operator) -> None:
        if self.computes(operator):
            return
        offered = self.machine.actions[self.name]
        types = [f"`{name.removeprefix('mac_')}`" for name in offered if name.startswith("mac_")]
        known = ", ".join(types) or "nothing: a rate needs a price"
        message = f"`{self.name}` of {self.machine.name} does not compute in `{operator.mac_dtype}`"
        where = ("workload", "dtypes", "activations")
        raise PlanError(message, where, f"MACs run in the activation type; it computes {known}")

    def _dequantised(self, operator: Operator) -> int:
        """Vector operations that turn narrow operands into the type of the MACs."""
        if not operator.macs:
            return 0
        narrow = [t for t in operator.reads if t.role != "activations" and BITS[t.dtype] < BITS[operator.mac_dtype]]
        return round(sum(tensor.elements for tensor in narrow) * self.stack.dequantise)

    def _kernel(self, operator: Operator) -> Kernel:
        shape, stack = operator.shape, self.stack
        if isinstance(shape, Experts):
            return grouped(shape, stack.experts_of(operator), self.count)
        if isinstance(shape, Scan):
            return scan(operator, shape, stack.scan, self.count)
        if isinstance(shape, Gemm):
            return self._product(operator, shape)
        if isinstance(shape, Attention):
            return self._prompt(operator, shape)
        if isinstance(shape, Convolution) and stack.convolution:
            return convolution(shape, stack.convolution, self.count, self.traffic.trip)
        drawn = stack.sampled(shape.sequences, shape.vocabulary) if isinstance(shape, Sampling) else 0
        passes = (operator.passes - 1) * stack.passes.get(operator.name, 0)
        return replace(kernels.even(0, self.count), launch=stack.vector.launch + drawn + passes)

    def _gemm(self, operator: Operator) -> GemmKernels:
        return self.stack.gemm_in.get(operator.mac_dtype, self.stack.gemm)

    def _product(self, operator: Operator, shape: Gemm) -> Kernel:
        offered = self._gemm(operator)
        if not offered.tiles:
            issued = self.machine.components[self.name].issued(shape.m, -(-shape.n // self.count), shape.k)
            return replace(kernels.even(operator.macs, self.count, issued), launch=offered.launch)
        operands = Operands(
            weights=sum(tensor.bytes for tensor in operator.reads if tensor.role == "weights"),
            inputs=sum(tensor.bytes for tensor in operator.reads if tensor.role == "activations"),
            result=BITS[offered.results or operator.mac_dtype] / 8,
        )
        return gemm(shape, operands, offered, self._rates(operator))

    def _prompt(self, operator: Operator, shape: Attention) -> Kernel:
        offered = self.stack.prefill_attention
        if offered is None:
            return kernels.even(operator.macs, self.count)
        return prefill_attention(shape, offered.over(_cached(operator)), self.count)

    def _rates(self, operator: Operator) -> Rates:
        path = self.traffic.paths.weights
        hops = [[(hop.group, "move") for hop in self.machine.route(*step)] for step in pairwise(path)]
        return Rates(
            tiles=self.count,
            supply=self._slowest([(path[0], "read"), *(at for hop in hops for at in hop)]),
            operands=self._slowest([(path[-2], "read"), *hops[-1]]),
            macs=self.machine.actions[self.name][f"mac_{operator.mac_dtype}"].rate,
            lane=self._lane([name for name, _ in hops[-1]]),
        )

    def _lane(self, hops: Iterable[str]) -> int | None:
        """The slowest link that each tile has for itself."""
        own = [name for name in hops if self.machine.components[name].count == self.count > 1]
        rates = (self.machine.actions[name]["move"].rate for name in own)
        return min((rate for rate in rates if rate is not None), default=None)

    def _slowest(self, served: Iterable[tuple[str, str]]) -> int | None:
        rates = (
            (self.machine.actions[name][action].rate, self.machine.components[name].count) for name, action in served
        )
        return min((rate * count for rate, count in rates if rate is not None), default=None)


def _apart(own: Share) -> tuple[Share, Share]:
    """New keys and values on their way into the cache, and the attention of the queries."""
    part = own.part
    written = tuple(filter(_is_cache, part.writes))
    others, new = _divided(part.reads, sum(item.elements for item in written))
    results = tuple(item for item in part.writes if not _is_cache(item))
    appended = replace(part, reads=new, writes=written, macs=0, vector_ops=0, shape=None)
    return replace(own, part=appended), replace(own, part=replace(part, reads=others, writes=results))


def _divided(reads: tuple[Tensor, ...], elements: int) -> tuple[tuple[Tensor, ...], tuple[Tensor, ...]]:
    """Tensors without the last values of the activations among them, and these."""
    before, after = list[Tensor](), list[Tensor]()
    for item in reversed(reads):
        taken = 0 if _is_cache(item) else min(item.elements, elements)
        elements -= taken
        size = item.bytes * taken // max(1, item.elements)
        if taken < item.elements:
            before.append(replace(item, bytes=item.bytes - size, elements=item.elements - taken))
        if taken:
            after.append(replace(item, bytes=size, elements=taken))
    return tuple(reversed(before)), tuple(reversed(after))


def _is_cache(tensor: Tensor) -> bool:
    return tensor.role == "kv"


def _written_in(operator: Operator, dtype: Dtype) -> Operator:
    """An operator whose results are of another data type."""
    writes = (replace(item, dtype=dtype, bytes=packed_bytes(item.elements, dtype)) for item in operator.writes)
    return replace(operator, writes=tuple(writes))


def _cached(operator: Operator) -> Dtype:
    """The data type of the cache that attention reads."""
    return next((tensor.dtype for tensor in operator.reads if tensor.role == "kv"), operator.mac_dtype)
