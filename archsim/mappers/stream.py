"""Kernels one after the other: each operator of a block as tasks over all tiles of a device, in one stream."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from archsim.mappers.collectives import Fabric, all_reduce, all_to_all, stated
from archsim.mappers.declared import padding
from archsim.mappers.fusion import fused, groups
from archsim.mappers.kernels import Kernel
from archsim.mappers.parallel import Degrees
from archsim.mappers.routing import Routing, routing_of
from archsim.mappers.shares import Share, share, unlike_shares
from archsim.mappers.tiles import Tiles
from archsim.mappers.traffic import Traffic
from archsim.model.machine import Machine
from archsim.model.plan import Declaration
from archsim.model.stack import Stack
from archsim.model.taskgraph import Segment, Task
from archsim.model.trace import Block, Collective, Experts, Operator, Phase, Role, Trace

_STREAM = ("stream",)
"""Kernels of one stream run one after the other."""

_Doing = tuple[Share, tuple[Kernel, ...]]
"""What somebody does, with which kernels."""

_Made = tuple[tuple[Task, ...], tuple[Declaration, ...]]
"""The tasks of an operator, and what one execution asks of homes beyond the unique bytes."""


@dataclass(frozen=True)
class Stream:
    """The kernels of equal devices, and what stays the same for all operators of a run.

    The tasks of an operator are made once. Blocks are executed `times` as often as they say: once for each microbatch
    of `batch` sequences. Where devices are told `apart`, tasks say what each does if they do unlike things.
    """

    machine: Machine
    stack: Stack
    degrees: Degrees
    batch: int
    traffic: Traffic
    fusion: bool
    readers: Mapping[str, frozenset[str]]
    times: int = 1
    apart: bool = False
    _extras: dict[tuple[str, str, str, str], tuple[Declaration, int]] = field(default_factory=dict)
    _made: dict[tuple[str, tuple[int, ...], Routing | None], _Made] = field(default_factory=dict)
    _drawn: dict[Hashable, _Made] = field(default_factory=dict)

    @property
    def declarations(self) -> tuple[Declaration, ...]:
        """What all operators together ask beyond the unique bytes, by operator, phase and tensor."""
        return tuple(replace(item, extra=extra) for item, extra in self._extras.values())

    @property
    def tiles(self) -> Tiles:
        """What computes."""
        return Tiles(self.machine, self.stack, self.traffic)

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
        routing = routing_of(block.operators, self.machine.devices, apart=self.apart)
        for group in groups(block.operators, fusion=self.fusion, apart=self.stack.apart):
            drawn = routing if any(operator.shards == "experts" for operator in group) else None
            key = (block.phase, tuple(map(id, group)), drawn)
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
            return (self._in_stream(stated(whole, whole.shape, phase, self.fabric)),), ()
        own = share(whole, self.degrees, self.batch, routing.part if routing else None)
        each = unlike_shares(whole, self.degrees, self.batch, routing.parts if routing else ()) if self.apart else ()
        if not isinstance(own.part.shape, Experts):
            return self._tasks(whole, own, each, phase, routing)
        alike = (
            phase,
            _in_order(own.part),
            own.work,
            *own.tensors.items(),
            whole.reads,
            whole.writes,
            routing,
            *(one and _in_order(one.part) for one in each),
        )
        if alike not in self._drawn:
            self._drawn[alike] = self._tasks(whole, own, each, phase, routing)
        return self._drawn[alike]

    def _tasks(
        self, whole: Operator, own: Share, each: tuple[Share | None, ...], phase: Phase, routing: Routing | None
    ) -> _Made:
        chosen = self.tiles.kernels(own.part)
        made = [replace(task, device=0, after=_STREAM, makes=_STREAM) for task in self.tiles.tasks(own, chosen, phase)]
        doing = [(own, chosen)]
        if each:
            alone = [None if one is None else (one, self.tiles.kernels(one.part)) for one in each]
            made = list(self._unlike(made, alone, phase))
            doing = [one for one in alone if one is not None]
        before, after = self._before(whole, phase, routing), self._after(whole, own, phase, routing)
        tasks = (*map(self._in_stream, before), *made, *map(self._in_stream, after))
        padded = (item for one, kernels in doing for item in padding(one, kernels, phase, self.tiles.name))
        return tasks, (*self._declared(whole, doing, phase), *padded)

    def _in_stream(self, task: Task) -> Task:
        return replace(self.in_use(task), after=_STREAM, makes=_STREAM)

    def _unlike(self, made: Sequence[Task], alone: Sequence[_Doing | None], phase: Phase) -> Iterator[Task]:
        """The kernels of the busiest device, the first with what each device does in place of all of them."""
        tiles = replace(self.tiles, machine=replace(self.machine, devices=1))
        found: dict[Operator, tuple[Task, ...]] = {}
        for one in alone:
            if one and (part := _in_order(one[0].part)) not in found:
                tasks = tiles.tasks(*one, phase)
                found[part] = tuple(replace(task, after=_STREAM, makes=_STREAM) for task in tasks)
        first, *others = made
        yield replace(first, each=tuple(found[_in_order(one[0].part)] if one else () for one in alone))
        yield from (replace(task, each=((),) * len(alone)) for task in others)

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
        return self.machine.at_work(task, self.tiles.name, self.tiles.count)

    def _declared(self, whole: Operator, doing: Sequence[_Doing], phase: Phase) -> tuple[Declaration, ...]:
        """What the homes of weights and caches serve beyond the unique bytes to all that do a part."""
        extras: dict[str, Declaration] = {}
        for index, tensor in enumerate(whole.reads):
            if tensor.role == "activations":
                continue
            piece = doing[0][0].part.reads[index]
            extra = sum(self._served(own, kernels[0], index) for own, kernels in doing) - tensor.bytes
            if not extra:
                continue
            name, _, path = self.traffic.operand(piece)
            before = extras[name].extra if name in extras else 0
            read = f"{self.machine.devices} devices read their copies and parts, and the tiles' passes over {path[0]}"
            held = self.traffic.warm_at(piece)
            reason = f"left in `{held}` by an earlier run" if held else read
            extras[name] = Declaration(whole.name, phase, name, path[0], before + extra, reason)
        return tuple(extras.values())

    def _served(self, own: Share, kernel: Kernel, index: int) -> int:
        """Bytes that the home of a tensor serves to all that have such a share."""
        piece = own.part.reads[index]
        over = own.over(piece.name)
        served = 0 if self.traffic.warm_at(piece) else self.traffic.home_reads(piece, own.part, kernel)
        return -(-served * over.numerator // over.denominator)


def _in_order(operator: Operator) -> Operator:
    """The operator with the loads of its experts by size: which of them have these rows makes no difference."""
    if not isinstance(operator.shape, Experts):
        return operator
    return replace(operator, shape=replace(operator.shape, loads=tuple(sorted(operator.shape.loads))))
