"""Requesters: each asks for chunks as it has buffers, computes on what has arrived, and sends results on their way."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from archsim.engine.kernel import Clock, Sleeper
from archsim.engine.pieces import Parcel, Track
from archsim.engine.servers import FINE, Cost, Slicer


@dataclass(slots=True)
class Labour:
    """Work on tiles: the slicer of each, what a chunk costs, how many chunks came."""

    slicers: Sequence[Slicer]
    cost: Cost
    passed: int = 0


class Desk(Protocol):
    """The flow under way that a requester belongs to: what each chunk waits for, the work on it, and what is not done.

    `parts` of the work end by themselves. `posted` and `results` are what a chunk leaves: each, and some.
    """

    clock: Clock
    awaited: Sequence[Track]
    labours: Sequence[Labour]
    errands: Sequence[Track]
    parts: int
    underway: int
    posted: Sequence[Track]

    @property
    def rare(self) -> Mapping[int, Sequence[tuple[Track, int]]]:
        """Pieces of tensors of which not each chunk has one, by the chunk that waits for them."""

    @property
    def results(self) -> Mapping[int, Sequence[tuple[Track, int]]]:
        """As rare ones, by the chunk that they leave with."""

    def parcel(self, track: Track, seat: int, landed: Callable[[int, int], None]) -> Parcel:
        """A piece of a tensor that is sent once."""

    def finish(self, seat: Seat, buffer: Buffer, now: int) -> None:
        """Send the results of a chunk that is done, or end with it."""


class Seat:
    """A requester of one flow, at a tile: it takes the next of its chunks, and computes those first that it first sees.

    `chunks` are its own, or those of all.
    """

    __slots__ = ("_busy", "_ready", "chunks", "desk", "idle", "number", "tile")

    def __init__(self, desk: Desk, number: int, tile: int, chunks: Iterator[int]) -> None:
        self.desk = desk
        self.number = number
        self.tile = tile
        self.chunks = chunks
        self.idle = 0
        self._busy = False
        self._ready: deque[Buffer] = deque()

    def ready(self, buffer: Buffer) -> None:
        """Compute on a chunk when it has arrived, and when those before it are done."""
        if self._busy:
            self._ready.append(buffer)
        else:
            self._busy = True
            buffer.compute(buffer.due)

    def done(self, buffer: Buffer, now: int) -> None:
        """Go on to the next chunk; the buffer is free for another."""
        self.idle = now << FINE
        desk = self.desk
        desk.underway -= 1
        if desk.posted or buffer.chunk in desk.results or not desk.underway:
            desk.finish(self, buffer, now)
        if self._ready:
            following = self._ready.popleft()
            following.compute(max(now, following.due))
        else:
            self._busy = False
        chunk = next(self.chunks, None)
        if chunk is not None:
            buffer.ask(chunk, now)


class Buffer:
    """Room for a chunk at a requester: asked for, arrived, computed, and free again.

    A chunk is computed grain by grain as it arrives: when its last byte is there, what is left is what was not yet
    computed since its first byte came, and at least its last grain. Whatever it waits for is told to it as soon as it
    is known; it is `due` when the last of that will have happened.
    """

    __slots__ = ("_alarm", "_awaited", "_errands", "_head", "_missing", "_rare", "chunk", "due", "seat", "since")

    def __init__(self, seat: Seat) -> None:
        desk = seat.desk
        self.seat = seat
        self.chunk = self.since = self.due = self._head = self._missing = 0
        self._rare = desk.rare
        self._awaited = [Parcel(track, seat.number, self.landed) for track in desk.awaited]
        self._errands = [Parcel(track, seat.number, self.served) for track in desk.errands]
        self._alarm = Sleeper(desk.clock, self._wake) if desk.errands or not desk.parts else None

    @property
    def parcels(self) -> list[Parcel]:
        """All that it sends."""
        return self._awaited + self._errands

    def ask(self, chunk: int, now: int) -> None:
        """Ask for all parts of a chunk."""
        self.chunk = chunk
        self._head = self.due = now
        rare = self._rare.get(chunk, ())
        self._missing = len(self._awaited) + len(rare)
        if not self._missing:
            self.seat.ready(self)
        for parcel in self._awaited:
            parcel.ask(chunk, now)
        for track, number in rare:
            self.seat.desk.parcel(track, self.seat.number, self.landed).ask(number, now)

    def landed(self, head: int, due: int) -> None:
        """Be told when a part, and its first byte, will have arrived."""
        if head > self._head:  # noqa: PLR1730 - max() takes three times as long, for each chunk
            self._head = head
        if due > self.due:  # noqa: PLR1730 - as above
            self.due = due
        self._missing -= 1
        if not self._missing:
            self.seat.ready(self)

    def compute(self, at: int) -> None:
        """Work on the chunk from a picosecond on."""
        seat, desk = self.seat, self.seat.desk
        since = self._head << FINE
        if seat.idle > since:  # noqa: PLR1730 - as above
            since = seat.idle
        self.since = since
        self.due = at
        self._missing = desk.parts
        for labour in desk.labours:
            labour.passed += 1
            if labour.slicers:
                labour.slicers[seat.tile].compute(self, labour.cost, since, at)
        if self._alarm is not None:
            if at > desk.clock.now:
                self._alarm.sleep(at)
            else:
                self._wake(self._alarm)

    def served(self, _: int, due: int) -> None:
        """Be told when work that is done elsewhere will have been."""
        self.due = max(self.due, due)
        self.worked(self.seat.desk.clock.now)

    def worked(self, now: int) -> None:
        """Be told that a part of the work is done, or will have been when the chunk is due."""
        self._missing -= 1
        if not self._missing:
            if self.due > now and self._alarm is not None:
                self._alarm.sleep(self.due)
            else:
                self.seat.done(self, now)

    def _wake(self, _: Sleeper) -> None:
        """Send out what is done elsewhere, or be done."""
        if self._missing:
            for errand in self._errands:
                errand.send(self.chunk, self.since, (self.due << FINE) + errand.track.grain, self.due)
        else:
            self.seat.done(self, self.due)
