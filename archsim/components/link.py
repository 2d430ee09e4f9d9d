"""A link: wires, a bus, a crossbar or a SerDes lane group between two components."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from pydantic import Field

from archsim.config.units import BandwidthOrUnlimited, Picoseconds
from archsim.model.component import Action, Connector
from archsim.model.price import UNSTATED, BytePrice, Price, StaticPower

KIND = "link"


class Link(Connector):
    """One link with a port in each direction. Its energy has no default: a link that costs nothing must say so."""

    kind: Literal["link"] = "link"
    static: StaticPower = Field(default=Price.exactly(0, UNSTATED), description="power of one link, always on")
    bandwidth: BandwidthOrUnlimited = Field(description="in each direction")
    latency: Picoseconds = Field(default=0, description="from end to end")
    energy: BytePrice = Field(description="per byte that crosses it")

    def actions(self) -> Mapping[str, Action]:
        """`move`, in bytes; the machine gives each direction a port of its own."""
        return {"move": Action("move", self.bandwidth, self.latency, "B", self.energy)}


SPEC = Link
