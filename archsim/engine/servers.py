"""Servers: a port of one instance each, that pieces pass one after the other, or that computations are sliced between.

A server sleeps on one event of its own. Times are integers in 2**-20 picoseconds, so that a busy server loses nothing
between pieces; events happen at whole picoseconds.
"""

from __future__ import annotations

from collections import deque
from heapq import heappop, heappush
from typing import Final, NamedTuple, Protocol

from archsim.engine.kernel import Clock, Sleeper

FINE: Final = 20
"""Binary digits below the picosecond."""

PART: Final = (1 << FINE) - 1


class Piece(Protocol):
    """What stands in lines."""

    def go(self, now: int) -> None:
        """Go on from here, at a picosecond."""


class Job(Protocol):
    """What tiles compute."""

    def worked(self, due: int) -> None:
        """Be told that it is computed, at a picosecond."""


class Queue:
    """A port that serves pieces in the order of their arrival, so that flows share it by what they have outstanding.

    It is `free` when it has served all that has come. A piece that finds it busy waits for its turn.
    """

    __slots__ = ("_alarm", "_clock", "_line", "free")

    def __init__(self, clock: Clock) -> None:
        self.free = 0
        self._clock = clock
        self._line: deque[tuple[int, Piece]] = deque()
        self._alarm = Sleeper(clock, self._ring)

    def wait(self, piece: Piece, turn: int) -> None:
        """Let a piece go on at a picosecond."""
        line = self._line
        if not line:
            self._alarm.sleep(turn)
        elif turn < line[-1][0]:
            self._let_pass(piece, turn)
            return
        line.append((turn, piece))

    def _let_pass(self, piece: Piece, turn: int) -> None:
        """Let a piece go on that has a shorter latency than those before it."""
        Sleeper(self._clock, lambda _: piece.go(turn)).sleep(turn)

    def _ring(self, alarm: Sleeper) -> None:
        line = self._line
        now, piece = line.popleft()
        if line:
            alarm.sleep(line[0][0])
        piece.go(now)


class Cost(NamedTuple):
    """What a job takes: alone, of that its last part, which can't begin before now, and as many tiles as `weight`."""

    whole: int
    last: int
    weight: int


_Entry = tuple[int, int, Job, Cost, int, int]
"""A job on a slicer: when it ends in the slicer's own time, a number, and what was asked for."""


class Slicer:
    """A port of `capacity` tiles whose time is sliced: jobs on it advance side by side, none faster than alone.

    A job takes as many tiles as it has weight; where there are too few, all are slowed alike. Progress is counted in a
    time of the port's own, in which each job lasts as long as it would alone. A job that will come to an idle port is
    reckoned with as soon as that is known, and put off should another come before it.
    """

    def __init__(self, clock: Clock, capacity: int) -> None:
        self._clock = clock
        self._capacity = capacity
        self._jobs: list[_Entry] = []
        self._weight = self._taken = self._own = self._since = self._idle = 0
        self._due: int | None = None
        self._alarm = Sleeper(clock, self._rung)

    def compute(self, job: Job, cost: Cost, since: int, at: int) -> None:
        """Work on a job from a picosecond on: on what was there `since` then, idle tiles have worked before."""
        if self._jobs:
            self._meet(job, cost, since, at)
            return
        left, last, weight = cost
        start = at << FINE
        begun = self._idle
        if since > begun:  # noqa: PLR1730 - max() takes three times as long, for each chunk
            begun = since
        left -= start - begun
        if last > left:  # noqa: PLR1730 - as above
            left = last
        self._own = 0
        self._since = start
        self._weight = weight
        self._jobs.append((left, 0, job, cost, since, at))
        if weight > self._capacity:
            left = -(-left * weight // self._capacity)
        self._arm(start + left)

    def _meet(self, job: Job, cost: Cost, since: int, at: int) -> None:
        now = self._clock.now
        if self._since > now << FINE:  # the one that is there has yet to come
            self._put_off(*self._jobs.pop()[2:])
            self.compute(job, cost, since, at)
        elif at > now:
            self._put_off(job, cost, since, at)
        else:
            start = at << FINE
            self._own += (start - self._since) * self._capacity // max(self._capacity, self._weight)
            self._since = start
            self._taken += 1
            self._weight += cost.weight
            heappush(self._jobs, (self._own + cost.whole, self._taken, job, cost, since, at))
            self._arm(self._next())

    def _put_off(self, job: Job, cost: Cost, since: int, at: int) -> None:
        Sleeper(self._clock, lambda _: self.compute(job, cost, since, at)).sleep(at)

    def _next(self) -> int:
        """When the first of its jobs will be done."""
        left = self._jobs[0][0] - self._own
        if self._weight > self._capacity:
            left = -(-left * self._weight // self._capacity)
        return self._since + left

    def _arm(self, due: int) -> None:
        if self._due is not None:  # the one that is set will ring for nobody
            self._alarm = Sleeper(self._clock, self._rung)
        self._due = due
        self._alarm.sleep((due + PART) >> FINE)

    def _rung(self, alarm: Sleeper) -> None:
        due = self._due
        if alarm is not self._alarm or due is None:
            return
        self._due = None
        jobs = self._jobs
        self._since = self._idle = due
        self._own, _, job, cost, _, _ = heappop(jobs)
        self._weight -= cost.weight
        if jobs:
            self._arm(self._next())
        job.worked((due + PART) >> FINE)
