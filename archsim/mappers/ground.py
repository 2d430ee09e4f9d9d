"""The ground that stages are placed on: square regions of meshes, or groups of chips."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from math import isqrt
from typing import Protocol, runtime_checkable

from archsim.mappers.chips import ChipLayout
from archsim.mappers.collectives import device_link
from archsim.mappers.layout import Layout
from archsim.mappers.mesh import MeshLayout, Regions
from archsim.mappers.passes import Load
from archsim.mappers.region import Homes, part
from archsim.mappers.stages import Excess, overfull, partition, refusal
from archsim.model.component import Connector
from archsim.model.graph import DEVICE
from archsim.model.machine import Machine
from archsim.model.plan import PlanError
from archsim.model.stack import Stack


@runtime_checkable
class Grid(Protocol):
    """A component with rows and columns of routers."""

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What a machine file asks for: so many stages at most, of so many devices, or on regions of such a side."""

    stages: int
    devices_each: int | None = None
    side: int | None = None


@dataclass(frozen=True, slots=True)
class Ground:
    """How a stage is laid out, the `machine` that it is, how many there is room for, and what that takes."""

    layout: Layout
    machine: Machine
    slots: int
    devices_each: int
    text: str

    def room(self, memory: str) -> int | None:
        """Bytes of a memory in one stage; None: no limit."""
        component = self.machine.components[memory]
        return None if component.capacity_bytes is None else component.capacity_bytes * component.count


Placed = tuple[Ground, tuple[int, ...]]
"""The ground, and the stage of each unit on it."""


def first_fit(
    options: Callable[[int], Iterable[tuple[Ground, int]]], kept: Sequence[Load], homes: Homes, devices: int
) -> Placed:
    """The first of the grounds, in so many stages each, that holds units; there are `options` for so many devices.

    Raises:
        PlanError: where none holds them; it says what the roomiest lacks.
    """
    worst: Excess | None = None
    for placed, excess in _tried(options(devices), kept, homes):
        if excess is None:
            return placed
        worst = excess if worst is None or excess[1] < worst[1] else worst

    def fits(count: int) -> bool:
        try:
            return any(excess is None for _, excess in _tried(options(count), kept, homes))
        except PlanError:  # so many devices need what the machine has not, as a link: no way out
            return False

    raise refusal(worst, fits, devices)


def _tried(
    options: Iterable[tuple[Ground, int]], kept: Sequence[Load], homes: Homes
) -> Iterator[tuple[Placed, Excess | None]]:
    sizes = [sum(load.values()) for load in kept]
    for ground, count in options:
        stages = partition(sizes, count)
        room = {name: ground.room(name) for name in homes.by_role.values()}
        yield (ground, stages), overfull(kept, stages, homes.by_role, room)


def chips(machine: Machine, homes: Homes, stack: Stack, wish: Wish, devices: int) -> Ground:
    """Stages of whole devices: as many as are asked for, or as the stages leave for one.

    Raises:
        PlanError: where a stage takes more devices than there are, or no link joins them.
    """
    group = wish.devices_each or max(1, devices // wish.stages)
    if group > devices:
        message = f"a stage takes {group} devices, and there are {devices}"
        raise PlanError(message, ("hardware", "mapper", "tensor_parallel"), f"devices: {group}")
    if devices > 1:
        device_link(machine)
    one = part(machine, {}, devices=1)
    on_device = {name: item for name, item in machine.components.items() if not _between_devices(item)}
    whole = part(machine, {name: item.count * group for name, item in on_device.items()}, devices=1)
    text = f"{devices // group} stages of {group} devices"
    return Ground(ChipLayout(whole, one, homes, stack, group), whole, devices // group, group, text)


def _between_devices(item: object) -> bool:
    return isinstance(item, Connector) and DEVICE in item.between


def regions(machine: Machine, homes: Homes, stack: Stack, fabric: str, wish: Wish, devices: int) -> Ground:
    """Square regions of the mesh `fabric`: as wide as asked for, or as the number of stages leaves room for.

    Raises:
        PlanError: where `fabric` is no mesh with a core beside each router, where a region is larger than it, or where
            no link joins several of them.
    """
    mesh: object = machine.components.get(fabric)
    if not isinstance(mesh, Grid) or "hop" not in machine.actions[fabric]:
        raise PlanError(f"`{fabric}` is no mesh", ("hardware", "mapper", "fabric"), "name a component of kind `mesh`")
    rows, columns = mesh.shape
    if machine.components[homes.tile].count != rows * columns:
        cores = machine.components[homes.tile].count
        message = f"`{homes.tile}` has {cores:,} instances, and `{fabric}` {rows} x {columns} routers"
        raise PlanError(message, ("hardware", "components", homes.tile), f"count: {rows * columns}")
    placed = Regions(wish.side or _widest(rows, columns, -(-wish.stages // devices)), rows, columns)
    if not placed.count:
        message = f"a region of {placed.side} x {placed.side} cores is larger than the mesh of {rows} x {columns}"
        raise PlanError(message, ("hardware", "mapper", "region"), f"region: {min(rows, columns)} or less")
    beside = {name: placed.side**2 for name, item in machine.components.items() if item.count == rows * columns}
    link = device_link(machine) if devices > 1 else ""
    regime = stack.collectives.all_reduce[0]
    one = part(machine, beside, devices=1)
    layout = MeshLayout(one, placed, fabric, homes.tile, link, stack.dataflow.instruction, regime.base)
    text = f"{placed.count} regions of {placed.side} x {placed.side} cores on {rows} x {columns}"
    return Ground(layout, one, placed.count * devices, 1, text)


def _widest(rows: int, columns: int, wanted: int) -> int:
    """The side of the largest squares of which as many as wanted fit."""
    side = max(1, isqrt(rows * columns // wanted))
    while side > 1 and (rows // side) * (columns // side) < wanted:
        side -= 1
    return side
