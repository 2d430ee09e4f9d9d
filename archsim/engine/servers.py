"""Servers: a port of one instance each, that pieces pass one after the other, or that computations are sliced between.

A server sleeps on one event of its own. Times are integers in 2**-20 picoseconds, so that a busy server loses nothing
between pieces; events happen at whole picoseconds.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from functools import partial
from heapq import heappop, heappush
from typing import Final, Protocol

from archsim.engine.kernel import FIRST, Clock, Sleeper

FINE: Final = 20
"""Binary digits below the picosecond."""

PART: Final = (1 << FINE) - 1


class Piece(Protocol):
    """What stands in lines until its `turn`."""

    turn: int

    def go(self, now: int) -> None:
        """Go on from here, at a picosecond."""


class Job(Protocol):
    """What tiles compute."""

    def worked(self, due: int) -> None:
        """Be told that it is computed, at a picosecond."""


class Queue:
    """A port that serves pieces in the order of their arrival, so that flows share it by what they have outstanding.

    It is `free` when it has served all that has come. A piece that finds it busy waits for its turn. Its alarm is set
    for nearly each of them, so that the steps of `Sleeper.sleep` are written out here.
    """

    __slots__ = ("_agenda", "_alarm", "_clock", "_ids", "_line", "free")

    def __init__(self, clock: Clock) -> None:
        self.free = 0
        self._clock = clock
        self._line: deque[Piece] = deque()
        self._alarm = Sleeper(clock, self._ring)
        self._agenda, self._ids = clock.agenda()

    def wait(self, piece: Piece, turn: int) -> None:
        """Let a piece go on at a picosecond."""
        piece.turn = turn
        line = self._line
        if not line:
            heappush(self._agenda, (turn, FIRST, next(self._ids), self._alarm))
        elif turn < line[-1].turn:  # it has a shorter latency than those before it, and lets them be
            Sleeper(self._clock, piece.go).sleep(turn)
            return
        line.append(piece)

    def _ring(self, now: int) -> None:
        line = self._line
        piece = line.popleft()
        if line:
            heappush(self._agenda, (line[0].turn, FIRST, next(self._ids), self._alarm))
        piece.go(now)


@dataclass(frozen=True, slots=True)
class Cost:
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

    __slots__ = ("_alarm", "_capacity", "_clock", "_due", "_idle", "_jobs", "_own", "_since", "_taken")

    def __init__(self, clock: Clock, capacity: int) -> None:
        self._clock = clock
        self._capacity = capacity
        self._jobs: list[_Entry] = []
        self._taken = self._own = self._since = self._idle = self._due = 0
        self._alarm = Sleeper(clock, self._ring)

    def compute(self, job: Job, cost: Cost, since: int, at: int) -> None:
        """Work on a job from a picosecond on: on what was there `since` then, idle tiles have worked before."""
        if self._jobs:
            self._meet(job, cost, since, at)
            return
        start, idle, last, weight = at << FINE, self._idle, cost.last, cost.weight
        left = cost.whole - start + (since if since > idle else idle)  # noqa: FURB136 - as below
        if last > left:  # noqa: PLR1730 - max() takes three times as long, for each chunk
            left = last
        self._own = 0
        self._since = start
        self._jobs.append((left, 0, job, cost, since, at))
        if weight > self._capacity:
            left = -(-left * weight // self._capacity)
        self._due = due = start + left
        self._alarm.sleep((due + PART) >> FINE)

    def _meet(self, job: Job, cost: Cost, since: int, at: int) -> None:
        now = self._clock.now
        if self._since > now << FINE:  # the one that is there has yet to come
            self._rely()
            self._put_off(*self._jobs.pop()[2:])
            self.compute(job, cost, since, at)
        elif at > now:
            self._put_off(job, cost, since, at)
        else:
            start = at << FINE
            self._own += (start - self._since) * self._capacity // max(self._capacity, self._weight())
            self._since = start
            self._taken += 1
            heappush(self._jobs, (self._own + cost.whole, self._taken, job, cost, since, at))
            self._rely()
            self._arm()

    def _put_off(self, job: Job, cost: Cost, since: int, at: int) -> None:
        Sleeper(self._clock, partial(self.compute, job, cost, since)).sleep(at)

    def _rely(self) -> None:
        """Rely no more on when the first of its jobs was to be done."""
        self._alarm.void()
        self._alarm = Sleeper(self._clock, self._ring)

    def _arm(self) -> None:
        """Ring when the first of its jobs will be done."""
        left, weight = self._jobs[0][0] - self._own, self._weight()
        if weight > self._capacity:
            left = -(-left * weight // self._capacity)
        self._due = due = self._since + left
        self._alarm.sleep((due + PART) >> FINE)

    def _weight(self) -> int:
        """The tiles that its jobs would like to have."""
        return sum(cost.weight for _, _, _, cost, _, _ in self._jobs)

    def _ring(self, now: int) -> None:
        jobs = self._jobs
        self._idle = due = self._due
        self._own, _, job, _, _, _ = heappop(jobs)
        if jobs:
            self._since = due
            self._arm()
        job.worked(now)
