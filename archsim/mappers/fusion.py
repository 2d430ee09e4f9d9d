"""One kernel for operators that may join: what passes between them stays in registers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from archsim.model.trace import Operator, Tensor


def groups(operators: Sequence[Operator], *, fusion: bool) -> list[tuple[Operator, ...]]:
    """Operators by kernel, in program order: each with those that join it before it, its own name last."""
    if not fusion:
        return [(operator,) for operator in operators]
    joined: dict[str, list[Operator]] = {}
    found = []
    for operator in operators:
        if operator.joins and any(other.name == operator.joins for other in operators):
            joined.setdefault(operator.joins, []).append(operator)
        else:
            found.append((*joined.pop(operator.name, ()), operator))
    return found


def fused(group: Sequence[Operator]) -> Operator:
    """One operator that does the work of the group under the name of its last.

    It reads what none of the group made before, and writes all that they write: a tensor that only the group itself
    reads is overwritten or stays in registers, so its reads are gone and its writes are kept only where its role
    outlives the kernel.
    """
    if len(group) == 1:
        return group[0]
    host = group[-1]
    made: set[str] = set()
    reads: dict[str, Tensor] = {}
    for operator in group:
        for tensor in operator.reads:
            if tensor.name not in made or tensor.role != "activations":
                reads.setdefault(tensor.name, tensor)
        made |= {tensor.name for tensor in operator.writes}
    return replace(
        host,
        reads=tuple(reads.values()),
        writes=tuple(_kept_writes(group)),
        vector_ops=sum(operator.vector_ops for operator in group),
    )


def _kept_writes(group: Sequence[Operator]) -> Iterable[Tensor]:
    """Writes of the host, and those of the others that outlive it: caches and the residual stream."""
    *joining, host = group
    inputs = {tensor.name for tensor in host.reads if tensor.role == "activations"}
    writes = {tensor.name: tensor for tensor in host.writes}
    for operator in joining:
        for tensor in operator.writes:
            if tensor.role != "activations" or (tensor.name in inputs and operator.shards == "none"):
                writes.setdefault(tensor.name, tensor)
    return writes.values()
