"""How many events a simulation takes, asserted exactly, and how long, shown by `make bench`.

Counts move when the program of a mapper or the engine does. Fewer are better; a change that needs more says why.
"""

from typing import NamedTuple

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from archsim.engine.simulate import simulate
from archsim.model.plan import Plan
from archsim.study.checking import Hardware, Job
from archsim.study.playing import How
from archsim.study.running import run, simulated


class Case(NamedTuple):
    """A workload of 32 tokens on a machine, and the events that it takes."""

    workload: str
    hardware: str
    sets: tuple[str, ...]
    events: int


CASES = {
    "8b on H100": Case("llama-3.1-8b-decode", "h100-sxm", (), 163),
    "70b on H100": Case("llama-3.1-70b-decode", "h100-sxm", (), 163),
    "8b on 8 H100": Case(
        "llama-3.1-8b-decode", "h100-sxm", ("hardware.devices=8", "hardware.mapper.tensor_parallel=8"), 137
    ),
}


@pytest.fixture(params=CASES)
def case(request: pytest.FixtureRequest) -> Case:
    """One of the pairs."""
    return CASES[request.param]


def checked(case: Case) -> tuple[Job, Hardware, Plan]:
    finished = run(case.workload, case.hardware, case.sets)
    return finished.job, finished.target, finished.result.plan


def test_events_of_a_simulation(benchmark: BenchmarkFixture, case: Case) -> None:
    _, _, plan = checked(case)
    assert benchmark(simulate, plan.graph).events == case.events


def test_the_corridor_from_checked_files_to_a_result(benchmark: BenchmarkFixture, case: Case) -> None:
    job, target, _ = checked(case)
    assert benchmark(simulated, job, target, How(), "").run.events == case.events


def test_reading_and_checking_the_files_as_well(benchmark: BenchmarkFixture, case: Case) -> None:
    assert benchmark(run, case.workload, case.hardware, case.sets).result.run.events == case.events
