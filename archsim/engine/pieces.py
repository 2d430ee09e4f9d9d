"""Pieces of tensors on their way: the tracks that they follow, hop by hop, and what is counted there."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from archsim.engine.cutting import Costs
from archsim.engine.kernel import Clock
from archsim.engine.servers import FINE, PART, Queue, Sleeper, Wire

if TYPE_CHECKING:
    import simpy


class Hop:
    """A stop of a track: the queues that serve pieces there, what one costs, when it is there, and how many came.

    One queue serves all pieces where nothing else is said.
    """

    __slots__ = ("_costs", "_queues", "passed")

    def __init__(self, queues: Sequence[Queue], costs: Costs) -> None:
        self._queues = queues
        self._costs = costs
        self.passed = 0

    def admit(self, piece: Parcel, now: int) -> bool:
        """Let a piece in; whether it can go on at once."""
        self.passed += 1
        cost, _, span = self._costs
        return self._queues[0].admit(piece, cost, span, now)


class Open(Hop):
    """A stop without a limit: it only counts."""

    __slots__ = ()

    def admit(self, piece: Parcel, now: int) -> bool:
        self.passed += 1
        return True


class Turns(Hop):
    """Instances that serve one piece after the other."""

    __slots__ = ()

    def admit(self, piece: Parcel, now: int) -> bool:
        self.passed += 1
        index = piece.number % len(self._queues)
        busiest, other, span = self._costs
        return self._queues[index].admit(piece, other if index else busiest, span, now)


class Own(Hop):
    """Instances that each serve their own requester."""

    __slots__ = ()

    def admit(self, piece: Parcel, now: int) -> bool:
        self.passed += 1
        busiest, other, _ = self._costs
        cost = other if piece.seat else busiest
        return self._queues[piece.seat].admit(piece, cost, cost, now)


@dataclass(frozen=True, slots=True)
class Track:
    """The way of one tensor: `pieces` of it among `chunks`, over a wire and then the hops.

    The `last` grain of what is work takes that long.
    """

    hops: tuple[Hop, ...]
    wire: Wire | None
    pieces: int
    chunks: int
    last: int = 0

    def piece(self, chunk: int) -> int | None:
        """The piece that the first byte of a chunk waits for, if any: they come as early as they can."""
        index, left = divmod(chunk * self.pieces, self.chunks)
        return index if left < self.pieces else None


class Parcel(Sleeper):
    """A piece of a tensor: it goes from hop to hop, and tells when its first and its last byte have landed."""

    def __init__(self, clock: Clock, track: Track, seat: int, landed: Callable[[int, int], None]) -> None:
        super().__init__(clock)
        self.track = track
        self.seat = seat
        self.number = self.since = self.here = self.tail = 0
        self._landed = landed
        self._at = self._head = self._due = 0

    def ask(self, number: int, now: int) -> None:
        """Ask for piece `number` of the tensor."""
        self.number = number
        self.here = self._at = 0
        wire = self.track.wire
        if wire is None:
            self.since = now << FINE
            self.go(now)
        else:
            wire.enter(self, now)

    def send(self, number: int, since: int, here: int, now: int) -> None:
        """Set out as piece `number`, which has been streaming since then, and is there at the earliest then."""
        self.number = number
        self.since = since
        self.here = here
        self.tail = max(self.tail, here)
        self._at = 0
        self.go(now)

    def go(self, now: int) -> None:
        """Go on to where there is a queue, or to the end."""
        hops, at = self.track.hops, self._at
        while at < len(hops):
            hop = hops[at]
            at += 1
            if not hop.admit(self, now):
                self._at = at
                return
        due = (self.here + PART) >> FINE
        if due > now:
            self._head = now
            self._due = due
            self.sleep(due - now)
        else:
            self._landed(now, now)

    def ring(self, _: simpy.Event) -> None:
        """Land."""
        self._landed(self._head, self._due)
