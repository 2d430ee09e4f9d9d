"""An on-chip memory: a bank, a scratchpad or a cache."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

from pydantic import Field

from archsim.config.checked import Checked
from archsim.config.units import BandwidthOrUnlimited, BytesOrUnlimited, Picoseconds
from archsim.model.component import Action, Component, EnergyKind
from archsim.model.price import BytePrice

KIND = "sram"


class MemoryEnergy(Checked):
    """Prices of reading and writing a byte."""

    read: BytePrice
    write: BytePrice


class Sram(Component):
    """Static memory with a read and a write port, or one port for both."""

    energy_kind: ClassVar[EnergyKind] = "sram"

    kind: Literal["sram"]
    capacity: BytesOrUnlimited = Field(description="of one instance")
    bandwidth: BandwidthOrUnlimited = Field(
        description="read rate of one instance, and write rate where no other is given"
    )
    write_bandwidth: BandwidthOrUnlimited | Literal["same"] = Field(
        default="same", description="write rate where it differs"
    )
    ports: Literal["separate", "shared"] = Field(
        default="separate", description="whether reads and writes share one port's time"
    )
    latency: Picoseconds = Field(default=0, description="from request to first byte")
    energy: MemoryEnergy

    def actions(self) -> Mapping[str, Action]:
        """`read` and `write`, in bytes."""
        writes = self.bandwidth if self.write_bandwidth == "same" else self.write_bandwidth
        ports = ("io", "io") if self.ports == "shared" else ("read", "write")
        return {
            "read": Action(ports[0], self.bandwidth, self.latency, "B", self.energy.read),
            "write": Action(ports[1], writes, self.latency, "B", self.energy.write),
        }

    @property
    def capacity_bytes(self) -> int | None:
        """Bytes of one instance."""
        return self.capacity


SPEC = Sram
