"""How many events a program will take, seen before it starts."""

from collections.abc import Iterable

from archsim.engine.errors import EventLimit
from archsim.engine.live import Loop

MOST_EVENTS = 10**9
"""Events that nobody waits for: half an hour of them, at the best."""

_OF_A_FLOW = 3
"""Events of a flow: the end of its fill, of its share of the ports, and of its drain."""


def expected(loops: Iterable[Loop]) -> int:
    """Events of all iterations, if none is skipped; a row of tasks is one."""
    return sum(
        loop.times * sum(1 if place.parts else _OF_A_FLOW * len(place.flows) for place in loop.places) for loop in loops
    )


def check_length(loops: Iterable[Loop]) -> None:
    """Raise EventLimit for a program that will not end in the time that anybody has."""
    events = expected(loops)
    if events > MOST_EVENTS:
        raise EventLimit(f"refused: about {events:,} events would be needed, and {MOST_EVENTS:,} are the bound")
