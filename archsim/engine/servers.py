"""Servers: a port of one instance each, that pieces pass one after the other, or that computations are sliced between.

A server sleeps on one event of its own. Times are integers in 2**-20 picoseconds, so that a busy server loses nothing
between pieces; events happen at whole picoseconds.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from heapq import heappop, heappush
from typing import Final, Protocol

import simpy
from simpy.events import EventPriority

from archsim.engine.kernel import Clock

FINE: Final = 20
"""Binary digits below the picosecond."""

PART: Final = (1 << FINE) - 1

FIRST: Final = EventPriority(0)
"""Priority of what happens inside a flow: before all else at its instant."""


class Piece(Protocol):
    """What passes queues: when it is `here` as far as its requester is concerned, and when the last of it has passed.

    The two differ where a piece stands for many: for those of all the tiles of a group, or for lines that are spread
    over all channels while one is charged in turn. It may have been streaming `since` before now, as it was computed.
    """

    since: int
    here: int
    tail: int

    def go(self, now: int) -> None:
        """Go on from here, at a picosecond."""


class Job(Protocol):
    """What tiles compute."""

    def worked(self, head: int, now: int) -> None:
        """Be told that it is computed, at a picosecond."""


class Sleeper(simpy.Event):
    """An event that happens again and again, to whoever it belongs to."""

    def __init__(self, clock: Clock) -> None:
        self.env = clock
        self._value = None
        self._ok = True
        self._wake: list[Callable[[simpy.Event], None]] = [self.ring]

    def sleep(self, delay: int) -> None:
        """Ring after some picoseconds."""
        self.callbacks = self._wake
        self.env.schedule(self, FIRST, delay)

    def ring(self, _: simpy.Event) -> None:
        """Wake up."""
        raise NotImplementedError


class Queue(Sleeper):
    """A port that serves pieces in the order of their arrival, so that flows share it by what they have outstanding.

    Pieces cut through: the first byte goes on as soon as a piece is served, the last one follows.
    """

    def __init__(self, clock: Clock) -> None:
        super().__init__(clock)
        self._free = 0
        self._line: deque[tuple[int, Piece]] = deque()

    def admit(self, piece: Piece, cost: int, span: int, now: int) -> bool:
        """Take in a piece that takes `cost` of the port and is here `span` after its turn; whether that is at once.

        If not, it goes on when its turn comes. What streamed before now was served while nobody else was.
        """
        start, free = piece.since, self._free
        at_once = free <= now << FINE
        start = max(start, free)
        if not at_once:
            turn = (free + PART) >> FINE
            if not self._line:
                self.sleep(turn - now)
            self._line.append((turn, piece))
        self._free = tail = start + cost
        if piece.tail < tail:  # noqa: PLR1730 - max() takes three times as long, and this is where chunks spend theirs
            piece.tail = tail
        if piece.here < start + span:  # noqa: PLR1730 - as above
            piece.here = start + span
        return at_once

    def ring(self, _: simpy.Event) -> None:
        """Let the piece go on whose turn it is."""
        now, piece = self._line.popleft()
        if self._line:
            self.sleep(self._line[0][0] - now)
        piece.since = now << FINE
        piece.go(now)


class Wire(Sleeper):
    """A delay, the same for all pieces, however many are on their way."""

    def __init__(self, clock: Clock, delay: int) -> None:
        super().__init__(clock)
        self._delay = delay
        self._line: deque[tuple[int, Piece]] = deque()

    def enter(self, piece: Piece, now: int) -> None:
        """Let a piece go on after the delay."""
        if not self._line:
            self.sleep(self._delay)
        self._line.append((now + self._delay, piece))

    def ring(self, _: simpy.Event) -> None:
        """Let the first piece go on."""
        now, piece = self._line.popleft()
        if self._line:
            self.sleep(self._line[0][0] - now)
        piece.since = now << FINE
        piece.go(now)


class Slicer:
    """A port of `capacity` tiles whose time is sliced: jobs on it advance side by side, none faster than alone.

    A job takes as many tiles as it has weight; where there are too few, all are slowed alike. Progress is counted in a
    time of the port's own, in which each job lasts as long as it would alone.
    """

    def __init__(self, clock: Clock, capacity: int) -> None:
        self._clock = clock
        self._capacity = capacity
        self._jobs: list[tuple[int, int, Job, int]] = []
        self._weight = 0
        self._taken = 0
        self._own = 0
        self._since = -1 << FINE
        self._alarm = _Alarm(clock, self)

    def sit(self) -> None:
        """Forget the part of a picosecond at which the port became idle: a new flow starts at a whole one."""
        if not self._jobs:
            self._since = -1 << FINE

    def compute(self, job: Job, cost: int, weight: int, now: int) -> None:
        """Work on a job from now on, which takes `cost` alone."""
        at = now << FINE
        if self._jobs:
            self._own += (at - self._since) * self._capacity // max(self._capacity, self._weight)
            self._since = at
        elif at - self._since > PART:
            self._since = at
        self._taken += 1
        self._weight += weight
        heappush(self._jobs, (self._own + cost, self._taken, job, weight))
        self._arm(now)

    def _arm(self, now: int) -> None:
        left = self._jobs[0][0] - self._own
        slowed = max(self._capacity, self._weight)
        due = self._since - (-left * slowed // self._capacity)
        if self._alarm.asleep:
            self._alarm = _Alarm(self._clock, self)  # the one that is asleep will ring for nobody
        self._alarm.set(due, now)

    def rung(self, alarm: _Alarm, due: int, now: int) -> None:
        """Let the jobs go that are done."""
        if alarm is not self._alarm:
            return
        jobs, done = self._jobs, []
        self._own, self._since = jobs[0][0], due
        while jobs and jobs[0][0] <= self._own:
            _, _, job, weight = heappop(jobs)
            self._weight -= weight
            done.append(job)
        if jobs:
            self._arm(now)
        for job in done:
            job.worked(now, now)


class _Alarm(Sleeper):
    """What a slicer sleeps on until its next job is done."""

    def __init__(self, clock: Clock, slicer: Slicer) -> None:
        super().__init__(clock)
        self.asleep = False
        self._slicer = slicer
        self._due = 0

    def set(self, due: int, now: int) -> None:
        self.asleep = True
        self._due = due
        self.sleep(((due + PART) >> FINE) - now)

    def ring(self, _: simpy.Event) -> None:
        self.asleep = False
        self._slicer.rung(self, self._due, (self._due + PART) >> FINE)
