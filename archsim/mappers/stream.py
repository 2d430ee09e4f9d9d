"""Kernels one after the other: each operator of a block as tasks over all tiles of a device, in one stream."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from archsim.mappers import kernels
from archsim.mappers.collectives import Fabric, all_reduce, all_to_all, stated
from archsim.mappers.declared import padding
from archsim.mappers.expert_kernels import grouped
from archsim.mappers.fusion import fused, groups
from archsim.mappers.kernels import Kernel, Rates
from archsim.mappers.parallel import Degrees
from archsim.mappers.routing import Routing, routing_of
from archsim.mappers.scan_kernels import scan
from archsim.mappers.shares import Share, share
from archsim.mappers.traffic import Traffic
from archsim.model.dtype import BITS
from archsim.model.machine import Machine, Requester, Work
from archsim.model.plan import Declaration, PlanError
from archsim.model.stack import Stack
from archsim.model.taskgraph import Segment, Task
from archsim.model.trace import (
    Attention,
    Block,
    Collective,
    Experts,
    Gemm,
    Operator,
    Phase,
    Role,
    Sampling,
    Scan,
    Trace,
)

_STREAM = ("stream",)
"""Kernels of one stream run one after the other."""

_Made = tuple[tuple[Task, ...], tuple[Declaration, ...]]
"""The tasks of an operator, and what one execution asks of homes beyond the unique bytes."""


@dataclass(frozen=True)
class Stream:
    """The kernels of equal devices, and what stays the same for all operators of a run.

    The tasks of an operator are made once. Blocks are executed `times` as often as they say: once for each microbatch
    of `batch` sequences.
    """

    machine: Machine
    stack: Stack
    degrees: Degrees
    batch: int
    traffic: Traffic
    fusion: bool
    readers: Mapping[str, frozenset[str]]
    times: int = 1
    _extras: dict[tuple[str, str, str, str], tuple[Declaration, int]] = field(default_factory=dict)
    _made: dict[tuple[str, tuple[int, ...]], _Made] = field(default_factory=dict)
    _drawn: dict[Hashable, _Made] = field(default_factory=dict)

    @property
    def declarations(self) -> tuple[Declaration, ...]:
        """What all operators together ask beyond the unique bytes, by operator, phase and tensor."""
        return tuple(replace(item, extra=extra) for item, extra in self._extras.values())

    @property
    def tile(self) -> str:
        return self.traffic.paths.tile

    @property
    def tiles(self) -> int:
        return self.machine.components[self.tile].count

    @property
    def homes(self) -> Mapping[Role, str]:
        """Where tensors live, by role."""
        paths = self.traffic.paths
        return {"weights": paths.main, "kv": paths.kv[0], "state": paths.kv[0], "activations": paths.main}

    @property
    def host(self) -> int:
        """Picoseconds that the host adds to a step."""
        return self.stack.step.base + self.stack.step.per_sequence * self.batch

    def parallel(self, trace: Trace) -> Mapping[str, int]:
        """The degrees within a group of devices that shares its layers."""
        experts = {"expert_parallel": self.degrees.expert} if trace.experts else {}
        return {"tensor_parallel": self.degrees.tensor, **experts}

    def segments(self, trace: Trace) -> list[Segment]:
        """A segment per block; the host's part of a step stands before its first block."""
        found, opening = [], True
        for block in trace.blocks:
            if self.host and opening:
                host = Task("host", block.phase, (), self.host, _STREAM, _STREAM)
                found.append(Segment((self.in_use(host),)))
            found.append(Segment(tuple(self.block(block)), block.times, block.closes))
            opening = bool(block.closes)
        return found

    def block(self, block: Block) -> Iterator[Task]:
        """The kernels of a block in program order."""
        routing = routing_of(block.operators, self.machine.devices)
        for group in groups(block.operators, fusion=self.fusion, apart=self.stack.apart):
            key = (block.phase, tuple(map(id, group)))
            if key not in self._made:
                self._made[key] = self._make(fused(group, self.readers), block.phase, routing)
            tasks, declared = self._made[key]
            for item in declared:
                self._declare(item, block.times * self.times)
            yield from tasks

    def _declare(self, item: Declaration, times: int) -> None:
        place = (item.operator, item.phase, item.tensor, item.action)
        _, before = self._extras.get(place, (item, 0))
        self._extras[place] = (item, before + item.extra * times)

    def _make(self, whole: Operator, phase: Phase, routing: Routing | None) -> _Made:
        """The tasks of an operator; layers that drew alike, whichever their experts, have the same ones."""
        if isinstance(whole.shape, Collective):
            made = self.in_use(stated(whole, whole.shape, phase, self.fabric))
            return (replace(made, after=_STREAM, makes=_STREAM),), ()
        own = share(whole, self.degrees, self.batch, routing.part if routing else None)
        if not isinstance(own.part.shape, Experts):
            return self._tasks(whole, own, phase, routing)
        drawn = replace(own.part.shape, loads=tuple(sorted(own.part.shape.loads)))
        alike = (
            phase,
            replace(own.part, shape=drawn),
            own.work,
            *own.tensors.items(),
            whole.reads,
            whole.writes,
            routing,
        )
        if alike not in self._drawn:
            self._drawn[alike] = self._tasks(whole, own, phase, routing)
        return self._drawn[alike]

    def _tasks(self, whole: Operator, own: Share, phase: Phase, routing: Routing | None) -> _Made:
        chosen = self._kernels(own.part)
        tasks = [self._task(own, kernel, phase) for kernel in chosen]
        before, after = self._before(whole, phase, routing), self._after(whole, own, phase, routing)
        tasks = [*map(self.in_use, before), *tasks, *map(self.in_use, after)]
        declared = (*self._declared(whole, own, chosen[0], phase), *padding(own, chosen, phase, self.tile))
        return tuple(replace(task, after=_STREAM, makes=_STREAM) for task in tasks), declared

    def _before(self, whole: Operator, phase: Phase, routing: Routing | None) -> Iterator[Task]:
        """Rows go to their experts, where other devices have them."""
        if routing and whole.name == routing.first and self.degrees.expert > 1:
            yield all_to_all("experts_dispatch", phase, self.fabric, *routing.busiest(whole.reads[0].bytes))

    def _after(self, whole: Operator, own: Share, phase: Phase, routing: Routing | None) -> Iterator[Task]:
        """Partial sums are added up over the devices, or the experts' rows go back to theirs."""
        if routing and whole.name == routing.last and self.degrees.expert > 1:
            yield all_to_all("experts_return", phase, self.fabric, *routing.busiest(whole.writes[0].bytes))
        partial_sums = whole.shards == "rows" or (routing and whole.name == routing.sum and self.degrees.expert == 1)
        if partial_sums and self.degrees.tensor > 1:
            yield all_reduce(own.part, phase, self.fabric, self.degrees.tensor, own.work)

    @property
    def fabric(self) -> Fabric:
        """What exchanges between devices run on."""
        return Fabric(self.machine, self.stack, self.traffic.paths)

    def in_use(self, task: Task) -> Task:
        """A task that is no kernel of the tiles, and yet keeps all of them at work, or waiting for it."""
        return self.machine.at_work(task, self.tile, self.tiles)

    def _task(self, own: Share, kernel: Kernel, phase: Phase) -> Task:
        tile = self.machine.components[self.tile]
        window, trip = (tile.window_bytes, 0) if kernel.window == "tile" else (kernel.window, self.traffic.trip)
        requester = Requester(kernel.ways, window, tile.grain_bytes, trip)
        flow = self.machine.flow(list(self.traffic.moves(own, kernel)), self._work(own, kernel), requester)
        task = Task(own.part.name, phase, (flow,), kernel.launch)
        return self.machine.at_work(task, self.tile, kernel.ways, own.work)

    def _work(self, own: Share, kernel: Kernel) -> list[Work]:
        operator, work = own.part, []
        if operator.macs:
            macs = kernel.billed(operator.macs)
            work.append(Work(self.tile, self._mac(operator), macs, kernel.critical, kernel.ways, own.work))
        operations = kernel.portion(operator.vector_ops + self._dequantised(operator))
        if operations:
            work.append(Work(self.tile, "vector", operations, -(-operations // kernel.ways), kernel.ways, own.work))
        return work

    def _mac(self, operator: Operator) -> str:
        action, offered = f"mac_{operator.mac_dtype}", self.machine.actions[self.tile]
        if action not in offered:
            types = [f"`{name.removeprefix('mac_')}`" for name in offered if name.startswith("mac_")]
            known = ", ".join(types) or "nothing: a rate needs a price"
            message = f"`{self.tile}` of {self.machine.name} does not compute in `{operator.mac_dtype}`"
            raise PlanError(
                message, ("workload", "dtypes", "activations"), f"MACs run in the activation type; it computes {known}"
            )
        return action

    def _dequantised(self, operator: Operator) -> int:
        """Vector operations that turn narrow operands into the type of the MACs."""
        if not operator.macs:
            return 0
        narrow = [t for t in operator.reads if t.role != "activations" and BITS[t.dtype] < BITS[operator.mac_dtype]]
        return round(sum(tensor.elements for tensor in narrow) * self.stack.dequantise)

    def _kernels(self, operator: Operator) -> tuple[Kernel, ...]:
        """The kernel that does an operator, or those that do it one after the other."""
        shape = operator.shape
        if isinstance(shape, Attention) and shape.queries == 1:
            return kernels.decode_attention(shape, self.stack.decode_attention, self.tiles)
        return (self._kernel(operator),)

    def _kernel(self, operator: Operator) -> Kernel:
        shape, stack = operator.shape, self.stack
        if isinstance(shape, Experts):
            return grouped(shape, stack.experts, self.tiles)
        if isinstance(shape, Scan):
            return scan(shape, operator.macs, stack.scan, self.tiles)
        if isinstance(shape, Gemm) and stack.gemm.tiles:
            weights = sum(tensor.bytes for tensor in operator.reads if tensor.role == "weights")
            inputs = sum(tensor.bytes for tensor in operator.reads if tensor.role == "activations")
            return kernels.gemm(shape, weights, inputs, stack.gemm, self._rates(operator))
        if isinstance(shape, Attention):
            return kernels.prefill_attention(shape, stack.prefill_attention, self.tiles)
        if isinstance(shape, Gemm):
            issued = self.machine.components[self.tile].issued(shape.m, -(-shape.n // self.tiles), shape.k)
            return kernels.even(operator.macs, self.tiles, issued)
        drawn = stack.sampled(shape.sequences * shape.vocabulary) if isinstance(shape, Sampling) else 0
        return replace(kernels.even(0, self.tiles), launch=stack.vector.launch + drawn)

    def _rates(self, operator: Operator) -> Rates:
        path = self.traffic.paths.weights
        hops = [hop.group for hop in self.machine.route(path[-2], path[-1])]
        served = [(path[-2], "read"), *((group, "move") for group in hops)]
        return Rates(
            tiles=self.tiles,
            supply=self._rate(path[0], "read"),
            operands=min((rate for rate in (self._rate(*item) for item in served) if rate), default=None),
            macs=self.machine.actions[self.tile][self._mac(operator)].rate,
        )

    def _rate(self, component: str, action: str) -> int | None:
        rate = self.machine.actions[component][action].rate
        return None if rate is None else rate * self.machine.components[component].count

    def _declared(self, whole: Operator, own: Share, kernel: Kernel, phase: Phase) -> tuple[Declaration, ...]:
        """What the homes of weights and caches serve beyond the unique bytes."""
        extras: dict[str, Declaration] = {}
        for tensor, piece in zip(whole.reads, own.part.reads, strict=True):
            if tensor.role == "activations":
                continue
            held, over = self.traffic.warm_at(piece), own.over(tensor.name)
            served = 0 if held else self.traffic.home_reads(piece, own.part, kernel)
            extra = -(-served * over.numerator // over.denominator) - tensor.bytes
            if not extra:
                continue
            name, _, path = self.traffic.operand(piece)
            before = extras[name].extra if name in extras else 0
            read = f"{self.machine.devices} devices read their copies and parts, and the tiles' passes over {path[0]}"
            reason = f"left in `{held}` by an earlier run" if held else read
            extras[name] = Declaration(whole.name, phase, name, path[0], before + extra, reason)
        return tuple(extras.values())
