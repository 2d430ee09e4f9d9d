"""Requesters: each asks for chunks as it has buffers, computes on what has arrived, and sends results on their way."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
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
    def leaving(self) -> Container[int]:
        """The chunks that leave something."""

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

    __slots__ = ("busy", "chunks", "desk", "idle", "number", "waiting", "work")

    def __init__(self, desk: Desk, number: int, tile: int, chunks: Iterator[int]) -> None:
        self.desk = desk
        self.number = number
        self.chunks = chunks
        self.work = [(labour, labour.slicers[tile] if labour.slicers else None) for labour in desk.labours]
        self.idle = 0
        self.busy = False
        self.waiting: deque[Buffer] = deque()

    def done(self, buffer: Buffer, now: int) -> None:
        """Go on to the next chunk; the buffer is free for another."""
        self.idle = now
        desk = self.desk
        desk.underway -= 1
        if buffer.chunk in desk.leaving or not desk.underway:
            desk.finish(self, buffer, now)
        if self.waiting:
            following = self.waiting.popleft()
            due = following.due
            following.compute(due if due > now else now)  # noqa: FURB136 - max() takes three times as long
        else:
            self.busy = False
        chunk = next(self.chunks, None)
        if chunk is not None:
            buffer.ask(chunk, now)


class Buffer:
    """Room for a chunk at a requester: asked for, arrived, computed, and free again.

    A chunk is computed grain by grain as it arrives, after those that arrived before it: when its last byte is there,
    what is left is what was not yet computed since its first byte came, and at least its last grain. Whatever it waits
    for is told to it as soon as it is known; it is `due` when the last of that will have happened.
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
        missing = len(self._awaited) + len(rare)
        self._missing = missing or 1
        for parcel in self._awaited:
            parcel.ask(chunk, now)
        for track, number in rare:
            self.seat.desk.parcel(track, self.seat.number, self.landed).ask(number, now)
        if not missing:  # nothing is fetched
            self.landed(now, now)

    def landed(self, head: int, due: int) -> None:
        """Be told when a part, and its first byte, will have arrived."""
        if head > self._head:  # noqa: PLR1730 - max() takes three times as long, for each chunk
            self._head = head
        if due > self.due:  # noqa: PLR1730 - as above
            self.due = due
        self._missing -= 1
        if not self._missing:
            seat = self.seat
            if seat.busy:
                seat.waiting.append(self)
            else:
                seat.busy = True
                self.compute(self.due)

    def compute(self, at: int) -> None:
        """Work on the chunk from a picosecond on."""
        seat, head = self.seat, self._head
        idle = seat.idle
        self.since = since = (head if head > idle else idle) << FINE  # noqa: FURB136 - as above
        self.due = at
        self._missing = seat.desk.parts
        for labour, slicer in seat.work:
            labour.passed += 1
            if slicer is not None:
                slicer.compute(self, labour.cost, since, at)
        alarm = self._alarm
        if alarm is not None:
            if at > seat.desk.clock.now:
                alarm.sleep(at)
            else:
                self._wake(at)

    def served(self, _: int, due: int) -> None:
        """Be told when work that is done elsewhere will have been."""
        self.due = max(self.due, due)
        self.worked(self.seat.desk.clock.now)

    def worked(self, now: int) -> None:
        """Be told that a part of the work is done, or will have been when the chunk is due."""
        self._missing -= 1
        if not self._missing:
            if self._alarm is not None and self.due > now:
                self._alarm.sleep(self.due)
            else:
                self.seat.done(self, now)

    def _wake(self, now: int) -> None:
        """Send out what is done elsewhere, or be done."""
        if self._missing:
            for errand in self._errands:
                errand.send(self.chunk, self.since, (now << FINE) + errand.track.grain, now)
        else:
            self.seat.done(self, now)
