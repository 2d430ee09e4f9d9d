"""A DRAM bank with a processing unit at its column amplifiers: far more bandwidth inside than the pins carry."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from archsim.components.dram_memory import DramEnergy
from archsim.config.diagnostics import UnplacedError
from archsim.config.units import Bytes, BytesOrUnlimited, Picoseconds
from archsim.model.component import Action, Component, EnergyKind
from archsim.model.taskgraph import PS_PER_SECOND

KIND = "pim_bank"


class PimBank(Component):
    """One bank. Its sustained rate follows from its timing alone: column pace, row switches and refresh.

    The pace of columns while all banks compute holds the power limit, so there is no efficiency beside it. Banks are
    taken to open rows together: the four-activate window of the standard does not bind computing banks.
    """

    energy_kind: ClassVar[EnergyKind] = "dram"

    kind: Literal["pim_bank"]
    capacity: BytesOrUnlimited = Field(description="of one bank")
    access: Bytes = Field(gt=0, description="bytes of one column access")
    row: Bytes = Field(gt=0, description="bytes of an open row")
    column_pace: Picoseconds = Field(gt=0, description="between column accesses of one bank with all banks at work")
    row_switch: Picoseconds = Field(description="from the last access of a row to the first of the next: tRP + tRCD")
    refresh: Picoseconds = Field(default=0, description="that a refresh takes: tRFC")
    refresh_every: Picoseconds = Field(default=0, description="from refresh to refresh: tREFI; 0: never")
    latency: Picoseconds = Field(default=0, description="from command to first byte")
    energy: DramEnergy

    @model_validator(mode="after")
    def _whole_rows(self) -> Self:
        if self.row % self.access:
            message = f"a row of {self.row} B is no whole number of accesses of {self.access} B"
            raise UnplacedError(message, at=("row",))
        if self.refresh_every and self.refresh >= self.refresh_every:
            raise UnplacedError("a refresh takes as long as the time between two: nothing is left", at=("refresh",))
        return self

    @property
    def peak(self) -> int:
        """Bytes per second out of an open row."""
        return self.access * PS_PER_SECOND // self.column_pace

    @property
    def sustained(self) -> int:
        """Bytes per second of a stream: a row takes its accesses and a switch, and refresh takes its share."""
        row_time = self.row // self.access * self.column_pace + self.row_switch
        every, lost = (self.refresh_every, self.refresh) if self.refresh_every else (1, 0)
        return self.row * PS_PER_SECOND * (every - lost) // (row_time * every)

    def actions(self) -> Mapping[str, Action]:
        """`read` and `write`, in bytes, through one port."""
        return {
            "read": Action("io", self.sustained, self.latency, "B", self.energy.read, self.peak),
            "write": Action("io", self.sustained, self.latency, "B", self.energy.write, self.peak),
        }

    @property
    def capacity_bytes(self) -> int | None:
        """Bytes of one bank."""
        return self.capacity


SPEC = PimBank
