"""Sums over devices, by the algorithm and the regimes that the stack's implementation has."""

from __future__ import annotations

from archsim.mappers.access import Paths
from archsim.model.component import Connector
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
    others = machine.devices - 1
    regime = next(item for item in stack.collectives.all_reduce if item.up_to is None or message <= item.up_to)
    sent = _sent(regime, message, machine.devices)
    tiles = machine.components[paths.tile].count
    added = -(-elements * others // (1 if regime.algorithm == "one-shot" else machine.devices))
    local = machine.flow(
        [
            Move("outputs", paths.activations, paths.tile, message),
            Move("outputs", paths.tile, paths.activations, message),
        ],
        [Work(paths.tile, "vector", added, -(-added // tiles), tiles)],
        Requester(tiles),
    )
    wire = machine.exchange(device_link(machine), "outputs", sent, regime.bandwidth)
    return Task(f"{operator.name}_all_reduce", phase, (wire, local), launch=regime.base + regime.hop * others)


def _sent(regime: Regime, message: int, devices: int) -> int:
    """Bytes that each device puts on its link: everything to everyone, or its part twice."""
    others = devices - 1
    return message * others if regime.algorithm == "one-shot" else -(-2 * message * others // devices)
