"""Layers cut into parts that fit a device each: between operators, and a matrix by its columns where it must be."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import groupby
from typing import Self

from archsim.mappers.passes import Load, Pass, Unit, entering, loads, operators, written
from archsim.mappers.stages import partition
from archsim.model.trace import Attention, Experts, Gemm, Operator, Role, Scan, Tensor, Trace

_Piece = tuple[Operator, Load]
"""An operator, and what it keeps."""


@dataclass(frozen=True, slots=True)
class Cut:
    """A pass whose units fit a device each, as far as they can be cut, and what each of them keeps."""

    course: Pass
    loads: tuple[Load, ...]

    @classmethod
    def of(cls, one: Pass, trace: Trace, room: int | None) -> Self:
        """A pass cut for devices of `room` bytes (None: no limit)."""
        single = tuple(Unit((operator,), unit.phase) for unit in one.units for operator in unit.operators)
        kept = iter(loads(trace, Pass(single, one.closes)))
        made: dict[tuple[int, int], list[tuple[Unit, Load]]] = {}
        found: list[tuple[Unit, Load]] = []
        for unit in one.units:
            pieces = [(operator, next(kept)) for operator in unit.operators]
            key = (id(unit), sum(_size(load) for _, load in pieces))
            if key not in made:
                made[key] = [
                    (Unit(tuple(op for op, _ in part), unit.phase), _sum(part)) for part in _parts(pieces, room)
                ]
            found += made[key]
        return cls(Pass(tuple(unit for unit, _ in found), one.closes), tuple(load for _, load in found))


def _parts(pieces: Sequence[_Piece], room: int | None) -> list[list[_Piece]]:
    """Operators in as few parts as fit, each contiguous."""
    if room is None or sum(_size(load) for _, load in pieces) <= room:
        return [list(pieces)]
    sliced = [piece for item in pieces for piece in _sliced(item, room)]
    stages = _fitted(tuple(_size(load) for _, load in sliced), room)
    members = groupby(zip(stages, sliced, strict=True), key=lambda pair: pair[0])
    return [[piece for _, piece in pairs] for _, pairs in members]


@cache
def _fitted(sizes: tuple[int, ...], room: int) -> tuple[int, ...]:
    """The part of each size: as few parts as fit, or all by themselves where they never do."""
    for count in range(-(-sum(sizes) // room), len(sizes)):
        stages = partition(sizes, count)
        held: Counter[int] = Counter()
        for stage, size in zip(stages, sizes, strict=True):
            held[stage] += size
        if max(held.values()) <= room:
            return stages
    return tuple(range(len(sizes)))


def _sliced(piece: _Piece, room: int) -> list[_Piece]:
    """A matrix or table in as many slices of columns as fit; caches and state are not cut."""
    operator, load = piece
    count = -(-_size(load) // room)
    if count <= 1 or isinstance(operator.shape, Attention | Scan):
        return [piece]
    return [
        (_slice(operator, index, count), {role: _part(size, index, count) for role, size in load.items()})
        for index in range(count)
    ]


def _slice(operator: Operator, index: int, count: int) -> Operator:
    shape = operator.shape
    macs = _part(operator.macs, index, count)
    if isinstance(shape, Gemm | Experts):
        columns = _part(shape.n, index, count)
        macs, shape = operator.macs // shape.n * columns, replace(shape, n=columns)
    return replace(
        operator,
        reads=tuple(t if t.role == "activations" else _share(t, index, count) for t in operator.reads),
        writes=tuple(_share(t, index, count) for t in operator.writes),
        macs=macs,
        vector_ops=_part(operator.vector_ops, index, count),
        shape=shape,
    )


def _share(tensor: Tensor, index: int, count: int) -> Tensor:
    return replace(tensor, elements=_part(tensor.elements, index, count), bytes=_part(tensor.bytes, index, count))


def _part(whole: int, index: int, count: int) -> int:
    """One of `count` parts that add up to the whole."""
    return whole * (index + 1) // count - whole * index // count


def _size(load: Load) -> int:
    return sum(load.values())


def _sum(pieces: Iterable[_Piece]) -> Load:
    sums: dict[Role, int] = {}
    for _, load in pieces:
        for role, size in load.items():
            sums[role] = sums.get(role, 0) + size
    return sums


def leaving(stages: Sequence[Sequence[Unit]]) -> list[int]:
    """Bytes that leave each stage: activations that a later one reads; from the last, what leads back to the first."""
    made = written(unit for units in stages for unit in units)
    alive = entering(stages[0], made)
    found = []
    for units in reversed(stages):
        found.append(sum(alive.values()))
        done = {tensor.name: tensor.bytes for operator in operators(units) for tensor in operator.writes}
        before = {name: size - done.get(name, 0) for name, size in alive.items()}  # a slice writes a part
        alive = {name: size for name, size in before.items() if size > 0} | entering(units, made)
    return found[::-1]
