"""Where every tensor lives over the whole run, and whether it fits."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from math import ceil

from archsim.mappers.collectives import linked
from archsim.mappers.parallel import Degrees, kv_degree, tensor_degrees
from archsim.model.machine import Machine
from archsim.model.plan import Placement, PlanError
from archsim.model.trace import Experts, Role, Trace

_UNITS = {"kB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12, "PB": 10**15, "EB": 10**18}


def place(
    trace: Trace, homes: Mapping[Role, str], degrees: Degrees, batch: int, machine: Machine
) -> tuple[Placement, ...]:
    """Weights, and KV or state at its largest, in their homes; each device keeps its part.

    Raises:
        PlanError: where a memory cannot hold them; it says by how much, and what would make them fit.
    """
    experts = _expert_bytes(trace)
    placed = _placed(trace, homes, degrees, batch, experts)
    for name in dict.fromkeys(item.component for item in placed):
        component = machine.components[name]
        if component.capacity_bytes is None:
            continue
        capacity = component.capacity_bytes * component.count
        held = [item for item in placed if item.component == name]
        needed = sum(item.bytes for item in held)
        if needed > capacity:
            parts = " + ".join(f"{_size(item.bytes)} {item.role}" for item in held)
            excess = f"{_size(capacity)}: {_size(needed - capacity)} too much"
            message = f"the model does not fit: {parts} in `{name}`, which holds {excess}"
            fitting = _fitting(trace, homes, name, capacity, experts) if linked(machine) else None
            raise PlanError(message, ("hardware", "components", name), _remedy(held, capacity, fitting))
    return placed


def _placed(
    trace: Trace, homes: Mapping[Role, str], degrees: Degrees, batch: int, experts: int
) -> tuple[Placement, ...]:
    """What each device keeps: its shard of the weights, its experts, and the KV and state of its sequences."""
    busiest = Fraction(-(-batch // degrees.expert), batch)
    parts = {resident.role: busiest / degrees.tensor for resident in trace.residents}
    parts["kv"] = busiest / kv_degree(degrees.tensor, trace.kv_heads)
    sizes = {
        resident.role: ceil(Fraction(resident.bytes - experts, degrees.tensor) + Fraction(experts, degrees.devices))
        if resident.role == "weights"
        else ceil(resident.bytes * parts[resident.role])
        for resident in trace.residents
    }
    return tuple(Placement(role, homes[role], size) for role, size in sizes.items())


def _expert_bytes(trace: Trace) -> int:
    """Bytes of all routed experts, from what the active ones of one step read."""
    total = 0
    for block in trace.blocks:
        for operator in block.operators:
            if isinstance(operator.shape, Experts):
                active = len(operator.shape.loads) - operator.shape.loads.count(0)
                read = sum(tensor.bytes for tensor in operator.reads if tensor.role == "weights")
                total += read * len(operator.shape.loads) // max(1, active) * block.times
        if block.closes:
            break
    return total


def _fitting(trace: Trace, homes: Mapping[Role, str], name: str, capacity: int, experts: int) -> int | None:
    """The least degree of tensor parallelism at which a device's part fits, None where none does."""
    for degree in tensor_degrees(trace):
        placed = _placed(trace, homes, Degrees(degree), 1, experts)
        if sum(item.bytes for item in placed if item.component == name) <= capacity:
            return degree
    return None


def _remedy(placed: list[Placement], capacity: int, degree: int | None) -> str:
    needed = sum(item.bytes for item in placed)
    weights = sum(item.bytes for item in placed if item.role == "weights")
    rest = needed - weights
    ways = [f"devices: {degree} with tensor_parallel: {degree}"] if degree else []
    if weights and rest < capacity:
        ways.append(f"weights in {_percent(capacity - rest, weights)} of their bytes (a narrower data type)")
    if rest and weights < capacity:
        ways.append(f"{_percent(capacity - weights, rest)} of the KV (a smaller batch or context)")
    return f"what would make it fit: {'; or '.join([*ways, f'{_size(needed)} of capacity'])}"


def _percent(part: int, whole: int) -> str:
    """A share, rounded down: what is left of it must fit."""
    return f"{1000 * part // whole / 10:g} %"


def _size(count: int) -> str:
    """Bytes to one decimal."""
    unit = next((unit for unit in ("EB", "PB", "TB", "GB", "MB", "kB") if count >= _UNITS[unit]), "B")
    return f"{count / _UNITS[unit]:,.1f} {unit}" if unit != "B" else f"{count} B"
