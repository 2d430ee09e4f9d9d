"""Exchanges between devices, by the algorithm and the regimes that the stack's implementation has."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Self

from archsim.mappers.access import Paths
from archsim.model.component import Component, Connector
from archsim.model.dtype import BITS
from archsim.model.graph import DEVICE
from archsim.model.machine import Machine
from archsim.model.plan import PlanError
from archsim.model.request import Move, Requester, Work
from archsim.model.stack import Regime, Stack
from archsim.model.taskgraph import PS_PER_SECOND, Flow, Task
from archsim.model.trace import Collective, Exchange, Operator, Trace


def device_link(machine: Machine) -> str:
    """The link that joins the devices to each other.

    Raises:
        PlanError: where the machine has none.
    """
    if links := _links(machine):
        return links[0]
    message = "several devices share the work, but no link joins them"
    raise PlanError(message, ("hardware", "links"), "add one with between: [device, device], topology: switch")


def linked(machine: Machine) -> bool:
    """Whether a link joins its devices."""
    return bool(_links(machine))


def _links(machine: Machine) -> list[str]:
    parts = machine.components.items()
    return [name for name, item in parts if isinstance(item, Connector) and item.between == (DEVICE, DEVICE)]


def all_reduce(operator: Operator, phase: str, at: Fabric, devices: int, over: Fraction) -> Task:
    """The partial outputs of an operator, summed over some devices and known to all of them afterwards."""
    outputs = [tensor for tensor in operator.writes if tensor.role == "activations"]
    message, elements = sum(tensor.bytes for tensor in outputs), sum(tensor.elements for tensor in outputs)
    exchange = _Exchange.chosen("all_reduce", message, at, devices)
    return exchange.task(f"{operator.name}_all_reduce", phase, at, elements, over)


def stated(operator: Operator, shape: Collective, phase: str, at: Fabric) -> Task:
    """A collective that the trace itself asks for, in groups of devices side by side.

    Raises:
        PlanError: where the devices do not divide into such groups.
    """
    devices = at.machine.devices
    size = shape.devices or devices
    if size == 1 or devices % size:
        message = f"`{operator.name}` joins groups of {max(2, size)} devices, and {at.machine.name} has {devices}"
        raise PlanError(message, ("hardware", "devices"), "a multiple of the devices of a group")
    elements = shape.bytes * 8 // BITS[operator.mac_dtype]
    exchange = _Exchange.chosen(shape.exchange, shape.bytes, at, size)
    return exchange.task(operator.name, phase, at, elements, Fraction(devices))


def all_to_all(name: str, phase: str, at: Fabric, message: int, over: Fraction) -> Task:
    """Rows to or from the devices that have their experts: the busiest device moves `message` bytes of them in all.

    What it keeps for itself, one part in as many as there are devices, does not go over the link.
    """
    others, devices = at.machine.devices - 1, at.machine.devices
    regime = _regime(at, "all_to_all", message, devices)
    sent = -(-message * others // devices)
    hop = at.latency if regime.hop is None else regime.hop * others
    wire = at.machine.exchange(at.link, "outputs", sent, regime.bandwidth, over)
    launch = regime.base + hop + _kept(regime, message, devices)
    return Task(name, phase, (wire, at.pass_over(message, message, 0, over)), launch=launch)


def refuse_stated(trace: Trace) -> None:
    """Raise PlanError where a trace asks for collectives of its own, on a machine whose mapper makes them by itself."""
    for operator, _, _ in trace.executions():
        if isinstance(operator.shape, Collective):
            message = f"`{operator.name}` is a collective, and this mapper knows only those that it makes by itself"
            raise PlanError(message, ("hardware", "mapper", "kind"), "kind: temporal")


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
    def switched(self) -> bool:
        """Whether a switch joins the devices."""
        link = self.machine.components[self.link]
        return isinstance(link, Connector) and link.topology == "switch"

    @property
    def everywhere(self) -> Fraction:
        """How often a thing is done that every device does."""
        return Fraction(self.machine.devices)

    @property
    def latency(self) -> int:
        """Picoseconds over that link."""
        return self.machine.actions[self.link]["move"].latency

    def pass_over(self, read: int, written: int, added: int, over: Fraction) -> Flow:
        """Bytes read and written where activations live, with the additions on the way."""
        tiles = self.machine.components[self.paths.tile].count
        here, tile = self.paths.activations, self.paths.tile
        moves = [Move("outputs", here, tile, read, over=over), Move("outputs", tile, here, written, over=over)]
        work = [Work(tile, "vector", added, -(-added // tiles), tiles, over)] if added else []
        return self.machine.flow(moves, work, Requester(tiles))


def _regime(at: Fabric, kind: Exchange, message: int, devices: int) -> Regime:
    """The first that takes the message; one in the switch only where a switch joins the devices."""
    regimes: Sequence[Regime] = getattr(at.stack.collectives, kind)
    fit = (item for item in regimes if item.up_to is None or message <= item.up_to)
    able = (item for item in fit if item.algorithm != "in-switch" or at.switched)
    return next(item for item in able if devices >= item.devices)


def _kept(regime: Regime, message: int, devices: int) -> int:
    """Picoseconds for the part of a message that a device keeps."""
    return round(Fraction(message * PS_PER_SECOND, devices) / Fraction(regime.own)) if regime.own else 0


def _by_topology(link: Component) -> str:
    """The algorithm that suits how devices are joined."""
    return "ring" if isinstance(link, Connector) and link.topology == "ring" else "two-shot"


@dataclass(frozen=True, slots=True)
class _Exchange:
    """One collective of a message over some devices."""

    kind: Exchange
    message: int
    regime: Regime
    algorithm: str
    devices: int

    @classmethod
    def chosen(cls, kind: Exchange, message: int, at: Fabric, devices: int) -> Self:
        """As the stack does it at that size."""
        regime = _regime(at, kind, message, devices)
        algorithm = regime.algorithm or _by_topology(at.machine.components[at.link])
        return cls(kind, message, regime, algorithm, devices)

    def task(self, name: str, phase: str, at: Fabric, elements: int, over: Fraction) -> Task:
        """Bytes on the wire, and the message passed over where activations live, side by side."""
        part = -(-self.message // self.devices)
        read = part if self.kind == "all_gather" else self.message
        written = part if self.kind == "reduce_scatter" else self.message
        local = at.pass_over(read, written, self.added(elements), over)
        wire = at.machine.exchange(at.link, "outputs", self.sent, self.regime.bandwidth, over)
        launch = self.latency(at.latency) + _kept(self.regime, self.message, self.devices)
        return Task(name, phase, (wire, local), launch=launch)

    @property
    def _at_once(self) -> bool:
        return self.kind == "all_reduce" and self.algorithm == "one-shot"

    @property
    def _in_switch(self) -> bool:
        return self.kind == "all_reduce" and self.algorithm == "in-switch"

    @property
    def sent(self) -> int:
        """Bytes that each device puts on its link: everything to everyone or the switch, or its part once or twice."""
        others, passes = self.devices - 1, 2 if self.kind == "all_reduce" else 1
        if self._in_switch:
            return self.message
        return self.message * others if self._at_once else -(-passes * self.message * others // self.devices)

    def added(self, elements: int) -> int:
        """Additions of each device: all parts of all elements, of its own share of them, or none."""
        if self._in_switch or self.kind not in ("all_reduce", "reduce_scatter"):
            return 0
        others = self.devices - 1
        return elements * others if self._at_once else -(-elements * others // self.devices)

    def latency(self, link: int) -> int:
        """Picoseconds before the first and between the steps."""
        others = self.devices - 1
        if self.regime.hop is not None:
            return self.regime.base + self.regime.hop * others
        passes = 2 if self.kind == "all_reduce" else 1
        steps = {"one-shot": 1, "two-shot": passes, "in-switch": passes, "ring": passes * others}[self.algorithm]
        return self.regime.base + link * steps
