"""Sums over devices, by the algorithm and the regimes that the stack's implementation has."""

from __future__ import annotations

from dataclasses import dataclass

from archsim.mappers.access import Paths
from archsim.model.component import Component, Connector
from archsim.model.graph import DEVICE
from archsim.model.machine import Machine, Move, Requester, Work
from archsim.model.plan import PlanError
from archsim.model.stack import Regime, Stack
from archsim.model.taskgraph import Task
from archsim.model.trace import Operator


def device_link(machine: Machine) -> str:
    """The link that joins the devices to each other.

    Raises:
        PlanError: where the machine has none.
    """
    for name, item in machine.components.items():
        if isinstance(item, Connector) and item.between == (DEVICE, DEVICE):
            return name
    message = f"{machine.devices} devices share the work, but no link joins them"
    raise PlanError(message, ("hardware", "links"), "add one with between: [device, device], topology: switch")


def all_reduce(operator: Operator, phase: str, machine: Machine, stack: Stack, paths: Paths) -> Task:
    """The partial outputs of an operator, summed over all devices and known to all of them afterwards."""
    outputs = [tensor for tensor in operator.writes if tensor.role == "activations"]
    message, elements = sum(tensor.bytes for tensor in outputs), sum(tensor.elements for tensor in outputs)
    link = device_link(machine)
    regime = next(item for item in stack.collectives.all_reduce if item.up_to is None or message <= item.up_to)
    plan = _Exchange(regime, regime.algorithm or _by_topology(machine.components[link]), machine.devices)
    tiles = machine.components[paths.tile].count
    added = plan.added(elements)
    local = machine.flow(
        [
            Move("outputs", paths.activations, paths.tile, message),
            Move("outputs", paths.tile, paths.activations, message),
        ],
        [Work(paths.tile, "vector", added, -(-added // tiles), tiles)],
        Requester(tiles),
    )
    wire = machine.exchange(link, "outputs", plan.sent(message), regime.bandwidth)
    launch = plan.latency(machine.actions[link]["move"].latency)
    return Task(f"{operator.name}_all_reduce", phase, (wire, local), launch)


def _by_topology(link: Component) -> str:
    """The algorithm that suits how devices are joined."""
    return "ring" if isinstance(link, Connector) and link.topology == "ring" else "two-shot"


@dataclass(frozen=True, slots=True)
class _Exchange:
    """One all-reduce of a message over some devices."""

    regime: Regime
    algorithm: str
    devices: int

    def sent(self, message: int) -> int:
        """Bytes that each device puts on its link: everything to everyone, or its part twice."""
        others = self.devices - 1
        return message * others if self.algorithm == "one-shot" else -(-2 * message * others // self.devices)

    def added(self, elements: int) -> int:
        """Additions of each device: all parts of all elements, or of its own share of them."""
        others = self.devices - 1
        return elements * others if self.algorithm == "one-shot" else -(-elements * others // self.devices)

    def latency(self, link: int) -> int:
        """Picoseconds before the first and between the steps."""
        others = self.devices - 1
        if self.regime.hop is not None:
            return self.regime.base + self.regime.hop * others
        steps = {"one-shot": 1, "two-shot": 2, "ring": 2 * others}[self.algorithm]
        return self.regime.base + link * steps
