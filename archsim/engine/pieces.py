"""Pieces of tensors on their way: the tracks that they follow, hop by hop, and what is counted there."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from archsim.engine.cutting import Costs
from archsim.engine.servers import FINE, PART, Queue

Service = tuple[Queue, int, int]
"""The queue that serves a piece, what it takes there, and until it is there."""


class Hop:
    """A stop of a track: the queue that serves all pieces, what one costs, when it is there, and how many came."""

    __slots__ = ("cost", "passed", "queue", "services", "span")

    def __init__(self, queues: Sequence[Queue], costs: Costs) -> None:
        self.queue: Queue | None = queues[0] if queues else None
        self.cost, other, self.span = costs
        self.services: Sequence[Service] = [
            (queue, other if index else self.cost, self.span) for index, queue in enumerate(queues)
        ]
        self.passed = 0

    def pick(self, piece: Parcel) -> Service:
        """How a piece is served, where they have a queue each."""
        raise NotImplementedError


class Turns(Hop):
    """Instances that serve one piece after the other; the first has the part of the busiest."""

    __slots__ = ()

    def __init__(self, queues: Sequence[Queue], costs: Costs) -> None:
        super().__init__(queues, costs)
        self.queue = None

    def pick(self, piece: Parcel) -> Service:
        return self.services[piece.number % len(self.services)]


class Own(Turns):
    """Instances that each serve their own requester; the first has the part of the busiest."""

    __slots__ = ()

    def __init__(self, queues: Sequence[Queue], costs: Costs) -> None:
        super().__init__(queues, costs)
        self.services = [(queue, cost, cost) for queue, cost, _ in self.services]

    def pick(self, piece: Parcel) -> Service:
        return self.services[piece.seat]


@dataclass(frozen=True, slots=True)
class Track:
    """The way of one tensor: `pieces` of it among `chunks`, over the hops.

    What is asked for leaves the first hop `latency` picoseconds late. The last `grain` of what is work takes that long.
    """

    hops: tuple[Hop, ...]
    latency: int
    pieces: int
    chunks: int
    grain: int = 0
    last: Hop = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "last", self.hops[-1])

    @property
    def full(self) -> bool:
        """Whether each chunk has a piece of it, numbered alike."""
        return self.pieces == self.chunks

    def stages(self) -> Iterator[tuple[int, int]]:
        """The chunk that waits for each piece with its first byte: they come as early as they can."""
        return ((-(-number * self.chunks // self.pieces), number) for number in range(self.pieces))


class Parcel:
    """A piece of a tensor: it goes from hop to hop, and tells when its first and its last byte will have landed.

    It tells so when it passes its last hop, since nothing can hold it up behind that.
    """

    __slots__ = ("_landed", "_way", "here", "number", "seat", "since", "tail", "track")

    def __init__(self, track: Track, seat: int, landed: Callable[[int, int], None]) -> None:
        self.track = track
        self.seat = seat
        self.number = self.since = self.here = self.tail = 0
        self._landed = landed
        self._way: Iterator[Hop] = iter(())

    def ask(self, number: int, now: int) -> None:
        """Ask for piece `number` of the tensor: it is in line at once, and goes on a latency after its turn."""
        self.number = number
        track = self.track
        self._way = way = iter(track.hops)
        hop = next(way)
        hop.passed += 1
        queue, cost, span = hop.queue, hop.cost, hop.span
        if queue is None:
            queue, cost, span = hop.pick(self)
        start = now << FINE
        if queue.free > start:  # noqa: PLR1730 - max() takes three times as long, and this is where chunks spend it
            start = queue.free
        queue.free = start + cost
        self.since = start = start + (track.latency << FINE)
        self.here = start + span
        if self.tail < start + cost:  # noqa: PLR1730 - as above
            self.tail = start + cost
        turn = (start + PART) >> FINE
        if turn > now and hop is not track.last:
            queue.wait(self, turn)
        else:
            self.go(turn)

    def send(self, number: int, since: int, here: int, now: int) -> None:
        """Set out as piece `number`, which has been streaming since then, and is there at the earliest then."""
        self.number = number
        self.since = since
        self.here = here
        self.tail = max(self.tail, here)
        self._way = iter(self.track.hops)
        self.go(now)

    def go(self, now: int) -> None:
        """Go on to where there is a line, or to the end.

        It cuts through: its first byte goes on when its turn comes, the last one follows. It is `here` as far as its
        requester is concerned before all of it has passed, at its `tail`, where it stands for many: for those of all
        tiles of a group, or for lines that are spread over all channels while one is charged in turn.
        """
        since, here, tail, soon = self.since, self.here, self.tail, now << FINE
        for hop in self._way:
            hop.passed += 1
            queue, cost, span = hop.queue, hop.cost, hop.span
            if queue is None:
                queue, cost, span = hop.pick(self)
            free = queue.free
            start = since
            if free > start:  # noqa: PLR1730 - as above
                start = free
            queue.free = passed = start + cost
            if tail < passed:  # noqa: PLR1730 - as above
                tail = passed
            if here < start + span:  # noqa: PLR1730 - as above
                here = start + span
            if free > soon:
                now = (free + PART) >> FINE
                if hop is not self.track.last:
                    self.since, self.here, self.tail = free, here, tail
                    queue.wait(self, now)
                    return
        self.tail = tail
        self._landed(now, max(now, here + PART >> FINE))
