"""Writes docs/performance.md and its picture from a run: `make performance`."""

import cProfile
import platform
import pstats
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import NamedTuple

from archsim.engine.simulate import simulate
from archsim.model.run import Run
from archsim.model.taskgraph import TaskGraph
from archsim.study.garbage import collect_rarely
from benchmarks.growth import GROWTH, Series
from benchmarks.jobs import JOBS, THOUSAND, Job
from benchmarks.pairs import forget
from benchmarks.plot import log_log
from benchmarks.test_process import measured
from benchmarks.timing import milliseconds, timeout
from benchmarks.told import PAGE

ROUNDS = 5

HEAD = """# Performance

Written by `make performance`, from a run on one core of {cpu}, CPython {python}. Times are processor time, medians of
{rounds} rounds in a process that remembers nothing of the round before and collects garbage as rarely as the command
line does; the computer was busy with other work. It does a bare timeout of SimPy in {timeout:.2f} µs, the one that the
bars were set for in 0.47. Events are exact, and a test holds this page to them.

## Jobs

`map` is tracing and mapping, `simulate` the simulation; `timeouts` is the simulation in bare timeouts of SimPy, which
carries over to other computers. Bars and goals are for the simulation alone. `all layers` plays every kernel of every
layer; without, equal pieces are played once, and a kernel that meets nobody is one event. `tile` and `chunk` cut flows
into chunks of 64 KB, for four tiles that stand for all or for each of them.

| job | tasks | events | map, ms | simulate, ms | timeouts | bar, ms | goal, ms |
|---|---|---|---|---|---|---|---|
"""

GROWS = """
## How cost grows

Tracing, mapping and simulating. Equal layers, the context and the sequences of one kernel are free. What is played
event by event grows with its events, and tokens with what differs from one to the next.

![milliseconds against size, both logarithmic](performance.svg)

| what grows | where | size | events | ms |
|---|---|---|---|---|
"""

PROFILE = """
## A profile

Where 1000 tokens of 70B on an H100 spend their time: tracing, mapping and simulating, by own time of functions.

| function | calls | own time, % |
|---|---|---|
"""

PROCESS = """
## A process

`archsim run llama-3.1-8b-decode h100-sxm`, cold, of 32 tokens: {seconds:.2f} s of processor time, {ratio:.1f} times the
bare imports of SimPy, numpy, networkx, pydantic and PyYAML ({imports:.2f} s), and {megabytes:.0f} MB.

Measured once, by hand: a task graph of a million different tasks takes 1.5 GB, half of it the graph itself; booking
takes 2 to 4 % of a simulation in which every kernel is played.
"""


class Cost(NamedTuple):
    """Tasks and events of a program, milliseconds of mapping and of simulating it."""

    tasks: int
    events: int
    mapping: float
    simulating: float


def executions(graph: TaskGraph) -> int:
    """Executions of tasks in a program."""
    return sum(len(segment.tasks) * segment.times for segment in graph.segments)


def cost(job: Job) -> Cost:
    """What a job costs."""
    graph = job.graph()
    run = job.simulate(graph)
    mapping = milliseconds(job.graph, ROUNDS, forget) if job.mapped else 0.0
    return Cost(executions(graph), run.events, mapping, milliseconds(lambda: job.simulate(graph), ROUNDS, forget))


def job_lines(bare: float) -> Iterator[str]:
    for job in JOBS:
        found = cost(job)
        timeouts = round(found.simulating * 1e3 / bare)
        mapping = f"{found.mapping:.2f}" if job.mapped else ""
        limits = " | ".join("" if limit is None else f"{limit:,}" for limit in (job.bar, job.goal))
        yield (
            f"| {job.name} | {found.tasks:,} | {found.events:,} | {mapping} | {found.simulating:.2f} "
            f"| {timeouts:,} | {limits} |"
        )


class Point(NamedTuple):
    """One size of what grows."""

    series: Series
    size: int
    events: int
    milliseconds: float


def points() -> Iterator[Point]:
    for series in GROWTH:
        for size, program in series.programs.items():
            whole = partial(_simulated, series, program)
            yield Point(series, size, whole().events, milliseconds(whole, 3, forget))


def _simulated(series: Series, program: Callable[[], TaskGraph]) -> Run:
    return simulate(program(), repeats=series.repeats)


def profile_lines(most: int = 12) -> Iterator[str]:
    forget()
    profiler = cProfile.Profile()
    profiler.runcall(lambda: simulate(THOUSAND()))
    stats = pstats.Stats(profiler)
    total = stats.total_tt  # type: ignore[attr-defined]  # not in the stubs
    rows = sorted(stats.stats.items(), key=lambda item: -item[1][2])  # type: ignore[attr-defined]  # not in the stubs
    for (path, _, function), (_, calls, own, *_) in rows[:most]:
        yield f"| {_named(path, function)} | {calls:,} | {100 * own / total:.1f} |"


def _named(path: str, function: str) -> str:
    """A function as a reader finds it."""
    found = Path(path)
    if "archsim" in found.parts:
        return f"`{'/'.join(found.with_suffix('').parts[-2:])}` {function}"
    return f"{found.stem if '/' in path else 'built in'}: {function.partition(' object at')[0].strip('<>')}"


def cpu() -> str:
    """The processor by name."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.is_file() else []
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "a processor")


def page() -> tuple[str, str]:
    """The page and its picture."""
    bare = timeout()
    head = HEAD.format(cpu=cpu(), python=platform.python_version(), rounds=ROUNDS, timeout=bare)
    jobs = "\n".join(job_lines(bare))
    found = list(points())
    grows = "\n".join(
        f"| {point.series.name} | {point.series.what} | {point.size:,} | {point.events:,} | {point.milliseconds:.2f} |"
        for point in found
    )
    lines = {
        series.name: [(p.size, p.milliseconds) for p in found if p.series.name == series.name] for series in GROWTH
    }
    profile = "\n".join(profile_lines())
    cold, imports = (sorted(runs, key=lambda run: run.seconds)[len(runs) // 2] for runs in measured())
    process = PROCESS.format(
        seconds=cold.seconds,
        ratio=cold.seconds / imports.seconds,
        imports=imports.seconds,
        megabytes=max(run.megabytes for run in measured()[0]),
    )
    text = head + jobs + "\n" + GROWS + grows + "\n" + PROFILE + profile + "\n" + process
    return text, log_log(lines, "size", "milliseconds")


if __name__ == "__main__":
    collect_rarely()
    text, picture = page()
    PAGE.write_text(text, encoding="utf-8")
    PAGE.with_suffix(".svg").write_text(picture, encoding="utf-8")
    sys.stderr.write(text)
