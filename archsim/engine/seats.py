"""Requesters: each asks for chunks as it has buffers, computes on what has arrived, and sends results on their way."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from archsim.engine.kernel import Clock
from archsim.engine.pieces import Parcel, Track
from archsim.engine.servers import FINE, Cost, Slicer


@dataclass(slots=True)
class Labour:
    """Work on tiles: the slicer of each, what a chunk costs, how many chunks came."""

    slicers: Sequence[Slicer]
    cost: Cost
    passed: int = 0


class Desk(Protocol):
    """The flow under way that a requester belongs to."""

    clock: Clock
    awaited: Sequence[Track]
    labours: Sequence[Labour]
    errands: Sequence[Track]

    @property
    def rare(self) -> Mapping[int, Sequence[tuple[Track, int]]]:
        """Pieces of tensors of which not each chunk has one, by the chunk that waits for them."""

    def parcel(self, track: Track, seat: int, landed: Callable[[int, int], None]) -> Parcel:
        """A piece of a tensor that is sent once."""

    def draw(self, seat: Seat) -> int | None:
        """The next chunk for a requester; None where there is none left."""

    def finish(self, seat: Seat, chunk: int, since: int, now: int) -> None:
        """Be told that a chunk is done on which work began then, and send its results."""


class Seat:
    """A requester of one flow, at a tile; chunks are computed in the order of their arrival."""

    __slots__ = ("_busy", "_ready", "desk", "idle", "number", "tile")

    def __init__(self, desk: Desk, number: int, tile: int) -> None:
        self.desk = desk
        self.number = number
        self.tile = tile
        self.idle = 0
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
        self.idle = now << FINE
        self.desk.finish(self, buffer.chunk, buffer.since, now)
        if self._ready:
            self._ready.popleft().compute(now)
        else:
            self._busy = False
        chunk = self.desk.draw(self)
        if chunk is not None:
            buffer.ask(chunk, now)


class Buffer:
    """Room for a chunk at a requester: asked for, arrived, computed, and free again.

    A chunk is computed grain by grain as it arrives: when its last byte is there, what is left is what was not yet
    computed since its first byte came, and at least its last grain.
    """

    __slots__ = ("_awaited", "_errands", "_head", "_missing", "chunk", "seat", "since")

    def __init__(self, seat: Seat) -> None:
        desk = seat.desk
        self.seat = seat
        self.chunk = self.since = 0
        self._head = self._missing = 0
        self._awaited = tuple(Parcel(desk.clock, track, seat.number, self.landed) for track in desk.awaited)
        self._errands = tuple(Parcel(desk.clock, track, seat.number, self.worked) for track in desk.errands)

    @property
    def parcels(self) -> tuple[Parcel, ...]:
        """All that it sends."""
        return self._awaited + self._errands

    def ask(self, chunk: int, now: int) -> None:
        """Ask for all parts of a chunk."""
        self.chunk = chunk
        self._head = now
        self._missing = 1 + len(self._awaited)
        for parcel in self._awaited:
            parcel.ask(chunk, now)
        if chunk in self.seat.desk.rare:
            self._fetch(chunk, now)
        self.landed(now, now)

    def _fetch(self, chunk: int, now: int) -> None:
        seat = self.seat
        for track, number in seat.desk.rare[chunk]:
            self._missing += 1
            seat.desk.parcel(track, seat.number, self.landed).ask(number, now)

    def landed(self, head: int, now: int) -> None:
        """Be told that a part has arrived, the first of it then, or that all are asked for."""
        if head > self._head:  # noqa: PLR1730 - max() takes three times as long, for each chunk
            self._head = head
        self._missing -= 1
        if not self._missing:
            self.seat.ready(self, now)

    def compute(self, now: int) -> None:
        """Work on the chunk."""
        seat, desk = self.seat, self.seat.desk
        since = self._head << FINE
        if seat.idle > since:  # noqa: PLR1730 - as above
            since = seat.idle
        self.since = since
        self._missing = 1 + len(self._errands)
        for labour in desk.labours:
            labour.passed += 1
            if labour.slicers:
                self._missing += 1
                labour.slicers[seat.tile].compute(self, labour.cost, since, now)
        for errand in self._errands:
            errand.send(self.chunk, since, (now << FINE) + errand.track.last, now)
        self.worked(now, now)

    def worked(self, _: int, now: int) -> None:
        """Be told that a part of the work is done, or that all of it has begun."""
        self._missing -= 1
        if not self._missing:
            self.seat.done(self, now)
