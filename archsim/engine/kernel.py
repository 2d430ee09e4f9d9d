"""The kernel: SimPy in integer picoseconds, with program order among the events of one instant.

SimPy breaks ties by priority, then by age. Every event here bears the rank of its task in program order as its
priority, so that what happens at one instant does not depend on when it was scheduled. Two priorities come after all
ranks: solving shares, then looking for repeats.
"""

from collections.abc import Callable, Sized
from typing import Final

import simpy
from simpy.core import EmptySchedule
from simpy.events import PENDING, EventPriority

from archsim.engine.errors import EventLimit

SOLVE: Final = EventPriority(1 << 60)
"""Priority of dividing shares: after all arrivals and departures of an instant."""

LOOK: Final = EventPriority(1 << 61)
"""Priority of looking for repeats: after all else at an instant."""


class Clock(simpy.Environment):
    """SimPy's environment in picoseconds; `skipped` is the time that passed by arithmetic instead of events."""

    def __init__(self) -> None:
        super().__init__(0)
        self.skipped = 0

    @property
    def now(self) -> int:
        return int(self._now)

    @property
    def total(self) -> int:
        """Picoseconds since the start, skipped ones included."""
        return self.now + self.skipped


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


def play(clock: Clock, unfinished: Sized, limit: int | None) -> int:
    """Process events until nothing is unfinished or nothing can happen; the number of events.

    Raises EventLimit where more than `limit` events were needed.
    """
    events = 0
    step = clock.step
    while unfinished:
        if events == limit:
            raise EventLimit(f"stopped after {events} events, at {clock.total} ps")
        try:
            step()
        except EmptySchedule:
            break
        events += 1
    return events
