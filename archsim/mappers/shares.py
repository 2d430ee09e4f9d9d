"""What the busiest device does of an operator, and how much all devices do: by tensor shards, by sequences, by experts.

Tensor parallelism gives every device the same. Under expert parallelism each device has experts and sequences of its
own, so what one does differs from device to device as the routing was drawn: the busiest sets the time.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import lru_cache

from archsim.mappers.parallel import Degrees, shard
from archsim.model.trace import Attention, Convolution, Experts, Gemm, Operator, Sampling, Scan, Shape, Tensor


@dataclass(frozen=True, slots=True)
class Share:
    """The busiest device's part, and by tensor how often its bytes are moved by all devices together.

    `work` is the same for MACs and vector operations; tensors that are not named are moved as often as `work` says.
    """

    part: Operator
    work: Fraction
    tensors: Mapping[str, Fraction] = field(default_factory=dict)

    def over(self, name: str) -> Fraction:
        """How often all devices together move what the busiest one moves of a tensor."""
        return self.tensors.get(name, self.work)


def share(operator: Operator, degrees: Degrees, batch: int, routed: Fraction | None) -> Share:
    """The share of an operator; `routed` is the part of all routed rows that the busiest device has in its block."""
    if isinstance(operator.shape, Experts) and degrees.devices > 1:
        return _experts(operator, operator.shape, busiest_experts(operator.shape.loads, degrees.devices))
    if operator.shards == "experts" and routed and degrees.devices > 1:
        return Share(_scaled(operator, routed), 1 / routed)
    if degrees.expert > 1:
        return _sequences(operator, degrees, batch)
    return Share(shard(operator, degrees.tensor), Fraction(degrees.tensor))


@lru_cache(maxsize=1024)
def busiest_experts(loads: tuple[int, ...], devices: int) -> tuple[int, ...]:
    """Loads of the device with most active experts, then most rows; experts stand on the devices in order."""
    return max(by_device(loads, devices), key=lambda group: (_active(group), sum(group)))


def by_device(loads: tuple[int, ...], devices: int) -> list[tuple[int, ...]]:
    """The loads of each device's experts, which stand on the devices in order."""
    each = len(loads) // devices
    return [loads[start : start + each] for start in range(0, len(loads), each)]


def unlike_shares(
    operator: Operator, degrees: Degrees, batch: int, routed: tuple[Fraction, ...]
) -> tuple[Share | None, ...]:
    """What each device does of an operator, and bills by itself; None: nothing. Empty where all do the same.

    `routed` are the parts of all routed rows that the devices have in the operator's block.
    """
    parts: tuple[Operator | None, ...] = ()
    if isinstance(operator.shape, Experts) and degrees.devices > 1:
        shape = operator.shape
        groups = by_device(shape.loads, degrees.devices)
        parts = tuple(_experts(operator, shape, group).part if any(group) else None for group in groups)
    elif operator.shards == "experts" and routed:
        parts = tuple(_scaled(operator, part) if part else None for part in routed)
    elif batch % degrees.expert:
        most = -(-batch // degrees.expert)
        held = [min(most, max(0, batch - most * group)) for group in range(degrees.expert)]
        parts = tuple(
            shard(_scaled(operator, Fraction(size, batch)), degrees.tensor) if size else None
            for size in held
            for _ in range(degrees.tensor)
        )
    return tuple(None if part is None else Share(part, Fraction(1)) for part in parts)


def _experts(operator: Operator, shape: Experts, loads: tuple[int, ...]) -> Share:
    """The share of a device whose experts have these loads."""
    rows, active = Fraction(sum(loads), sum(shape.loads)), Fraction(_active(loads), _active(shape.loads))
    part = _scaled(operator, rows)
    reads = tuple(
        _sized(tensor, active) if tensor.role == "weights" else piece
        for tensor, piece in zip(operator.reads, part.reads, strict=True)
    )
    weights = {tensor.name: 1 / active for tensor in operator.reads if tensor.role == "weights"}
    return Share(replace(part, reads=reads, shape=replace(shape, loads=loads)), 1 / rows, weights)


def _active(loads: tuple[int, ...]) -> int:
    return len(loads) - loads.count(0)


def _sequences(operator: Operator, degrees: Degrees, batch: int) -> Share:
    """Sequences divided over the expert-parallel devices, each with all weights of the layer."""
    most = -(-batch // degrees.expert)
    working = Fraction(-(-batch // most)) * degrees.tensor
    part = shard(_scaled(operator, Fraction(most, batch)), degrees.tensor)
    over = Fraction(batch, most) * degrees.tensor
    weights = {tensor.name: working for tensor in operator.reads if tensor.role == "weights"}
    return Share(part, over, weights)


def _scaled(operator: Operator, part: Fraction) -> Operator:
    """A part of the rows or sequences of an operator; weights stay whole."""
    return replace(
        operator,
        reads=tuple(tensor if tensor.role == "weights" else _sized(tensor, part) for tensor in operator.reads),
        writes=tuple(_sized(tensor, part) for tensor in operator.writes),
        macs=_of(operator.macs, part),
        vector_ops=_of(operator.vector_ops, part),
        shape=_shape(operator, part),
    )


def _sized(tensor: Tensor, part: Fraction) -> Tensor:
    return replace(tensor, elements=_of(tensor.elements, part), bytes=_of(tensor.bytes, part))


def _of(count: int, part: Fraction) -> int:
    return -(-count * part.numerator // part.denominator)


def _shape(operator: Operator, part: Fraction) -> Shape | None:
    shape = operator.shape
    if isinstance(shape, Gemm):
        return replace(shape, m=_of(shape.m, part))
    if isinstance(shape, Sampling):
        return replace(shape, sequences=_of(shape.sequences, part))
    return replace(shape, batch=_of(shape.batch, part)) if isinstance(shape, Attention | Convolution | Scan) else shape
