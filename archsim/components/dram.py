"""A channel or partition of DRAM that is no stack of its own: LPDDR, GDDR, or DRAM bonded onto logic."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from archsim.components.dram_rows import DramRows
from archsim.components.hbm_stack import DramEnergy, check_rows, served
from archsim.config.units import BandwidthOrUnlimited, BytesOrUnlimited, Picoseconds
from archsim.model.component import Action, Component, EnergyKind, Touch
from archsim.model.price import Efficiency

KIND = "dram"


class Dram(Component):
    """One channel or partition, with one port; one thing derates it, as of a stack of HBM."""

    energy_kind: ClassVar[EnergyKind] = "dram"

    kind: Literal["dram"]
    capacity: BytesOrUnlimited = Field(description="of one channel or partition")
    bandwidth: BandwidthOrUnlimited = Field(description="peak rate of one channel or partition")
    efficiency: Efficiency | None = Field(
        default=None, description="sustained share of the peak rate of a stream; by `rows`, or all of it, if left out"
    )
    rows: DramRows | None = Field(default=None, description="banks and timing, where access patterns count")
    latency: Picoseconds = Field(default=0, description="from request to first byte")
    energy: DramEnergy

    @model_validator(mode="after")
    def _rows_have_a_price(self) -> Self:
        check_rows(self.rows, self.energy)
        return self

    def actions(self) -> Mapping[str, Action]:
        """`read` and `write`, in bytes, through one port; `activate` of rows, which takes no time of its own."""
        return served(self.bandwidth, self.efficiency, self.latency, self.rows, self.energy)

    def touch(self, run: int | None) -> Touch | None:
        """What runs of so many contiguous bytes do."""
        return self.rows.touch(run, self.bandwidth) if self.rows else None

    @property
    def capacity_bytes(self) -> int | None:
        """Bytes of one channel or partition."""
        return self.capacity


SPEC = Dram
