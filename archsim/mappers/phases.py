"""Operators as phases: after each, the next one needs the whole result."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction

from archsim.model.trace import Attention, Experts, Gemm, Operator, Scan, Tensor


@dataclass(frozen=True, slots=True)
class Product:
    """[rows, k] x [k, n], as it is laid out over many cores; what is summed over k must meet."""

    rows: int
    n: int
    k: int


@dataclass(frozen=True, slots=True)
class PhaseOfWork:
    """A part of an operator (all of it, or scores or values of attention).

    `operator` holds only that part. `product` is None where it is no product. `statistics` counts the reductions of one
    value per row that follow: the sum of squares of a norm, the maximum and the sum of a softmax. `rows` is the new
    tokens that it works on.
    """

    operator: Operator
    product: Product | None
    statistics: int
    rows: int


def phases(operator: Operator) -> tuple[PhaseOfWork, ...]:
    """The phases of an operator in order."""
    shape = operator.shape
    if isinstance(shape, Attention):
        return tuple(_attention(operator, shape))
    if isinstance(shape, Gemm):
        return (PhaseOfWork(operator, Product(shape.m, shape.n, shape.k), 0, shape.m),)
    if isinstance(shape, Experts):
        rows = sum(shape.loads)
        return (PhaseOfWork(operator, Product(rows, shape.n, shape.k), 0, rows),)
    if isinstance(shape, Scan):
        steps = -(-shape.tokens // shape.chunk)
        product = Product(steps, shape.heads * shape.head_size, shape.state_size)
        return (PhaseOfWork(operator, product, 0, shape.tokens),)
    scales = sum(tensor.elements for tensor in operator.reads if tensor.role == "weights")
    made = sum(tensor.elements for tensor in operator.writes if tensor.role == "activations")
    rows = max(1, made // scales) if scales else 1
    return (PhaseOfWork(operator, None, 1 if scales and operator.vector_ops else 0, rows),)


def _attention(operator: Operator, shape: Attention) -> Iterator[PhaseOfWork]:
    """Queries against keys, a softmax over the context, and a sum of the values; queries of a KV head go together."""
    rows = shape.batch * shape.queries * shape.heads // shape.kv_heads
    value_size = shape.value_size or shape.head_size
    part = Fraction(shape.head_size, shape.head_size + value_size)
    macs = int(operator.macs * part)
    cached, given = _by_role(operator)
    keys = tuple(_share(tensor, Fraction(1) if shape.value_size else part) for tensor in cached)
    values = tuple(
        _share(tensor, Fraction(value_size, shape.head_size))
        if shape.value_size
        else replace(tensor, bytes=tensor.bytes - key.bytes, elements=tensor.elements - key.elements)
        for tensor, key in zip(cached, keys, strict=True)
    )
    scores = replace(operator, reads=(*given, *keys), writes=(), macs=macs)
    summed = replace(operator, reads=values, macs=operator.macs - macs, vector_ops=0)
    yield PhaseOfWork(scores, Product(rows, shape.context, shape.kv_heads * shape.head_size), 2, rows)
    yield PhaseOfWork(summed, Product(rows, shape.kv_heads * value_size, shape.context), 0, rows)


def _by_role(operator: Operator) -> tuple[tuple[Tensor, ...], tuple[Tensor, ...]]:
    cached = tuple(tensor for tensor in operator.reads if tensor.role != "activations")
    return cached, tuple(tensor for tensor in operator.reads if tensor.role == "activations")


def _share(tensor: Tensor, part: Fraction) -> Tensor:
    return replace(tensor, elements=int(tensor.elements * part), bytes=int(tensor.bytes * part))
