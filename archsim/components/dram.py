"""A channel or partition of DRAM that is no stack of its own: LPDDR, GDDR, or DRAM bonded onto logic."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

from pydantic import Field

from archsim.components.hbm_stack import DramEnergy
from archsim.config.units import BandwidthOrUnlimited, BytesOrUnlimited, Picoseconds
from archsim.model.component import Action, Component, EnergyKind
from archsim.model.price import Efficiency, Ratio

KIND = "dram"


class Dram(Component):
    """One channel or partition, with one port; bandwidth x efficiency is its rate, and nothing else derates it."""

    energy_kind: ClassVar[EnergyKind] = "dram"

    kind: Literal["dram"]
    capacity: BytesOrUnlimited = Field(description="of one channel or partition")
    bandwidth: BandwidthOrUnlimited = Field(description="peak rate of one channel or partition")
    efficiency: Efficiency = Field(default=Ratio.exactly(1, "ideal"), description="sustained share of the peak rate")
    latency: Picoseconds = Field(default=0, description="from request to first byte")
    energy: DramEnergy

    def actions(self) -> Mapping[str, Action]:
        """`read` and `write`, in bytes, through one port."""
        rate = None if self.bandwidth is None else int(self.bandwidth * self.efficiency.value)
        return {
            "read": Action("io", rate, self.latency, "B", self.energy.read, self.bandwidth),
            "write": Action("io", rate, self.latency, "B", self.energy.write, self.bandwidth),
        }

    @property
    def capacity_bytes(self) -> int | None:
        """Bytes of one channel or partition."""
        return self.capacity


SPEC = Dram
