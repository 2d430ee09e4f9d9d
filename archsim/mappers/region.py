"""A part of a machine that works on its own: its instances, its ports, and what an operator does there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from archsim.mappers.access import fetch, store
from archsim.model.dtype import BITS
from archsim.model.graph import NoRouteError
from archsim.model.machine import Machine
from archsim.model.plan import PlanError
from archsim.model.request import Move
from archsim.model.taskgraph import Flow, Port, Task
from archsim.model.trace import Operator, Role


def part(machine: Machine, counts: Mapping[str, int], devices: int = 1) -> Machine:
    """The machine as a part of it sees itself: fewer (or more) instances of some components, on the same graph."""
    fewer = {
        name: item.model_copy(update={"count": counts[name]})
        for name, item in machine.components.items()
        if name in counts
    }
    return replace(machine, devices=devices, components={**machine.components, **fewer})


def private(task: Task, place: str) -> Task:
    """A task whose ports are those of a place: it meets no flow of another one."""
    return replace(task, flows=tuple(_private(flow, place) for flow in task.flows))


def _private(flow: Flow, place: str) -> Flow:
    loads = tuple((Port(port.component, f"{port.name} of {place}"), ticks) for port, ticks in flow.loads)
    return replace(flow, loads=loads, place=place)


def tagged(flow: Flow, tensor: str, components: Iterable[str]) -> Flow:
    """A flow whose legs over some components carry a tensor by name."""
    named = frozenset(components)
    return replace(
        flow, legs=tuple(leg._replace(tensor=tensor) if leg.component in named else leg for leg in flow.legs)
    )


@dataclass(frozen=True, slots=True)
class Homes:
    """Where weights, caches and activations live beside the tiles that work on them."""

    weights: tuple[str, ...]
    cache: tuple[str, ...]
    activations: str
    tile: str

    def path(self, role: str) -> tuple[str, ...]:
        """From home to tile."""
        return self.weights if role == "weights" else self.cache if role in ("kv", "state") else self.local

    @property
    def by_role(self) -> Mapping[Role, str]:
        """Where what must be held rests."""
        return {"weights": self.weights[0], "kv": self.cache[0], "state": self.cache[0]}

    @property
    def local(self) -> tuple[str, str]:
        """Between the memory of activations and the tiles."""
        return self.activations, self.tile

    def moves(self, operator: Operator, copies: int, readings: int, touches: int) -> list[Move]:
        """What an operator reads and writes: copies of activations, readings of weights, touches of results."""
        found: list[Move] = []
        for tensor in operator.reads:
            name = "inputs" if tensor.role == "activations" else tensor.role
            size = tensor.bytes * {"activations": copies, "weights": readings}.get(tensor.role, 1)
            found += fetch(name, self.path(tensor.role), size, size, {})
        for tensor in operator.writes:
            if tensor.role == "activations":
                found += store("outputs", self.local, tensor.bytes * copies, touches)
            else:
                found += store(tensor.role, self.path(tensor.role), tensor.bytes, 1)
        return found


def homes(machine: Machine, tile: str, weights: str, cache: str | None, activations: str | None) -> Homes:
    """Paths along the graph from the named memories to the named tiles.

    Raises:
        PlanError: for a name that is no component, tiles that do not compute, a memory that holds nothing, or no links.
    """
    if tile in machine.components and not machine.components[tile].pooled:
        raise PlanError(f"`{tile}` does not compute", ("hardware", "mapper", "tile"), "name the tiles")
    to_tile = [_path(machine, name, tile, field) for name, field in ((weights, "weights"), (cache or weights, "kv"))]
    near = activations or to_tile[1][-2]
    _path(machine, near, tile, "activations")
    return Homes(to_tile[0], to_tile[1], near, tile)


def _path(machine: Machine, home: str, tile: str, field: str) -> tuple[str, ...]:
    known = [name for name in machine.wiring.graph if name in machine.components]
    for name, where in ((home, field), (tile, "tile")):
        if name not in known:
            help = "components: " + ", ".join(f"`{other}`" for other in known)
            raise PlanError(f"`{name}` is no component on the graph", ("hardware", "mapper", where), help)
    if machine.components[home].capacity_bytes == 0:
        raise PlanError(f"`{home}` holds nothing", ("hardware", "mapper", field))
    try:
        path = machine.wiring.path(home, tile)
    except NoRouteError as error:
        message = f"no route from `{home}` to `{tile}`"
        raise PlanError(message, ("hardware", "links"), "add a link between them") from error
    return tuple(name for name in path if machine.components[name].capacity_bytes != 0 or name == tile)


def mac_action(machine: Machine, component: str, operator: Operator) -> str:
    """The action that does an operator's MACs.

    Raises:
        PlanError: where the component does not compute in their type.
    """
    action, offered = f"mac_{operator.mac_dtype}", machine.actions[component]
    if action not in offered:
        known = ", ".join(f"`{name.removeprefix('mac_')}`" for name in offered if name.startswith("mac_"))
        message = f"`{component}` of {machine.name} does not compute in `{operator.mac_dtype}`"
        help = f"MACs run in the activation type; it computes {known}"
        raise PlanError(message, ("workload", "dtypes", "activations"), help)
    return action


def widened(operator: Operator, share: float) -> int:
    """Vector operations that turn narrow operands into the type of the MACs."""
    if not operator.macs:
        return 0
    narrow = [t for t in operator.reads if t.role != "activations" and BITS[t.dtype] < BITS[operator.mac_dtype]]
    return round(sum(tensor.elements for tensor in narrow) * share)
