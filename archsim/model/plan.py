"""The mapper's answer: tasks, where every tensor lives, and what it declares to the audit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from archsim.model.devices import Devices
from archsim.model.taskgraph import TaskGraph
from archsim.model.trace import Role


class PlanError(Exception):
    """A trace does not go onto a machine; `where` is the path of the value to change, hardware or workload first."""

    def __init__(self, message: str, where: tuple[str, ...], help: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.where = where
        self.help = help


@dataclass(frozen=True, slots=True)
class Placement:
    """Bytes of a role that one device keeps in a component over the whole run."""

    role: Role
    component: str
    bytes: int


@dataclass(frozen=True, slots=True)
class Declaration:
    """What an operator asks of a component beyond what the trace names, and why.

    Over the run `component` serves `extra` bytes of `tensor` beyond its unique ones (replicas, further passes; negative
    for hits that never reach it). With an `action` of the MAC unit, `extra` are the MACs issued beyond those asked.
    """

    operator: str
    phase: str
    tensor: str
    component: str
    extra: int
    reason: str
    action: str = "read"


@dataclass(frozen=True, slots=True)
class Plan:
    """A trace mapped onto a machine; the degrees in `parallel`, chosen or given, multiply to its devices.

    `apart` are devices that are to be simulated each by itself; the graph has equal ones folded, as limits of power
    see them. None: they stay so.
    """

    graph: TaskGraph
    placements: tuple[Placement, ...]
    declarations: tuple[Declaration, ...]
    parallel: Mapping[str, int]
    in_flight: int
    settings: Mapping[str, str]
    warnings: tuple[str, ...] = ()
    apart: Devices | None = None

    @property
    def repeats(self) -> bool:
        """Whether equal layers take equal time."""
        return self.apart is None or not self.apart.variation
