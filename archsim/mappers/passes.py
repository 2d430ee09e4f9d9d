"""A pass of a trace as units in a row: what each is made of, what enters it, and what it keeps."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from archsim.mappers.sequences import of_one, touched
from archsim.model.plan import Placement
from archsim.model.trace import Experts, Operator, Phase, Role, Tensor, Trace


@dataclass(frozen=True, slots=True, eq=False)
class Unit:
    """What is placed as a whole: a layer, or what stands before or after them; the operators of one sequence."""

    operators: tuple[Operator, ...]
    phase: Phase


@dataclass(frozen=True, slots=True)
class Pass:
    """One pass through the model, unit after unit."""

    units: tuple[Unit, ...]
    closes: str


def operators(units: Iterable[Unit]) -> Iterator[Operator]:
    """All operators of some units, in order."""
    return (operator for unit in units for operator in unit.operators)


def written(units: Iterable[Unit]) -> frozenset[str]:
    """Names of the activations that some units make."""
    made = (tensor for operator in operators(dict.fromkeys(units)) for tensor in operator.writes)
    return frozenset(tensor.name for tensor in made if tensor.role == "activations")


def entering(units: Iterable[Unit], made: Collection[str]) -> dict[str, int]:
    """Bytes by name of what some units read before they write it, of what is made anywhere in the pass."""
    here: set[str] = set()
    found: dict[str, int] = {}
    for operator in operators(units):
        for tensor in operator.reads:
            if tensor.name in made and tensor.name not in here:
                found[tensor.name] = max(found.get(tensor.name, 0), tensor.bytes)
        here |= {tensor.name for tensor in operator.writes}
    return found


def passes(trace: Trace, batch: int) -> Iterator[Pass]:
    """The passes of one of `batch` sequences; equal layers are one unit, named several times."""
    made: dict[int, Operator] = {}
    units: list[Unit] = []
    for block in trace.blocks:
        for operator in block.operators:
            if id(operator) not in made:
                made[id(operator)] = of_one(operator, batch)
        units += [Unit(tuple(made[id(operator)] for operator in block.operators), block.phase)] * block.times
        if block.closes:
            yield Pass(tuple(units), block.closes)
            units = []
    if units:
        yield Pass(tuple(units), "")


def alike(courses: Iterable[Pass]) -> tuple[Pass, ...]:
    """The same passes with one unit for all that are alike: which experts a layer drew is nothing to a stage of all."""
    whole = tuple(courses)
    found: dict[int, Operator] = {}
    same: dict[Operator, Operator] = {}
    units: dict[tuple[Phase, tuple[int, ...]], Unit] = {}

    def unit(one: Unit) -> Unit:
        for operator in one.operators:
            if id(operator) not in found:  # `whole` keeps the operators: their ids stay theirs
                drawn = _in_order(operator)
                found[id(operator)] = same.setdefault(drawn, drawn)
        mine = tuple(found[id(operator)] for operator in one.operators)
        return units.setdefault((one.phase, tuple(map(id, mine))), Unit(mine, one.phase))

    made = {id(one): unit(one) for course in whole for one in dict.fromkeys(course.units)}
    return tuple(Pass(tuple(made[id(one)] for one in course.units), course.closes) for course in whole)


def _in_order(operator: Operator) -> Operator:
    if not isinstance(operator.shape, Experts):
        return operator
    return replace(operator, shape=replace(operator.shape, loads=tuple(sorted(operator.shape.loads))))


Load = Mapping[Role, int]


def loads(trace: Trace, one_pass: Pass) -> tuple[Load, ...]:
    """Bytes that each unit keeps by role; they add up to what the trace says must be held, or a little more.

    Weights are those of its operators, all experts included; what nobody reads whole (a table of embeddings) stands
    with the first unit. KV and state are divided as the units read them.
    """
    weights = [_weights(unit) for unit in one_pass.units]
    found: list[dict[Role, int]] = [{} for _ in one_pass.units]
    for resident in trace.residents:
        if resident.role == "weights":
            parts = weights
            parts[0] += max(0, resident.bytes - sum(weights))
        else:
            parts = _divided(resident.bytes, [_read(unit, resident.role) for unit in one_pass.units])
        for place, size in zip(found, parts, strict=True):
            place[resident.role] = size
    return tuple(found)


def placements(trace: Trace, homes: Mapping[Role, str], devices: int) -> tuple[Placement, ...]:
    """Where all that must be held rests, an equal part of it on each device."""
    return tuple(Placement(each.role, homes[each.role], -(-each.bytes // devices)) for each in trace.residents)


def _weights(unit: Unit) -> int:
    held: dict[str, int] = {}
    for operator in unit.operators:
        for tensor in operator.reads:
            if tensor.role == "weights":
                held[tensor.name] = max(held.get(tensor.name, 0), _whole(tensor, operator))
    return sum(held.values())


def _whole(tensor: Tensor, operator: Operator) -> int:
    """A tensor with the experts that no row went to."""
    shape = operator.shape
    return tensor.bytes * len(shape.loads) // max(1, touched(shape)) if isinstance(shape, Experts) else tensor.bytes


def _read(unit: Unit, role: Role) -> int:
    return sum(tensor.bytes for operator in unit.operators for tensor in operator.reads if tensor.role == role)


def _divided(size: int, parts: Sequence[int]) -> list[int]:
    whole = sum(parts)
    return [-(-size * part // whole) for part in parts] if whole else [size, *([0] * (len(parts) - 1))]
