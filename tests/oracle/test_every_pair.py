"""Every shipped workload on every shipped machine: balanced books, or a refusal that says why."""

import pytest

from archsim.config.diagnostics import InputError
from archsim.config.shipped import shipped
from archsim.model.result import Result
from archsim.study.files import HARDWARE_FOLDER, WORKLOAD_FOLDER
from archsim.study.running import run

WORKLOADS, MACHINES = (sorted(shipped(folder)) for folder in (WORKLOAD_FOLDER, HARDWARE_FOLDER))


SHORT = ("workload.output_tokens=2",)
SERVED = (*SHORT, "workload.batch=8", "workload.served.output_tokens=16")
"""Two steps of a server, in which one prompt is due, as in the steps that its file has."""


def possible(result: Result) -> bool:
    """Whether it costs joules, and no operator moves or computes more than its machine can."""
    rates = [(line.achieved, line.peak) for line in result.operators if line.peak is not None]
    return result.energy.value > 0 and all(achieved <= peak * (1 + 1e-9) for achieved, peak in rates)


def answered(workload: str, machine: str) -> bool:
    """Whether there is a possible result, or a refusal with a message and a position."""
    sets = SERVED if workload.endswith("-served") else SHORT if workload.endswith("-decode") else ()
    try:
        return possible(run(workload, machine, sets).result)
    except InputError as refused:
        return all(finding.message and finding.position for finding in refused.diagnostics)


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize("workload", WORKLOADS)
def test_a_pair_has_a_result_or_a_reason(workload: str, machine: str) -> None:
    assert answered(workload, machine)
