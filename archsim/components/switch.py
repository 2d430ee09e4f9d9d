"""A switch: a node that routes pass through, with a rate, a latency and a price of its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

from pydantic import Field

from archsim.config.units import BandwidthOrUnlimited, Picoseconds
from archsim.model.component import Action, Component, EnergyKind
from archsim.model.price import BytePrice

KIND = "switch"


class Switch(Component):
    """A router or switch chip; all its traffic shares one port."""

    energy_kind: ClassVar[EnergyKind] = "link"

    kind: Literal["switch"]
    bandwidth: BandwidthOrUnlimited = Field(description="through one switch, all ports together")
    latency: Picoseconds = Field(default=0, description="from port to port")
    energy: BytePrice = Field(description="per byte that passes")

    def actions(self) -> Mapping[str, Action]:
        """`move`, in bytes."""
        return {"move": Action("through", self.bandwidth, self.latency, "B", self.energy)}


SPEC = Switch
