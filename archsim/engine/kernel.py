"""The kernel: SimPy in integer picoseconds, with program order among the events of one instant.

SimPy breaks ties by priority, then by age. Every event here bears the rank of its task in program order as its
priority, so that what happens at one instant does not depend on when it was scheduled. Two priorities come after all
ranks: solving shares, then looking for repeats.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sized
from heapq import heappop, heappush
from typing import Any, Final, cast

import simpy
from simpy.events import PENDING, EventPriority

from archsim.engine.errors import EventLimit

FIRST: Final = EventPriority(-1)
"""Priority of those that sleep, and theirs alone: before all else at an instant."""

SOLVE: Final = EventPriority(1 << 60)
"""Priority of dividing shares: after all arrivals and departures of an instant."""

LOOK: Final = EventPriority(1 << 61)
"""Priority of looking for repeats: after all else at an instant."""


class Clock(simpy.Environment):
    """SimPy's environment in picoseconds; `skipped` is the time that passed by arithmetic instead of events."""

    _now: int

    def __init__(self) -> None:
        super().__init__(0)
        self.skipped = 0

    @property
    def now(self) -> int:
        return self._now

    def agenda(self) -> tuple[list[Any], Iterator[int]]:
        """The heap of what is going to happen, and what numbers it."""
        return self._queue, self._eid

    @property
    def total(self) -> int:
        """Picoseconds since the start, skipped ones included."""
        return self._now + self.skipped

    def play(self, unfinished: Sized, limit: int) -> int:
        """Process events until nothing is unfinished or nothing can happen; the number of events.

        It is `step` again and again, written out: a fifth of the time of an event went into calling it.

        Raises EventLimit where more than `limit` events were needed.
        """
        agenda, _ = self.agenda()
        for events in range(limit):
            if not unfinished or not agenda:
                return events
            now, rank, _, event = heappop(agenda)
            self._now = now
            if rank < 0:  # only those that sleep have such a rank; a call of the attribute itself would be slower
                call = event.call
                call(now)
                continue
            callbacks, event.callbacks = event.callbacks, None  # as SimPy does
            for callback in callbacks:
                callback(event)
            if not event._ok:  # noqa: SLF001 - a property takes as long as half of what happens at an event
                raise cast("BaseException", event.value)
        if unfinished and agenda:
            raise EventLimit(f"stopped after {limit} events, at {self.total} ps")
        return limit


class Sleeper(simpy.Event):
    """An event that happens again and again, whenever it is set, and calls one and the same, with the picosecond.

    Its like are most of what happens at `chunk`: they cost half of what new events do.
    """

    def __init__(self, clock: Clock, call: Callable[[int], None]) -> None:
        self.env = clock
        self.call = call
        self._agenda, self._ids = clock.agenda()

    def sleep(self, until: int) -> None:
        """Happen at a picosecond, before all else in it."""
        heappush(self._agenda, (until, FIRST, next(self._ids), self))

    def void(self) -> None:
        """Happen for nobody."""
        self.call = _nothing


def _nothing(_: int) -> None:
    pass


class Timer(simpy.Event):
    """An event after a delay, ordered by rank among those of its instant."""

    def __init__(self, clock: Clock, delay: int, rank: EventPriority, call: Callable[[simpy.Event], None]) -> None:
        self.env = clock
        self.callbacks = [call]
        self._value = None
        self._ok = True
        clock.schedule(self, rank, delay)


class Bell(simpy.Event):
    """An event that happens once, at the end of the instant in which it is first rung."""

    def ring(self) -> None:
        if self._value is PENDING:
            self._ok = True
            self._value = None
            self.env.schedule(self, SOLVE)
