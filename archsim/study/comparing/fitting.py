"""As many devices as hold a model: what a mapper's refusal suggests, as settings of the machine."""

from __future__ import annotations

import re

from archsim.config.document import node_at
from archsim.model.plan import PlanError
from archsim.study.checking import Hardware

MOST_DEVICES = 4096
"""Devices beyond which no machine is thought of."""

_SUGGESTED = re.compile(r"\bdevices: (\d+)")
"""How the help of a refusal names the least number of devices that hold the model."""

_DEGREE = "_parallel"
"""How settings of a mapper that divide a model over devices end; left out, the mapper chooses them."""


def suggested(refusal: PlanError, target: Hardware) -> int | None:
    """More devices than the machine has, as a refusal suggests; None where it suggests none."""
    found = _SUGGESTED.search(refusal.help)
    devices = int(found[1]) if found else 0
    return devices if target.header.devices < devices <= MOST_DEVICES else None


def fitting_sets(devices: int, target: Hardware) -> tuple[str, ...]:
    """What to `--set` so that a machine has so many devices; the degrees that its file states are the mapper's."""
    degrees = [name for name in type(target.settings).model_fields if name.endswith(_DEGREE)]
    stated = [name for name in degrees if node_at(target.document, ("mapper", name)) is not None]
    return (f"hardware.devices={devices}", *(f"hardware.mapper.{name}=~" for name in stated))
