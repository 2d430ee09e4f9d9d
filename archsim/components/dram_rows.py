"""Rows of DRAM: how many are opened for what is read, and what that leaves of the bandwidth.

An access is a run of contiguous bytes that starts anywhere. Its bursts are hits in an open row, after the row has been
opened (a miss) or another one closed first (a conflict). A controller hides that behind other banks, as far as the
four-activate window, the pace of activations and the number of banks allow. Where banks stand in groups, columns of one
group follow each other at a slower pace than the data bus, so that accesses have to change between groups.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Self

from pydantic import Field, PositiveInt, model_validator

from archsim.components.dram_conflicts import kept
from archsim.config.checked import Checked
from archsim.config.diagnostics import UnplacedError
from archsim.config.units import Bytes, Picoseconds
from archsim.model.component import Touch
from archsim.model.taskgraph import PS_PER_SECOND

_FOUR = 4
"""Activations that may fall into one window."""


class DramRows(Checked):
    """One channel of a memory and its timing, by the names of JEDEC's standards."""

    channels: PositiveInt = Field(description="independent channels (or pseudo-channels) of one instance")
    banks: PositiveInt = Field(description="banks of a channel")
    row: Bytes = Field(gt=0, description="bytes of an open row of a channel (its page)")
    burst: Bytes = Field(gt=0, description="bytes of one column access")
    cl: Picoseconds = Field(description="tCL: from a column command to its data")
    rcd: Picoseconds = Field(description="tRCD: from opening a row to a column command")
    rp: Picoseconds = Field(description="tRP: closing a row")
    rc: Picoseconds = Field(gt=0, description="tRC: from opening a row to opening another one in the same bank")
    rrd: Picoseconds = Field(default=0, description="tRRD: from opening a row to opening one in another bank")
    faw: Picoseconds = Field(default=0, description="tFAW: the window in which four rows may be opened")
    groups: PositiveInt = Field(default=1, description="bank groups of a channel")
    ccd_l: Picoseconds = Field(default=0, description="tCCD_L: between column accesses in one bank group; 0: any pace")
    rfc: Picoseconds = Field(default=0, description="tRFC: that a refresh takes from the whole channel")
    refi: Picoseconds = Field(default=0, description="tREFI: from refresh to refresh; 0: none that anybody waits for")
    queue: PositiveInt = Field(default=32, description="accesses that the controller of a channel chooses from")

    @model_validator(mode="after")
    def _agrees(self) -> Self:
        if self.row % self.burst:
            raise UnplacedError(f"a row of {self.row} B is no whole number of bursts of {self.burst} B", at=("row",))
        if self.rc < self.rcd + self.rp:
            message = f"tRC of {self.rc} ps is less than tRCD + tRP, {self.rcd + self.rp} ps: a row is not even opened"
            raise UnplacedError(message, at=("rc",))
        if self.faw and self.faw < self.rrd:
            raise UnplacedError(f"tFAW of {self.faw} ps is less than tRRD, {self.rrd} ps", at=("faw",))
        if self.banks % self.groups:
            raise UnplacedError(f"{self.banks} banks don't divide into {self.groups} groups", at=("groups",))
        if self.refi and self.rfc >= self.refi:
            raise UnplacedError("a refresh takes as long as the time between two: nothing is left", at=("rfc",))
        return self

    @property
    def hit(self) -> int:
        """Picoseconds from a request to its data where the row is open."""
        return self.cl

    @property
    def miss(self) -> int:
        """Picoseconds where no row is open."""
        return self.rcd + self.cl

    @property
    def conflict(self) -> int:
        """Picoseconds where another row is open."""
        return self.rp + self.rcd + self.cl

    @property
    def most(self) -> int | None:
        """Bytes per second that the bank groups of all channels can pass (None: no limit)."""
        return self.channels * self.groups * self.burst * PS_PER_SECOND // self.ccd_l if self.ccd_l else None

    def opened(self, run: int | None) -> Fraction:
        """Rows opened for each byte: whole ones of a stream (None); of a run, those that it meets."""
        if run is None:
            return Fraction(1, self.row)
        whole = max(run, self.burst)
        return (1 + Fraction(whole - self.burst, self.row)) / run

    def hits(self, run: int | None) -> float:
        """Share of the bursts that find their row open."""
        return max(0.0, 1 - float(self.opened(run) * self.burst))

    def share(self, run: int | None, bandwidth: int | None) -> Fraction:
        """What a pattern leaves of the peak `bandwidth` (bytes per second of all channels), refresh included."""
        refreshed = Fraction(self.refi - self.rfc, self.refi) if self.refi else Fraction(1)
        if bandwidth is None:
            return refreshed
        per_byte = Fraction(PS_PER_SECOND * self.channels, bandwidth)
        moved = per_byte / self.opened(run)
        if run is not None and run < self.burst:
            moved *= Fraction(self.burst, run)
        used = Fraction(min(run, self.burst), self.burst) if run is not None else Fraction(1)
        pace = max(moved, Fraction(self.rrd), Fraction(self.faw, _FOUR))
        occupied = max(Fraction(self.rc), self.rcd + moved + self.rp) / self.banks
        if run is None:
            return refreshed * moved / max(pace, occupied)
        in_group = self._bursts(run) * self.ccd_l / self.groups
        free = min(kept(occupied / pace, self.banks, self.queue), kept(in_group / pace, self.groups, self.queue))
        return refreshed * used * moved * free / max(pace, occupied, in_group)

    def _bursts(self, run: int) -> Fraction:
        """Column accesses of a row that a run opens."""
        return max(Fraction(1), 1 / (self.opened(run) * self.burst))

    def touch(self, run: int | None, bandwidth: int | None) -> Touch:
        """How much slower runs are than a stream, and the rows that they open."""
        return Touch(max(Fraction(1), self.share(None, bandwidth) / self.share(run, bandwidth)), self.opened(run))
