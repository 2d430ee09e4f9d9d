"""The bytes that an operator moves: tensors from home to the tiles and results back, by the access settings."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise

from archsim.mappers.access import AccessSettings, OperandAccess, Paths, fetch, from_home, store
from archsim.mappers.kernels import Kernel
from archsim.mappers.shares import Share
from archsim.model.dtype import packed_bytes
from archsim.model.machine import Machine
from archsim.model.request import Move
from archsim.model.trace import Attention, Experts, Gemm, Operator, Tensor


@dataclass(frozen=True, slots=True)
class Traffic:
    """How tensors travel on one device. Activations that operators pass on to others stay on the chip if they fit."""

    machine: Machine
    paths: Paths
    access: AccessSettings
    residency: float
    passed_on: frozenset[str]

    def moves(self, own: Share, kernel: Kernel) -> Iterator[Move]:
        """All moves of one execution on the busiest device, each tensor in route order."""
        above, below = kernel.share.numerator, kernel.share.denominator
        for move, over in self._whole(own, kernel):
            size = kernel.portion(move.bytes)
            busiest = -(-size * above // below) if move.target == self.paths.tile else None
            yield move._replace(bytes=size, busiest=busiest, over=over)

    def _whole(self, own: Share, kernel: Kernel) -> Iterator[tuple[Move, Fraction]]:
        """Moves of the whole operator, of which a kernel may do a part, and how often all devices do them."""
        for tensor in own.part.reads:
            first, *others = self._fetch(_padded(tensor, kernel), own.part, kernel)
            faster = first._replace(faster=kernel.supply) if tensor.role == "weights" else first
            yield faster, own.over(tensor.name)
            yield from ((move, own.over(tensor.name)) for move in others)
        memory, tile = self.paths.outputs[-2:]
        if kernel.partials:
            yield Move("outputs", tile, memory, kernel.partials, posted=True), own.work
        if kernel.adding is not None:
            return
        for tensor in own.part.writes:
            for move in self._store(_padded(tensor, kernel), own.part):
                yield move, own.over(tensor.name)
        if kernel.partials:
            yield Move("outputs", memory, tile, kernel.partials, posted=True), own.work

    def added(self, own: Share, kernel: Kernel) -> Iterator[Move]:
        """Moves of the kernel that adds up the partial sums of another: they come, and results go home."""
        memory, tile = self.paths.outputs[-2:]
        yield Move("outputs", memory, tile, kernel.partials, over=own.work)
        for tensor in own.part.writes:
            for move in self._store(_padded(tensor, kernel), own.part):
                yield move._replace(over=own.over(tensor.name))

    @property
    def trip(self) -> int:
        """Picoseconds from main memory to a tile: what windows of kernels were fitted with, wherever operands lie."""
        path = self.paths.weights
        hops = (hop for here, there in pairwise(path) for hop in self.machine.route(here, there))
        return self.machine.actions[path[0]]["read"].latency + self.machine.latency(hops)

    def home_reads(self, tensor: Tensor, operator: Operator, kernel: Kernel) -> int:
        """Bytes that a tensor's home serves to one device."""
        return self._fetch(tensor, operator, kernel)[0].bytes

    def warm_at(self, tensor: Tensor) -> str | None:
        """The memory on the way to the tiles that still holds what an earlier run left there."""
        path = self.operand(tensor)[2]
        inner = (name for name in reversed(path[1:-1]) if tensor.warm and self._fits(tensor, name))
        return next(inner, None)

    def operand(self, tensor: Tensor) -> tuple[str, OperandAccess, tuple[str, ...]]:
        """A tensor's name in the ledger, its access setting and its path from home to tile."""
        if tensor.role == "weights":
            return "weights", self.access.weights, self.paths.weights
        if tensor.role in ("kv", "state"):
            return tensor.role, self.access.kv, self.paths.kv
        return "inputs", self.access.inputs, from_home(self.paths.inputs, self._home(tensor))

    def _home(self, tensor: Tensor) -> str:
        if tensor.name not in self.passed_on:
            return self.paths.main
        return self.paths.activations if self._fits(tensor, self.paths.activations) else self.paths.main

    def _fits(self, tensor: Tensor, memory: str) -> bool:
        """Whether the stack's share of a memory holds a tensor from one kernel to the next."""
        component = self.machine.components[memory]
        held = component.capacity_bytes
        return held is None or tensor.bytes < held * component.count * self.residency

    def _fetch(self, tensor: Tensor, operator: Operator, kernel: Kernel) -> list[Move]:
        name, setting, path = self.operand(tensor)
        held = self.warm_at(tensor)
        path = from_home(path, held) if held else path
        copies = 1
        for memory in path[1:-1]:
            copies *= setting.fan.get(memory, 1)
        last = self._last(tensor, operator, kernel, setting) * (
            1 if isinstance(setting.reuse, int) and operator.macs else copies
        )
        return fetch(name, path, tensor.bytes, last, setting.fan, setting.run)

    def _last(self, tensor: Tensor, operator: Operator, kernel: Kernel, setting: OperandAccess) -> int:
        """Bytes read of the innermost memory."""
        if not operator.multiplies or setting.reuse == "all":
            return tensor.bytes
        if isinstance(setting.reuse, int):
            return packed_bytes(-(-operator.macs // setting.reuse), tensor.dtype)
        reads = self._kernel_reads(tensor, operator, kernel)
        return -(-tensor.bytes * reads.numerator // reads.denominator)

    @staticmethod
    def _kernel_reads(tensor: Tensor, operator: Operator, kernel: Kernel) -> Fraction:
        if tensor.role == "activations":
            return kernel.input_reads if isinstance(operator.shape, Gemm | Experts) else Fraction(1)
        return kernel.weight_reads

    def _store(self, tensor: Tensor, operator: Operator) -> list[Move]:
        if tensor.role != "activations":
            return store(tensor.role, self.operand(tensor)[2], tensor.bytes, 1)
        reduced = self._reduced(operator)
        reduction = self.access.outputs.reduction
        touches = 1 if reduction == "all" else -(-reduced // reduction)
        return store("outputs", from_home(self.paths.outputs, self._home(tensor)), tensor.bytes, touches)

    @staticmethod
    def _reduced(operator: Operator) -> int:
        """MACs that add up to one output."""
        if isinstance(operator.shape, Gemm | Experts):
            return operator.shape.k
        return operator.shape.head_size if isinstance(operator.shape, Attention) else 1


def _padded(tensor: Tensor, kernel: Kernel) -> Tensor:
    """An activation as large as the kernel moves it."""
    if kernel.padding == 1 or tensor.role != "activations":
        return tensor
    more = kernel.padding
    return replace(tensor, bytes=-(-tensor.bytes * more.numerator // more.denominator))
