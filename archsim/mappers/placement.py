"""Where every tensor lives over the whole run, and whether it fits."""

from __future__ import annotations

from collections.abc import Mapping

from archsim.mappers.parallel import degrees, kv_degree
from archsim.model.machine import Machine
from archsim.model.plan import Placement, PlanError
from archsim.model.trace import Role, Trace

_UNITS = {"kB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12, "PB": 10**15, "EB": 10**18}


def place(trace: Trace, homes: Mapping[Role, str], degree: int, machine: Machine) -> tuple[Placement, ...]:
    """Weights, and KV or state at its largest, in their homes; each device keeps its part.

    Raises:
        PlanError: where a memory cannot hold them; it says by how much, and what would make them fit.
    """
    placed = _placed(trace, homes, degree)
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
            degrees = _fitting(trace, homes, name, capacity)
            raise PlanError(message, ("hardware", "components", name), _remedy(held, capacity, degrees))
    return placed


def _placed(trace: Trace, homes: Mapping[Role, str], degree: int) -> tuple[Placement, ...]:
    """What each of `degree` devices keeps."""
    parts = {resident.role: degree for resident in trace.residents} | {"kv": kv_degree(degree, trace.kv_heads)}
    return tuple(
        Placement(resident.role, homes[resident.role], -(-resident.bytes // parts[resident.role]))
        for resident in trace.residents
    )


def _fitting(trace: Trace, homes: Mapping[Role, str], name: str, capacity: int) -> int | None:
    """The least degree of tensor parallelism at which a device's part fits, None where none does."""
    for degree in degrees(trace):
        if sum(item.bytes for item in _placed(trace, homes, degree) if item.component == name) <= capacity:
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
