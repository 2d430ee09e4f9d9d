"""A stack of high-bandwidth memory: one port that reads and writes share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

from pydantic import Field, PositiveInt

from archsim.config.checked import Checked
from archsim.config.units import BandwidthOrUnlimited, BytesOrUnlimited, Picoseconds
from archsim.model.component import Action, Component, EnergyKind
from archsim.model.price import BytePrice, Efficiency, Ratio

KIND = "hbm_stack"


class DramEnergy(Checked):
    """Prices of reading and writing a byte, row activation included."""

    read: BytePrice
    write: BytePrice


class HbmStack(Component):
    """One stack. Its sustained rate is bandwidth x efficiency: refresh, turn-around and row misses are in it alone."""

    energy_kind: ClassVar[EnergyKind] = "dram"

    kind: Literal["hbm_stack"]
    capacity: BytesOrUnlimited = Field(description="of one stack")
    bandwidth: BandwidthOrUnlimited = Field(description="peak rate of one stack")
    channels: PositiveInt = Field(default=16, description="independent channels of one stack")
    efficiency: Efficiency = Field(default=Ratio.exactly(1, "ideal"), description="sustained share of the peak rate")
    latency: Picoseconds = Field(default=0, description="from request to first byte, as the requester sees it")
    energy: DramEnergy

    def actions(self) -> Mapping[str, Action]:
        """`read` and `write`, in bytes, through one port."""
        rate = None if self.bandwidth is None else max(1, int(self.bandwidth * self.efficiency.value))
        return {
            "read": Action("io", rate, self.latency, "B", self.energy.read, self.bandwidth),
            "write": Action("io", rate, self.latency, "B", self.energy.write, self.bandwidth),
        }

    @property
    def capacity_bytes(self) -> int | None:
        """Bytes of one stack."""
        return self.capacity


SPEC = HbmStack
