"""Servers: a port of one instance each, that pieces pass one after the other, or that computations are sliced between.

A server sleeps on one event of its own. Times are integers in 2**-20 picoseconds, so that a busy server loses nothing
between pieces; events happen at whole picoseconds.
"""

from __future__ import annotations

from collections import deque
from heapq import heappop, heappush
from typing import Final, NamedTuple, Protocol

from archsim.engine.kernel import FIRST, Clock, Sleeper

FINE: Final = 20
"""Binary digits below the picosecond."""

PART: Final = (1 << FINE) - 1


class Piece(Protocol):
    """What stands in lines."""

    def go(self, now: int) -> None:
        """Go on from here, at a picosecond."""


class Job(Protocol):
    """What tiles compute."""

    def worked(self, head: int, now: int) -> None:
        """Be told that it is computed, at a picosecond."""


class Queue(Sleeper):
    """A port that serves pieces in the order of their arrival, so that flows share it by what they have outstanding.

    It is `free` when it has served all that has come. A piece that finds it busy waits for its turn.
    """

    def __init__(self, clock: Clock) -> None:
        super().__init__(clock, self._ring)
        self.free = 0
        self._line: deque[tuple[int, Piece]] = deque()

    def wait(self, piece: Piece, turn: int) -> None:
        """Let a piece go on at a picosecond, later than all that wait."""
        if not self._line:
            self.sleep(turn)
        self._line.append((turn, piece))

    def _ring(self, _: Sleeper) -> None:
        line = self._line
        now, piece = line.popleft()
        if line:  # as `sleep`, which most of the events of a run would call from here
            self.callbacks = self._calls
            heappush(self._agenda, (line[0][0], FIRST, next(self._ids), self))
        piece.go(now)


class Wire(Queue):
    """A delay, the same for all pieces, however many are on their way."""

    def __init__(self, clock: Clock, delay: int) -> None:
        super().__init__(clock)
        self.delay = delay


class Cost(NamedTuple):
    """What a job takes: alone, of that its last part, which can't begin before now, and as many tiles as `weight`."""

    whole: int
    last: int
    weight: int


class _Alarm(Sleeper):
    """What a slicer sleeps on: until when, and whether it does."""

    due = 0
    asleep = False


class Slicer:
    """A port of `capacity` tiles whose time is sliced: jobs on it advance side by side, none faster than alone.

    A job takes as many tiles as it has weight; where there are too few, all are slowed alike. Progress is counted in a
    time of the port's own, in which each job lasts as long as it would alone.
    """

    def __init__(self, clock: Clock, capacity: int) -> None:
        self._clock = clock
        self._capacity = capacity
        self._jobs: list[tuple[int, int, Job, int]] = []
        self._weight = self._taken = self._own = self._since = 0
        self._alarm = _Alarm(clock, self._rung)

    def compute(self, job: Job, cost: Cost, since: int, now: int) -> None:
        """Work on a job from now on; on what was there `since` then, it was at work before if nothing else was."""
        at = now << FINE
        whole, last, weight = cost
        if self._jobs:
            self._own += (at - self._since) * self._capacity // max(self._capacity, self._weight)
        else:
            self._own = 0
            begun = self._since
            if since > begun:  # noqa: PLR1730 - max() takes three times as long, for each chunk
                begun = since
            left = whole - at + begun
            whole = max(last, left)
        self._since = at
        self._taken += 1
        self._weight += weight
        heappush(self._jobs, (self._own + whole, self._taken, job, weight))
        self._arm()

    def _arm(self) -> None:
        left = self._jobs[0][0] - self._own
        if self._weight > self._capacity:
            left = -(-left * self._weight // self._capacity)
        alarm = self._alarm
        if alarm.asleep:  # it will ring for nobody
            alarm = self._alarm = _Alarm(self._clock, self._rung)
        alarm.asleep = True
        alarm.due = due = self._since + left
        alarm.sleep((due + PART) >> FINE)

    def _rung(self, alarm: _Alarm) -> None:
        if alarm is not self._alarm:
            return
        alarm.asleep = False
        jobs = self._jobs
        self._since = alarm.due
        own, _, job, weight = heappop(jobs)
        self._own = own
        self._weight -= weight
        now = (alarm.due + PART) >> FINE
        if jobs:
            self._arm()
        job.worked(now, now)
