"""Processor time, and a bare SimPy loop in the same process that it is held against."""

import time
from collections.abc import Callable, Generator
from statistics import median

import simpy

TIMEOUTS = 20_000


def milliseconds(call: Callable[[], object], rounds: int, before: Callable[[], object] = lambda: None) -> float:
    """Processor time: the median of some rounds, `before` each of which something is prepared."""
    found = []
    for _ in range(rounds):
        before()
        start = time.process_time()
        call()
        found.append(time.process_time() - start)
    return median(found) * 1e3


def timeout() -> float:
    """Microseconds of a bare timeout of SimPy, in the best of some loops: what this computer does with an event."""

    def loop(env: simpy.Environment) -> Generator[simpy.Event, None, None]:
        for _ in range(TIMEOUTS):
            yield env.timeout(1)

    def once() -> float:
        env = simpy.Environment()
        env.process(loop(env))
        start = time.process_time()
        env.run()
        return time.process_time() - start

    return min(once() for _ in range(20)) / TIMEOUTS * 1e6
