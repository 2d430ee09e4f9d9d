"""Devices that are not alike: how a hardware file says so, and which plans can tell them apart."""

from __future__ import annotations

from fractions import Fraction
from typing import Annotated

from pydantic import Field, PositiveInt

from archsim.config.checked import Checked
from archsim.config.diagnostics import did_you_mean
from archsim.mappers.parallel import Degrees
from archsim.model.devices import Devices
from archsim.model.machine import Machine
from archsim.model.plan import PlanError
from archsim.model.trace import Collective, Trace

MOST_SLOWDOWN = 1000
MOST_VARIATION = 0.5

_FINEST = 10**6
"""Parts of one that a slowdown is told in."""


class Stragglers(Checked):
    """Devices that are slower than the others."""

    count: PositiveInt = Field(default=1, description="devices that are slower; the others wait for them")
    slowdown: Annotated[float, Field(ge=1, le=MOST_SLOWDOWN)] = Field(
        description="how many times as long their kernels take, launches included: 1.1 is 10 % slower"
    )
    parts: tuple[str, ...] | None = Field(
        default=None,
        min_length=1,
        description="components and links of theirs that serve so much more slowly; all of a kernel where left out",
    )


Variation = Annotated[float, Field(ge=0, le=MOST_VARIATION)]


def told_apart(
    explicit: bool | None,  # noqa: FBT001 - it is what the file says
    stragglers: Stragglers | None,
    variation: float,
    machine: Machine,
) -> Devices | None:
    """The devices of a machine where each is simulated by itself; None where equal ones are folded.

    Raises:
        PlanError: where stragglers are asked for and folding too, or there is nobody to tell apart.
    """
    asked = "stragglers" if stragglers else "variation" if variation else "explicit"
    if not (explicit or stragglers or variation):
        return None
    where = ("hardware", "mapper", asked)
    if explicit is False:
        raise PlanError(f"`{asked}` tells devices apart, and `explicit: false` folds them", where, "explicit: true")
    if machine.devices == 1:
        raise PlanError(f"`{asked}` asks for each of several devices by itself, and there is one", where, "devices: 8")
    if stragglers is None:
        return Devices(machine.devices, variation=variation)
    _refuse_unknown(stragglers, machine)
    return Devices(
        count=machine.devices,
        stragglers=stragglers.count,
        slowdown=Fraction(stragglers.slowdown).limit_denominator(_FINEST),
        parts=None if stragglers.parts is None else frozenset(stragglers.parts),
        variation=variation,
    )


def refuse_groups(trace: Trace, degrees: Degrees, stages: int, devices: int) -> None:
    """Raise PlanError where devices that are told apart would meet in groups: here all wait for all."""
    if stages > 1:
        where = ("hardware", "mapper", "pipeline_parallel")
        raise PlanError("devices are told apart where all share every layer, and not in stages", where)
    if degrees.tensor > 1 and degrees.expert > 1:
        message = (
            f"groups of {degrees.tensor} devices would meet by themselves, and devices are told apart where all meet"
        )
        ways = f"expert_parallel: {degrees.devices} with tensor_parallel: 1, or expert_parallel: 1"
        raise PlanError(message, ("hardware", "mapper", "expert_parallel"), ways)
    for operator, _, _ in trace.executions():
        shape = operator.shape
        if isinstance(shape, Collective) and shape.devices not in (None, devices):
            message = (
                f"`{operator.name}` joins {shape.devices} of {devices} devices; they are told apart where all meet"
            )
            raise PlanError(message, ("hardware", "mapper", "explicit"))


def _refuse_unknown(stragglers: Stragglers, machine: Machine) -> None:
    at = ("hardware", "mapper", "stragglers")
    if stragglers.count > machine.devices:
        raise PlanError(f"{stragglers.count} of {machine.devices} devices cannot be slower", (*at, "count"))
    for name in stragglers.parts or ():
        if name not in machine.components:
            near = did_you_mean(name, machine.components)
            raise PlanError(f"`{name}` is no component or link", (*at, "parts"), near)
