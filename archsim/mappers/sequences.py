"""The part that one of several sequences has in an operator, where they pass one after the other."""

from __future__ import annotations

from dataclasses import replace

from archsim.model.plan import PlanError
from archsim.model.trace import Attention, Convolution, Experts, Gemm, Operator, Sampling, Scan, Shape, Tensor


def of_one(operator: Operator, batch: int) -> Operator:
    """One of `batch` equal parts: its own rows, caches and state, and all of the weights that they meet.

    Rows that were drawn for experts are dealt out in turn, so that each sequence has as many as it asked for, of
    different experts.

    Raises:
        PlanError: where the work does not divide.
    """
    if batch == 1:
        return operator
    if operator.macs % batch or operator.vector_ops % batch:
        message = f"the work of `{operator.name}` does not divide over {batch} sequences"
        help = "stages take equal sequences one by one: a batch that divides, or a workload without `served`"
        raise PlanError(message, ("workload", "batch"), help)
    shape = _shape(operator, batch)
    return replace(
        operator,
        reads=tuple(_part(tensor, operator, shape, batch) for tensor in operator.reads),
        writes=tuple(_share(tensor, 1, batch) for tensor in operator.writes),
        macs=operator.macs // batch,
        vector_ops=operator.vector_ops // batch,
        shape=shape,
    )


def _part(tensor: Tensor, operator: Operator, shape: Shape | None, batch: int) -> Tensor:
    """Weights are read by every sequence, unless an operator only looks its own up."""
    looked_up = not operator.macs and not operator.vector_ops
    if tensor.role != "weights" or looked_up:
        return _share(tensor, 1, batch)
    if isinstance(operator.shape, Experts) and isinstance(shape, Experts):
        return _share(tensor, touched(shape), max(1, touched(operator.shape)))
    return tensor


def _share(tensor: Tensor, part: int, whole: int) -> Tensor:
    return replace(tensor, elements=-(-tensor.elements * part // whole), bytes=-(-tensor.bytes * part // whole))


def _shape(operator: Operator, batch: int) -> Shape | None:
    shape = operator.shape
    if isinstance(shape, Gemm):
        return replace(shape, m=shape.m // batch)
    if isinstance(shape, Attention | Convolution | Scan):
        return replace(shape, batch=max(1, shape.batch // batch))
    if isinstance(shape, Sampling):
        return replace(shape, sequences=-(-shape.sequences // batch))
    if isinstance(shape, Experts):
        ends = [sum(shape.loads[: index + 1]) for index in range(len(shape.loads))]
        dealt = (-(-end // batch) + (load - end) // batch for end, load in zip(ends, shape.loads, strict=True))
        return replace(shape, loads=tuple(dealt))
    return shape


def touched(shape: Experts) -> int:
    """Experts that have rows."""
    return len(shape.loads) - shape.loads.count(0)
