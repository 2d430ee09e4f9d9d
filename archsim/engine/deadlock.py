"""What a deadlock is about: who waits for whom, and for which credits."""

from collections import defaultdict
from collections.abc import Collection

from archsim.engine.credits import Credits
from archsim.engine.live import LiveTask

_NAMED = 12
"""Reasons that the message names before it only counts."""


def complaint(tasks: Collection[LiveTask], pool: Credits) -> str:
    """One line on live tasks, none of which can start: each waits for other tasks or, if for none, for credits."""
    makers: defaultdict[int, list[str]] = defaultdict(list)
    for task in tasks:
        for waiter in task.waiters:
            makers[waiter.rank].append(task.name)
    waits = [
        f"{task.name} waits for {what}"
        for task in tasks
        for what in makers[task.rank] or [f"{amount} of buffer {name}" for name, amount in pool.missing(task)]
    ]
    more = [f"and {len(waits) - _NAMED} more"] if len(waits) > _NAMED else []
    return "deadlock: " + "; ".join(waits[:_NAMED] + more)
