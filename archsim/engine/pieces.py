"""Pieces of tensors on their way: the tracks that they follow, hop by hop, and what is counted there."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from math import lcm

from archsim.engine.cutting import Costs
from archsim.engine.servers import FINE, PART, Queue

Service = tuple["Hop", Queue, int, int, tuple["Service", ...]]
"""How a piece is served: the stop, the queue, what it takes there, until it is there, and all that follows.

Where it is there when it has passed, the two times are one object: that is seen at a tenth of what comparing costs.
"""


class Hop:
    """A stop of a track: the queue that serves all pieces, what one costs, when it is there, and how many came."""

    __slots__ = ("_services", "passed")

    def __init__(self, queues: Sequence[Queue], costs: Costs) -> None:
        busiest, other, span = costs
        busiest, other = (span if cost == span else cost for cost in (busiest, other))
        self._services = [(queue, other if index else busiest, span) for index, queue in enumerate(queues)]
        self.passed = 0

    @property
    def period(self) -> int:
        """After how many pieces a queue has its turn again."""
        return 1

    def service(self, seat: int, number: int, then: tuple[Service, ...]) -> Service:
        """How a piece of a requester is served here, and then."""
        return (self, *self._services[self.pick(seat, number)], then)

    def pick(self, seat: int, number: int) -> int:
        """Which queue serves a piece of a requester."""
        return 0


class Turns(Hop):
    """Instances that serve one piece after the other; the first has the part of the busiest."""

    __slots__ = ()

    @property
    def period(self) -> int:
        return len(self._services)

    def pick(self, seat: int, number: int) -> int:
        return number % len(self._services)


class Own(Hop):
    """Instances that each serve their own requester; the first has the part of the busiest."""

    __slots__ = ()

    def __init__(self, queues: Sequence[Queue], costs: Costs) -> None:
        super().__init__(queues, costs)
        self._services = [(queue, cost, cost) for queue, cost, _ in self._services]

    def pick(self, seat: int, number: int) -> int:
        return seat


class Track:
    """The way of one tensor: `pieces` of it among `chunks`, over the hops.

    What is asked for leaves the first hop `latency` picoseconds late. The last `grain` of what is work takes that long.
    """

    __slots__ = ("_firsts", "_own", "_period", "chunks", "grain", "hops", "late", "pieces")

    def __init__(self, hops: Sequence[Hop], latency: int, pieces: int, chunks: int, grain: int = 0) -> None:
        self.hops = hops
        self.late = latency << FINE
        self.pieces = pieces
        self.chunks = chunks
        self.grain = grain
        self._period = lcm(*(hop.period for hop in hops))
        self._own = any(isinstance(hop, Own) for hop in hops)
        self._firsts: dict[int, Sequence[Service]] = {}

    @property
    def full(self) -> bool:
        """Whether each chunk has a piece of it, numbered alike."""
        return self.pieces == self.chunks

    def stages(self) -> Iterator[tuple[int, int]]:
        """The chunk that waits for each piece with its first byte: they come as early as they can."""
        return ((-(-number * self.chunks // self.pieces), number) for number in range(self.pieces))

    def firsts(self, seat: int) -> Sequence[Service]:
        """How a requester's pieces are served first, by number, again and again."""
        key = seat if self._own else 0
        if key not in self._firsts:
            self._firsts[key] = [self._way(seat, number)[0] for number in range(min(self._period, self.pieces))]
        return self._firsts[key]

    def _way(self, seat: int, number: int) -> tuple[Service, ...]:
        way: tuple[Service, ...] = ()
        for hop in reversed(self.hops):
            way = (hop.service(seat, number, way), *way)
        return way


class Parcel:
    """A piece of a tensor: it goes from hop to hop, and tells when its first and its last byte will have landed.

    It tells so when it passes its last hop, since nothing can hold it up behind that.
    """

    __slots__ = ("_firsts", "_landed", "_late", "_then", "here", "since", "tail", "track", "turn")

    def __init__(self, track: Track, seat: int, landed: Callable[[int, int], None]) -> None:
        self.track = track
        self.since = self.here = self.tail = self.turn = 0
        self._landed = landed
        self._late = track.late
        self._firsts = track.firsts(seat)
        self._then: tuple[Service, ...] = ()

    def ask(self, number: int, now: int) -> None:
        """Ask for piece `number` of the tensor: it is in line at once, and goes on a latency after its turn."""
        firsts = self._firsts
        hop, queue, cost, span, then = firsts[number % len(firsts)]
        self._then = then
        hop.passed += 1
        start = now << FINE
        if queue.free > start:  # noqa: PLR1730 - max() takes three times as long, and this is where chunks spend it
            start = queue.free
        queue.free = passed = start + cost
        self.since = start = start + self._late
        self.here = start + span
        if cost is not span:
            passed += self._late
            if self.tail < passed:  # noqa: PLR1730 - as above
                self.tail = passed
        turn = (start + PART) >> FINE
        if then and turn > now:
            queue.wait(self, turn)
        else:
            self.go(turn)

    def send(self, number: int, since: int, here: int, now: int) -> None:
        """Set out as piece `number`, which has been streaming since then, and is there at the earliest then."""
        self.since = since
        self.here = here
        self.tail = max(self.tail, here)
        first = self._firsts[number % len(self._firsts)]
        self._then = (first, *first[-1])
        self.go(now)

    def go(self, now: int) -> None:
        """Go on to where there is a line, or to the end.

        It cuts through: its first byte goes on when its turn comes, the last one follows. It is `here` as far as its
        requester is concerned before all of it has passed, at its `tail`, where it stands for many: for those of all
        tiles of a group, or for lines that are spread over all channels while one is charged in turn.
        """
        since, here, soon = self.since, self.here, now << FINE
        for hop, queue, cost, span, then in self._then:
            hop.passed += 1
            free = queue.free
            start = free if free > since else since  # noqa: FURB136 - as above
            queue.free = passed = start + cost
            if cost is not span:
                if self.tail < passed:  # noqa: PLR1730 - as above
                    self.tail = passed
                passed = start + span
            if here < passed:  # noqa: PLR1730 - as above
                here = passed
            if free > soon:
                now = (free + PART) >> FINE
                if then:
                    self.since = free
                    self.here = here
                    self._then = then
                    queue.wait(self, now)
                    return
        landed, due = self._landed, (here + PART) >> FINE
        landed(now, due if due > now else now)  # noqa: FURB136 - as above
