"""Requesters: each asks for chunks as it has buffers, computes on what has arrived, and sends results on their way."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from archsim.engine.kernel import Clock
from archsim.engine.pieces import Parcel, Track
from archsim.engine.servers import Slicer


@dataclass(slots=True)
class Labour:
    """Work on tiles: the slicer of each, what a chunk costs and how many tiles it takes, how many chunks came."""

    slicers: Sequence[Slicer]
    cost: int
    weight: int
    passed: int = 0


class Desk(Protocol):
    """The flow under way that a requester belongs to."""

    clock: Clock
    awaited: Sequence[Track]
    labours: Sequence[Labour]
    errands: Sequence[Track]

    def draw(self, seat: Seat) -> int | None:
        """The next chunk for a requester; None where there is none left."""

    def finish(self, seat: Seat, chunk: int, now: int) -> None:
        """Be told that a chunk is done, and send its results."""


class Seat:
    """A requester of one flow, at a tile; chunks are computed in the order of their arrival."""

    __slots__ = ("_busy", "_ready", "desk", "number", "tile")

    def __init__(self, desk: Desk, number: int, tile: int) -> None:
        self.desk = desk
        self.number = number
        self.tile = tile
        self._busy = False
        self._ready: deque[Buffer] = deque()

    def ready(self, buffer: Buffer, now: int) -> None:
        """Compute on a chunk that has arrived, when those before it are done."""
        if self._busy:
            self._ready.append(buffer)
        else:
            self._busy = True
            buffer.compute(now)

    def done(self, buffer: Buffer, now: int) -> None:
        """Go on to the next chunk; the buffer is free for another."""
        self.desk.finish(self, buffer.chunk, now)
        if self._ready:
            self._ready.popleft().compute(now)
        else:
            self._busy = False
        chunk = self.desk.draw(self)
        if chunk is not None:
            buffer.ask(chunk, now)


class Buffer:
    """Room for a chunk at a requester: asked for, arrived, computed, and free again."""

    __slots__ = ("_awaited", "_errands", "_missing", "chunk", "seat")

    def __init__(self, seat: Seat) -> None:
        desk = seat.desk
        self.seat = seat
        self.chunk = 0
        self._missing = 0
        self._awaited = tuple(Parcel(desk.clock, track, seat.number, self.landed) for track in desk.awaited)
        self._errands = tuple(Parcel(desk.clock, track, seat.number, self.worked) for track in desk.errands)

    @property
    def parcels(self) -> tuple[Parcel, ...]:
        """All that it sends."""
        return self._awaited + self._errands

    def ask(self, chunk: int, now: int) -> None:
        """Ask for all parts of a chunk."""
        self.chunk = chunk
        self._missing = 1
        for parcel in self._awaited:
            number = parcel.track.piece(chunk)
            if number is not None:
                self._missing += 1
                parcel.send(number, now)
        self.landed(now)

    def landed(self, now: int) -> None:
        """Be told that a part has arrived, or that all are asked for."""
        self._missing -= 1
        if not self._missing:
            self.seat.ready(self, now)

    def compute(self, now: int) -> None:
        """Work on the chunk."""
        desk, seat = self.seat.desk, self.seat
        self._missing = 1 + len(self._errands)
        for labour in desk.labours:
            labour.passed += 1
            if labour.cost:
                self._missing += 1
                labour.slicers[seat.tile].compute(self, labour.cost, labour.weight, now)
        for errand in self._errands:
            errand.send(self.chunk, now)
        self.worked(now)

    def worked(self, now: int) -> None:
        """Be told that a part of the work is done, or that all of it has begun."""
        self._missing -= 1
        if not self._missing:
            self.seat.done(self, now)
