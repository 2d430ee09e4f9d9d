"""What every DRAM has in common: one port that reads and writes share, and rows that they open."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Self

from pydantic import Field, model_validator

from archsim.components.dram_rows import DramRows
from archsim.config.checked import Checked
from archsim.config.diagnostics import UnplacedError
from archsim.config.units import BandwidthOrUnlimited, BytesOrUnlimited, Picoseconds
from archsim.model.component import OPEN_ACTION, Action, Component, EnergyKind, Touch
from archsim.model.price import BytePrice, Efficiency, OpPrice

_GB = 10**9


class DramEnergy(Checked):
    """Prices of reading and writing a byte; row activation is in them, unless it has a price of its own."""

    read: BytePrice
    write: BytePrice
    activate: OpPrice | None = Field(default=None, description="of opening one row; needs `rows`")


class DramMemory(Component):
    """One instance. Refresh, turn-around and row misses are in its sustained rate alone: one thing derates a memory.

    That is bandwidth x `efficiency` where a stream was measured, or what the timing of its `rows` leaves. With `rows`
    the pattern counts as well: short runs are slower than a stream by what the timing says, and open more rows.
    """

    energy_kind: ClassVar[EnergyKind] = "dram"

    capacity: BytesOrUnlimited = Field(description="of one instance")
    bandwidth: BandwidthOrUnlimited = Field(description="peak rate of one instance")
    efficiency: Efficiency | None = Field(
        default=None, description="sustained share of the peak rate of a stream; by `rows`, or all of it, if left out"
    )
    rows: DramRows | None = Field(default=None, description="channels, banks and timing, where access patterns count")
    latency: Picoseconds = Field(default=0, description="from request to first byte, as the requester sees it")
    energy: DramEnergy

    @model_validator(mode="after")
    def _rows_have_a_price(self) -> Self:
        if self.rows and self.energy.activate is None:
            raise UnplacedError("`rows` needs the price of opening one", "energy.activate: 909 pJ/op", at=("energy",))
        if self.energy.activate is not None and not self.rows:
            raise UnplacedError("a price of opening rows, but no `rows` to count them by", at=("energy", "activate"))
        return self

    @model_validator(mode="after")
    def _rows_pass_the_bandwidth(self) -> Self:
        most = self.rows.most if self.rows else None
        if self.rows and most is not None and self.bandwidth is not None and self.bandwidth > most:
            message = (
                f"{self.bandwidth / _GB:g} GB/s are more than its bank groups pass, {most / _GB:g} GB/s: a burst of "
                f"{self.rows.burst} B for each group of each channel ({self.rows.channels}) in tCCD_L"
            )
            raise UnplacedError(message, "the bandwidth of one instance, or `rows.channels`", at=("bandwidth",))
        return self

    def actions(self) -> Mapping[str, Action]:
        """`read` and `write`, in bytes, through one port; `activate` of rows, which takes no time of its own."""
        rate = None if self.bandwidth is None else max(1, self._sustained(self.bandwidth))
        found = {
            "read": Action("io", rate, self.latency, "B", self.energy.read, self.bandwidth),
            "write": Action("io", rate, self.latency, "B", self.energy.write, self.bandwidth),
        }
        if self.energy.activate is not None:
            found[OPEN_ACTION] = Action("rows", None, 0, "op", self.energy.activate)
        return found

    def _sustained(self, bandwidth: int) -> int:
        """Bytes per second of a stream."""
        if self.efficiency:
            return int(bandwidth * self.efficiency.value)
        return int(bandwidth * self.rows.share(None, bandwidth)) if self.rows else bandwidth

    def touch(self, run: int | None) -> Touch | None:
        """What runs of so many contiguous bytes do."""
        return self.rows.touch(run, self.bandwidth) if self.rows else None

    @property
    def capacity_bytes(self) -> int | None:
        """Bytes of one instance."""
        return self.capacity
