"""Exchanges between devices, by the algorithm and the regimes that the stack's implementation has."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from archsim.mappers.access import Paths
from archsim.model.component import Component, Connector
from archsim.model.graph import DEVICE
from archsim.model.machine import Machine, Move, Requester, Work
from archsim.model.plan import PlanError
from archsim.model.stack import Regime, Stack
from archsim.model.taskgraph import Flow, Task
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


def all_reduce(operator: Operator, phase: str, at: Fabric, devices: int, over: Fraction) -> Task:
    """The partial outputs of an operator, summed over some devices and known to all of them afterwards."""
    outputs = [tensor for tensor in operator.writes if tensor.role == "activations"]
    message, elements = sum(tensor.bytes for tensor in outputs), sum(tensor.elements for tensor in outputs)
    regime = _regime(at.stack.collectives.all_reduce, message)
    exchange = _Exchange(regime, regime.algorithm or _by_topology(at.machine.components[at.link]), devices)
    local = at.pass_over(message, exchange.added(elements), over)
    wire = at.machine.exchange(at.link, "outputs", exchange.sent(message), regime.bandwidth, over)
    return Task(f"{operator.name}_all_reduce", phase, (wire, local), launch=exchange.latency(at.latency))


def all_to_all(name: str, phase: str, at: Fabric, message: int, over: Fraction) -> Task:
    """Rows to or from the devices that have their experts: the busiest device moves `message` bytes of them in all.

    What it keeps for itself, one part in as many as there are devices, does not go over the link.
    """
    others, devices = at.machine.devices - 1, at.machine.devices
    regime = _regime(at.stack.collectives.all_to_all, message)
    sent = -(-message * others // devices)
    hop = at.latency if regime.hop is None else regime.hop * others
    wire = at.machine.exchange(at.link, "outputs", sent, regime.bandwidth, over)
    return Task(name, phase, (wire, at.pass_over(message, 0, over)), launch=regime.base + hop)


@dataclass(frozen=True, slots=True)
class Fabric:
    """What an exchange between devices runs on."""

    machine: Machine
    stack: Stack
    paths: Paths

    @property
    def link(self) -> str:
        """The link between the devices."""
        return device_link(self.machine)

    @property
    def latency(self) -> int:
        """Picoseconds over that link."""
        return self.machine.actions[self.link]["move"].latency

    def pass_over(self, message: int, added: int, over: Fraction) -> Flow:
        """A message read and written where activations live, with the additions on the way."""
        tiles = self.machine.components[self.paths.tile].count
        here, tile = self.paths.activations, self.paths.tile
        moves = [Move("outputs", here, tile, message, over=over), Move("outputs", tile, here, message, over=over)]
        work = [Work(tile, "vector", added, -(-added // tiles), tiles, over)] if added else []
        return self.machine.flow(moves, work, Requester(tiles))


def _regime(regimes: Sequence[Regime], message: int) -> Regime:
    return next(item for item in regimes if item.up_to is None or message <= item.up_to)


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
