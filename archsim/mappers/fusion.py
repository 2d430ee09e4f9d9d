"""One kernel for operators that may join: what passes between them stays in registers."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import replace

from archsim.model.trace import Operator, Tensor, Trace


def groups(operators: Sequence[Operator], *, fusion: bool, apart: Container[str] = ()) -> list[tuple[Operator, ...]]:
    """Operators by kernel, in program order: each with those that join it before it, its own name last.

    Those named in `apart` join none.
    """
    if not fusion:
        return [(operator,) for operator in operators]
    joined: dict[str, list[Operator]] = {}
    names = {operator.name for operator in operators}
    found = []
    for operator in operators:
        if operator.joins in names and operator.name not in apart:
            joined.setdefault(operator.joins, []).append(operator)
        else:
            found.append((*joined.pop(operator.name, ()), operator))
    return found


def fused(group: Sequence[Operator], readers: Mapping[str, frozenset[str]] | None = None) -> Operator:
    """One operator that does the work of the group under the name of its last.

    It reads what none of the group made before, and writes what outlives it: caches, and what an operator outside the
    group reads, by the names of operators in `readers` of each tensor. The rest stays in registers.
    """
    if len(group) == 1:
        return group[0]
    made: set[str] = set()
    reads: dict[str, Tensor] = {}
    for operator in group:
        for tensor in operator.reads:
            if tensor.name not in made or tensor.role != "activations":
                reads.setdefault(tensor.name, tensor)
        made |= {tensor.name for tensor in operator.writes}
    return replace(
        group[-1],
        reads=tuple(reads.values()),
        writes=tuple(_outliving(group, readers or {})),
        vector_ops=sum(operator.vector_ops for operator in group),
    )


def _outliving(group: Sequence[Operator], readers: Mapping[str, frozenset[str]]) -> Iterable[Tensor]:
    *joining, host = group
    names = {operator.name for operator in group}
    writes = {tensor.name: tensor for tensor in host.writes}
    for operator in joining:
        for tensor in operator.writes:
            if tensor.role != "activations" or readers.get(tensor.name, frozenset()) - names:
                writes.setdefault(tensor.name, tensor)
    return writes.values()


def readers_of(trace: Trace) -> dict[str, frozenset[str]]:
    """Names of the operators that read each activation."""
    found: dict[str, set[str]] = {}
    for operator in trace.operators:
        for tensor in operator.reads:
            found.setdefault(tensor.name, set()).add(operator.name)
    return {name: frozenset(operators) for name, operators in found.items()}
