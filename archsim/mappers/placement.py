"""Where every tensor lives over the whole run, and whether it fits."""

from __future__ import annotations

from collections.abc import Mapping

from archsim.mappers.parallel import kv_degree
from archsim.model.machine import Machine
from archsim.model.plan import Placement, PlanError
from archsim.model.trace import Role, Trace

GB = 1e9


def place(trace: Trace, homes: Mapping[Role, str], degree: int, machine: Machine) -> tuple[Placement, ...]:
    """Weights, and KV or state at its largest, in their homes; each device keeps its part.

    Raises:
        PlanError: where a memory cannot hold them; it says by how much, and what would make them fit.
    """
    placed = []
    for resident in trace.residents:
        parts = kv_degree(degree, trace.kv_heads) if resident.role == "kv" else degree
        placed.append(Placement(resident.role, homes[resident.role], -(-resident.bytes // parts)))
    for component in dict.fromkeys(item.component for item in placed):
        _check(component, [item for item in placed if item.component == component], machine)
    return tuple(placed)


def _check(name: str, placed: list[Placement], machine: Machine) -> None:
    component = machine.components[name]
    if component.capacity_bytes is None:
        return
    capacity = component.capacity_bytes * component.count
    needed = sum(item.bytes for item in placed)
    if needed <= capacity:
        return
    parts = " + ".join(f"{item.bytes / GB:.1f} GB {item.role}" for item in placed)
    excess = f"{(needed - capacity) / GB:.1f} GB too much"
    message = f"the model does not fit: {parts} in `{name}`, which holds {capacity / GB:.1f} GB: {excess}"
    raise PlanError(message, ("hardware", "components", name), _remedy(placed, capacity, needed, machine))


def _remedy(placed: list[Placement], capacity: int, needed: int, machine: Machine) -> str:
    devices = machine.devices * -(-needed // capacity)
    weights = next((item.bytes for item in placed if item.role == "weights"), 0)
    rest = needed - weights
    ways = [f"devices: {devices} with tensor_parallel: {devices} (or the next degree that divides the heads)"]
    if weights and rest < capacity:
        ways.append(f"weights in {(capacity - rest) / weights:.0%} of their bytes (a narrower data type)")
    if rest and weights < capacity:
        ways.append(f"{(capacity - weights) / rest:.0%} of the KV (a smaller batch or context)")
    return "what would make it fit: " + "; or ".join(ways)
