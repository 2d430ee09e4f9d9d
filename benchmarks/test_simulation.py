"""How many events the simulations take, asserted exactly, and how long against a bare loop of SimPy's timeouts.

Counts move when the program of a mapper or the engine does: `make performance` then writes them anew. Fewer are better;
a change that needs more says why. Time is only held against a loop in the same process, with room for a busy computer.
"""

import subprocess
import sys
import time

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from archsim.engine.simulate import simulate
from archsim.engine.tally import Completions, busy, counts
from archsim.model.run import Run
from benchmarks.jobs import EIGHT, EXPLICIT, JOBS, LARGE, ONE, Job, mapped
from benchmarks.pairs import forget
from benchmarks.performance import executions
from benchmarks.timing import milliseconds, timeout
from benchmarks.told import rows

TIMEOUT = 0.47
"""Microseconds of a timeout on the computer for which the bars were set."""

ROOM = 2.0
"""By how much a busy computer may be slower than its own loop says."""


@pytest.fixture(params=JOBS, ids=[job.name for job in JOBS])
def job(request: pytest.FixtureRequest) -> Job:
    found: Job = request.param
    return found


@pytest.mark.benchmark(timer=time.process_time)
def test_a_job_takes_its_events_and_not_longer_than_its_bar(benchmark: BenchmarkFixture, job: Job) -> None:
    graph = job.graph()

    def afresh() -> Run:
        forget()
        return job.simulate(graph)

    (row,) = rows(job.name)
    assert row[1:3] == [str(executions(graph)), str(benchmark(afresh).events)]
    if job.bar is not None and benchmark.stats is not None:
        allowed = job.bar * ROOM * timeout() / TIMEOUT
        assert benchmark.stats.stats.median * 1e3 <= allowed


@pytest.mark.parametrize("job", [job for job in JOBS if job.mapped and job.repeats], ids=lambda job: job.name)
def test_tracing_and_mapping(benchmark: BenchmarkFixture, job: Job) -> None:
    assert benchmark(job.graph).segments


def test_explicit_devices_are_as_fast_as_folded_ones() -> None:
    folded = simulate(mapped("llama-3.1-70b-decode", "h100-sxm", ONE, *EIGHT)())
    apart = simulate(EXPLICIT())
    assert apart.picoseconds == folded.picoseconds
    assert sum(apart.counts.values()) == sum(folded.counts.values())


def test_booking_takes_a_tenth_of_a_simulation_at_most() -> None:
    graph = LARGE()
    done = Completions()
    for segment in graph.segments:
        for task in segment.tasks:
            done.add(task, segment.times)
    booking = min(milliseconds(lambda: (counts(done), busy(done)), 5) for _ in range(3))
    whole = min(milliseconds(lambda: simulate(graph, repeats=False), 3) for _ in range(3))
    assert booking <= 0.1 * whole


MANY = """
import resource
from archsim.engine.simulate import simulate
from archsim.model.taskgraph import TICKS, Flow, Leg, Port, Segment, Task, TaskGraph

def task(n):
    own = (1 + n) * TICKS
    leg = Leg("hbm", "read", "weights", n, n, 1)
    flow = Flow((leg,), own, ((Port("hbm", "io"), own),), 5, 2, n + 1, 4)
    return Task("op", "decode", (flow,), 1, ("s",), ("s",))

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

before = peak()
simulate(TaskGraph((Segment(tuple(map(task, range(50_000)))),)))
print((peak() - before) * 1024 / 50_000)
"""


def test_a_million_different_tasks_take_less_than_two_gigabytes() -> None:
    done = subprocess.run([sys.executable, "-c", MANY], capture_output=True, text=True, check=True)
    assert float(done.stdout) < 2000  # bytes per task, the graph itself and what is under way
