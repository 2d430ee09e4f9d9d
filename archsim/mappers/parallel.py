"""Tensor parallelism: what one of several equal devices does of an operator, and the sum that joins the parts."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

from archsim.model.plan import PlanError
from archsim.model.trace import Attention, Convolution, Gemm, Operator, Scan, Shape, Tensor, Trace

_MOST = 4096
"""Devices that are thought of where the heads set no limit."""

_WHERE = ("hardware", "mapper", "tensor_parallel")


class Degrees(NamedTuple):
    """Devices that share every operator, times groups of them that have experts and sequences of their own.

    `devices` are those of one stage, where the layers are divided over several.
    """

    tensor: int
    expert: int = 1

    @property
    def devices(self) -> int:
        """All devices that a layer stands on: its experts are spread over every one of them."""
        return self.tensor * self.expert


def parallel_degrees(tensor: int | None, expert: int | None, stages: int, devices: int, trace: Trace) -> Degrees:
    """The degrees of one of the `stages` that the layers are divided over; what is left out is tensor parallelism.

    Raises:
        PlanError: where their product is not the number of devices, or one does not divide what it should.
    """
    groups = expert or 1
    where = ("hardware", "mapper", "expert_parallel")
    if groups > 1 and not trace.experts:
        raise PlanError(f"expert_parallel {groups}, but the model has no experts", where)
    if devices % stages:
        message = f"pipeline_parallel {stages} does not divide the {devices} devices"
        raise PlanError(message, ("hardware", "mapper", "pipeline_parallel"))
    if devices % (stages * groups):
        raise PlanError(f"expert_parallel {groups} does not divide the {devices // stages} devices of a stage", where)
    if trace.experts % (devices // stages):
        message = f"{trace.experts} experts do not divide over {devices // stages} devices"
        raise PlanError(message, where if expert else ("hardware", "devices"))
    others = groups * stages
    if tensor and tensor * others != devices:
        message = f"the degrees of parallelism multiply to {tensor * others}, but `devices` is {devices}"
        raise PlanError(message, _WHERE, f"set devices to {tensor * others}, or tensor_parallel to {devices // others}")
    return Degrees(tensor_degree(tensor, devices // others, trace), groups)


def tensor_degree(given: int | None, devices: int, trace: Trace) -> int:
    """The degree of tensor parallelism: as given, or all devices.

    Raises:
        PlanError: where it is not the number of devices, or does not divide the heads.
    """
    degree = given or devices
    if degree != devices:
        message = f"the degrees of parallelism multiply to {degree}, but `devices` is {devices}"
        raise PlanError(message, _WHERE, f"set devices to {degree}, or tensor_parallel to {devices}")
    if trace.heads and trace.heads % degree:
        divisors = [str(n) for n in range(1, min(trace.heads, 64) + 1) if trace.heads % n == 0]
        message = f"tensor_parallel {degree} does not divide the model's {trace.heads} attention heads"
        raise PlanError(message, _WHERE, "degrees that do: " + ", ".join(divisors))
    if trace.kv_heads and trace.kv_heads % degree and degree % trace.kv_heads:
        message = (
            f"tensor_parallel {degree} neither divides the model's {trace.kv_heads} KV heads nor is a multiple of them"
        )
        raise PlanError(message, _WHERE)
    return degree


def tensor_degrees(trace: Trace) -> list[int]:
    """Degrees of tensor parallelism that the heads allow, of those a machine could have."""
    return [
        degree
        for degree in range(1, (min(trace.heads, _MOST) or _MOST) + 1)
        if not (trace.heads and trace.heads % degree)
        and not (trace.kv_heads and trace.kv_heads % degree and degree % trace.kv_heads)
    ]


def shard(operator: Operator, degree: int) -> Operator:
    """The part of one device.

    Columns: a part of the weights and outputs. Rows: a part of the weights and inputs, a partial sum of all outputs.
    Heads: a part of everything (a KV head is kept by several devices where there are fewer heads than devices). None:
    all of it, on every device.
    """
    if degree == 1 or operator.shards == "none":
        return operator
    matrix = isinstance(operator.shape, Gemm)
    whole_reads = matrix and operator.shards == "columns"
    whole_writes = matrix and operator.shards == "rows"
    return replace(
        operator,
        reads=tuple(
            t if whole_reads and t.role == "activations" else _part(t, degree, operator) for t in operator.reads
        ),
        writes=tuple(t if whole_writes else _part(t, degree, operator) for t in operator.writes),
        macs=-(-operator.macs // degree),
        vector_ops=-(-operator.vector_ops // degree),
        shape=_shape(operator, degree),
    )


def kv_degree(degree: int, kv_heads: int) -> int:
    """Devices that divide the KV among them; beyond the number of KV heads they keep copies."""
    return min(degree, kv_heads) if kv_heads else degree


def _part(tensor: Tensor, degree: int, operator: Operator) -> Tensor:
    if tensor.role == "kv" and isinstance(operator.shape, Attention):
        degree = kv_degree(degree, operator.shape.kv_heads)
    return replace(tensor, elements=-(-tensor.elements // degree), bytes=-(-tensor.bytes // degree))


def _shape(operator: Operator, degree: int) -> Shape | None:
    shape = operator.shape
    if isinstance(shape, Attention):
        return replace(shape, heads=shape.heads // degree, kv_heads=max(1, shape.kv_heads // degree))
    if isinstance(shape, Scan):
        return replace(shape, heads=-(-shape.heads // degree))
    if isinstance(shape, Convolution):
        return replace(shape, channels=-(-shape.channels // degree))
    if isinstance(shape, Gemm) and operator.shards == "rows":
        return replace(shape, k=-(-shape.k // degree))
    return replace(shape, n=-(-shape.n // degree)) if isinstance(shape, Gemm) else shape
