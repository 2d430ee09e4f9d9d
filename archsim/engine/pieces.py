"""Pieces of tensors on their way: the tracks that they follow, hop by hop, and what is counted there."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from archsim.engine.cutting import Costs
from archsim.engine.kernel import Clock, Sleeper
from archsim.engine.servers import FINE, PART, Queue, Wire


class Hop:
    """A stop of a track: the queue that serves all pieces, what one costs, when it is there, and how many came."""

    __slots__ = ("_costs", "_queues", "cost", "passed", "queue", "span")

    def __init__(self, queues: Sequence[Queue], costs: Costs) -> None:
        self.queue: Queue | None = queues[0] if queues else None
        self.cost, _, self.span = costs
        self._queues = queues
        self._costs = costs
        self.passed = 0

    def pick(self, piece: Parcel) -> tuple[Queue, int, int]:
        """The queue that serves a piece, where they have one each, and what it costs."""
        raise NotImplementedError


class Turns(Hop):
    """Instances that serve one piece after the other; the first has the part of the busiest."""

    __slots__ = ()

    def __init__(self, queues: Sequence[Queue], costs: Costs) -> None:
        super().__init__(queues, costs)
        self.queue = None

    def pick(self, piece: Parcel) -> tuple[Queue, int, int]:
        index = piece.number % len(self._queues)
        return self._queues[index], self._costs[index > 0], self.span


class Own(Turns):
    """Instances that each serve their own requester; the first has the part of the busiest."""

    __slots__ = ()

    def pick(self, piece: Parcel) -> tuple[Queue, int, int]:
        cost = self._costs[piece.seat > 0]
        return self._queues[piece.seat], cost, cost


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

    @property
    def full(self) -> bool:
        """Whether each chunk has a piece of it, numbered alike."""
        return self.pieces == self.chunks

    def stages(self) -> Iterator[tuple[int, int]]:
        """The chunk that waits for each piece with its first byte: they come as early as they can."""
        return ((-(-number * self.chunks // self.pieces), number) for number in range(self.pieces))


class Parcel(Sleeper):
    """A piece of a tensor: it goes from hop to hop, and tells when its first and its last byte have landed."""

    def __init__(self, clock: Clock, track: Track, seat: int, landed: Callable[[int, int], None]) -> None:
        super().__init__(clock, self._land)
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
            self.since = (now + wire.delay) << FINE
            wire.wait(self, now + wire.delay)

    def send(self, number: int, since: int, here: int, now: int) -> None:
        """Set out as piece `number`, which has been streaming since then, and is there at the earliest then."""
        self.number = number
        self.since = since
        self.here = here
        self.tail = max(self.tail, here)
        self._at = 0
        self.go(now)

    def go(self, now: int) -> None:
        """Go on to where there is a line, or to the end.

        It cuts through: its first byte goes on when its turn comes, the last one follows. It is `here` as far as its
        requester is concerned before all of it has passed, at its `tail`, where it stands for many: for those of all
        tiles of a group, or for lines that are spread over all channels while one is charged in turn.
        """
        hops, since, soon = self.track.hops, self.since, now << FINE
        for index in range(self._at, len(hops)):
            hop = hops[index]
            hop.passed += 1
            queue, cost, span = hop.queue, hop.cost, hop.span
            if queue is None:
                queue, cost, span = hop.pick(self)
            free = queue.free
            start = since
            if free > start:  # noqa: PLR1730 - max() takes three times as long, and this is where chunks spend it
                start = free
            queue.free = passed = start + cost
            if self.tail < passed:  # noqa: PLR1730 - as above
                self.tail = passed
            if self.here < start + span:  # noqa: PLR1730 - as above
                self.here = start + span
            if free > soon:
                self._at = index + 1
                self.since = free
                queue.wait(self, (free + PART) >> FINE)
                return
        self._head = now
        self._due = due = (self.here + PART) >> FINE
        if due > now:
            self.sleep(due)
        else:
            self._landed(now, now)

    def _land(self, _: Sleeper) -> None:
        self._landed(self._head, self._due)
