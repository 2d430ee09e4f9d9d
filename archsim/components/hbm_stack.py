"""A stack of high-bandwidth memory: one port that reads and writes share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal, Self

from pydantic import Field, PositiveInt, model_validator

from archsim.components.dram_rows import DramRows
from archsim.config.checked import Checked
from archsim.config.diagnostics import UnplacedError
from archsim.config.units import BandwidthOrUnlimited, BytesOrUnlimited, Picoseconds
from archsim.model.component import OPEN_ACTION, Action, Component, EnergyKind, Touch
from archsim.model.price import BytePrice, Efficiency, OpPrice, Ratio

KIND = "hbm_stack"


class DramEnergy(Checked):
    """Prices of reading and writing a byte; row activation is in them, unless it has a price of its own."""

    read: BytePrice
    write: BytePrice
    activate: OpPrice | None = Field(default=None, description="of opening one row; needs `rows`")


class HbmStack(Component):
    """One stack. Refresh, turn-around and row misses are in its sustained rate alone: one thing derates a memory.

    That is bandwidth x `efficiency` where a stream was measured, or what the timing of its `rows` leaves. With `rows`
    the pattern counts as well: short runs are slower than a stream by what the timing says, and open more rows.
    """

    energy_kind: ClassVar[EnergyKind] = "dram"

    kind: Literal["hbm_stack"]
    capacity: BytesOrUnlimited = Field(description="of one stack")
    bandwidth: BandwidthOrUnlimited = Field(description="peak rate of one stack")
    channels: PositiveInt = Field(default=16, description="independent channels of one stack")
    efficiency: Efficiency | None = Field(
        default=None, description="sustained share of the peak rate of a stream; by `rows`, or all of it, if left out"
    )
    rows: DramRows | None = Field(default=None, description="channels, banks and timing, where access patterns count")
    latency: Picoseconds = Field(default=0, description="from request to first byte, as the requester sees it")
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
        """Bytes of one stack."""
        return self.capacity


def check_rows(rows: DramRows | None, energy: DramEnergy) -> None:
    """Raise UnplacedError where rows have no price, or a price no rows."""
    if rows and energy.activate is None:
        raise UnplacedError("`rows` needs the price of opening one", "energy.activate: 909 pJ/op", at=("energy",))
    if energy.activate is not None and not rows:
        raise UnplacedError("a price of opening rows, but no `rows` to count them by", at=("energy", "activate"))


def served(
    bandwidth: int | None, efficiency: Ratio | None, latency: int, rows: DramRows | None, energy: DramEnergy
) -> Mapping[str, Action]:
    """The actions of a DRAM: bytes at its sustained rate, and rows."""
    rate = None if bandwidth is None else max(1, _sustained(bandwidth, efficiency, rows))
    found = {
        "read": Action("io", rate, latency, "B", energy.read, bandwidth),
        "write": Action("io", rate, latency, "B", energy.write, bandwidth),
    }
    if energy.activate is not None:
        found[OPEN_ACTION] = Action("rows", None, 0, "op", energy.activate)
    return found


def _sustained(bandwidth: int, efficiency: Ratio | None, rows: DramRows | None) -> int:
    """Bytes per second of a stream: one thing derates it."""
    if efficiency:
        return int(bandwidth * efficiency.value)
    return int(bandwidth * rows.share(None, bandwidth)) if rows else bandwidth


SPEC = HbmStack
