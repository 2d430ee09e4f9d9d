"""How an operand gets from its home to the tiles, and a result back: a setting that moves a total by a fifth."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from pydantic import Field, PositiveInt

from archsim.config.checked import Checked
from archsim.config.units import Bytes
from archsim.model.graph import NoRouteError
from archsim.model.machine import Machine
from archsim.model.plan import PlanError
from archsim.model.request import Move


class OperandAccess(Checked):
    """From home to tile: the memories on the way, copies written at each, and how often the last one is read."""

    path: tuple[str, ...] | None = Field(default=None, min_length=2, description="home, memories on the way, tile")
    fan: Mapping[str, PositiveInt] = Field(default={}, description="copies written at a memory on the way")
    reuse: PositiveInt | Literal["all", "kernel"] = Field(
        default="kernel",
        description="MACs served by one read of the innermost memory; all: each byte once; kernel: as its tiles need",
    )
    run: Bytes | None = Field(
        default=None, gt=0, description="contiguous bytes at home, in a random place; a stream where left out"
    )


class ResultAccess(Checked):
    """From tile to home: how many MACs are summed before the innermost memory is touched."""

    path: tuple[str, ...] | None = Field(default=None, min_length=2, description="home, memories on the way, tile")
    reduction: PositiveInt | Literal["all"] = Field(
        default="all", description="all: there is an accumulator for the whole sum"
    )


class AccessSettings(Checked):
    """Access of each operand; paths left out follow the graph from the main memory to the tiles."""

    weights: OperandAccess = OperandAccess()
    kv: OperandAccess = OperandAccess()
    inputs: OperandAccess = OperandAccess()
    outputs: ResultAccess = ResultAccess()


@dataclass(frozen=True, slots=True)
class Paths:
    """The resolved paths, each from home to tile, and where intermediate results live."""

    weights: tuple[str, ...]
    kv: tuple[str, ...]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    activations: str

    @property
    def main(self) -> str:
        """The memory that holds the weights."""
        return self.weights[0]

    @property
    def tile(self) -> str:
        """The tiles that compute."""
        return self.weights[-1]


def resolve(settings: AccessSettings, activations: str | None, machine: Machine) -> Paths:
    """Paths as given, or along the graph; every name must be a component and every step a route.

    Raises:
        PlanError: for an unknown component, or where the graph has no route.
    """
    found: dict[str, tuple[str, ...]] = {}
    for role in ("weights", "kv", "inputs", "outputs"):
        given: tuple[str, ...] | None = getattr(settings, role).path
        found[role] = given or _default_path(machine)
        _check(found[role], machine, ("hardware", "mapper", "access", role, "path") if given else ("hardware", "links"))
        _check_fan(settings, role, found[role])
        if found[role][-1] != found["weights"][-1]:
            message = (
                f"{role} reach `{found[role][-1]}`, but weights `{found['weights'][-1]}`: one kind of tile computes"
            )
            raise PlanError(message, ("hardware", "mapper", "access", role, "path"))
    home = activations or found["inputs"][-2]
    if home not in _on_graph(machine) or machine.components[home].capacity_bytes == 0:
        where = ("hardware", "mapper", "activations")
        raise PlanError(f"`activations` names no memory: `{home}`", where, _known(machine))
    return Paths(**found, activations=home)


def _check_fan(settings: AccessSettings, role: str, path: tuple[str, ...]) -> None:
    for memory in getattr(getattr(settings, role), "fan", {}):
        if memory not in path[1:-1]:
            where = ("hardware", "mapper", "access", role, "fan", memory)
            between = ", ".join(f"`{name}`" for name in path[1:-1]) or "none"
            raise PlanError(f"no copies of {role} are written at `{memory}`", where, f"memories on the way: {between}")


def _check(path: tuple[str, ...], machine: Machine, where: tuple[str, ...]) -> None:
    for name in path:
        if name not in _on_graph(machine):
            raise PlanError(f"`{name}` is no component on the graph", where, _known(machine))
    if len(set(path)) < len(path):
        raise PlanError("an access path passes each memory once", where)
    for name in path[:-1]:
        if machine.components[name].capacity_bytes == 0:
            raise PlanError(f"an access path leads through memories, and `{name}` holds nothing", where)
    if not machine.components[path[-1]].pooled:
        raise PlanError(f"an access path ends at compute tiles, not at `{path[-1]}`", where)
    for source, target in pairwise(path):
        if not machine.connected(source, target):
            raise PlanError(
                f"no route from `{source}` to `{target}` through links and switches",
                where,
                f"add a link between [{source}, {target}]",
            )


def _known(machine: Machine) -> str:
    return "components: " + ", ".join(f"`{name}`" for name in _on_graph(machine))


def _on_graph(machine: Machine) -> list[str]:
    """Components that are nodes of their own: no links, and no groups whose instances are nodes."""
    return [name for name in machine.wiring.graph if name in machine.components]


def _default_path(machine: Machine) -> tuple[str, ...]:
    """From the largest memory (DRAM first) to the tiles, through the memories that lie between."""
    tiles = [name for name in _on_graph(machine) if machine.components[name].pooled]
    memories = [name for name in _on_graph(machine) if machine.components[name].capacity_bytes != 0]
    if len(tiles) != 1 or not memories:
        raise PlanError(
            "which tiles compute, and from which memory, is not clear: give `mapper.access` paths",
            ("hardware", "mapper"),
        )
    main = max(memories, key=lambda name: (machine.components[name].energy_kind == "dram", _size(machine, name)))
    try:
        path = machine.wiring.path(main, tiles[0])
    except NoRouteError as error:
        message = f"no route from `{main}` to `{tiles[0]}`: no chain of links joins them"
        raise PlanError(message, ("hardware", "links"), "add a link between them") from error
    return tuple(name for name in path if name in memories or name == tiles[0])


def _size(machine: Machine, name: str) -> float:
    capacity = machine.components[name].capacity_bytes
    return float("inf") if capacity is None else float(capacity * machine.components[name].count)


def from_home(path: tuple[str, ...], home: str) -> tuple[str, ...]:
    """The path of a tensor that lives at `home`: cut where it passes it, or started there."""
    return path[path.index(home) :] if home in path else (home, *path[1:])


def fetch(
    tensor: str, path: tuple[str, ...], size: int, last: int, fan: Mapping[str, int], run: int | None = None
) -> list[Move]:
    """Moves of an operand of `size` unique bytes down its path; the innermost memory is read `last` bytes.

    At home it stands in runs of `run` contiguous bytes.
    """
    moves: list[Move] = []
    copies = 1
    for source, target in pairwise(path[:-1]):
        copies *= fan.get(target, 1)
        moves.append(Move(tensor, source, target, size * copies, run=None if moves else run))
    moves.append(Move(tensor, path[-2], path[-1], last, run=None if moves else run))
    return moves


def store(tensor: str, path: tuple[str, ...], size: int, touches: int) -> list[Move]:
    """Moves of a result up its path: the innermost memory is written, and read, `touches` times `size` bytes in all.

    The first read of each partial sum is skipped, and the last one drains it towards home.
    """
    steps = [(path[-1], path[-2], size * touches)]
    if touches > 1:
        steps.append((path[-2], path[-1], size * (touches - 1)))
    steps += [(inner, outer, size) for inner, outer in pairwise(reversed(path[:-1]))]
    return [Move(tensor, source, target, count, posted=True) for source, target, count in steps]


def describe(settings: AccessSettings, paths: Paths) -> Iterable[tuple[str, str]]:
    """The settings in words, for the line beside the number."""
    for role in ("weights", "kv", "inputs", "outputs"):
        setting = getattr(settings, role)
        last = f"reduction {setting.reduction}" if role == "outputs" else f"reuse {setting.reuse}"
        copies = "".join(f", fan {count} at {name}" for name, count in getattr(setting, "fan", {}).items())
        run = getattr(setting, "run", None)
        runs = f", runs of {run} B" if run else ""
        yield role, " > ".join(getattr(paths, role)) + f", {last}{copies}{runs}"
