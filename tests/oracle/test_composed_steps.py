"""Decode steps of Llama 3.1 on three GPUs, against steps composed of measured kernels.

Those are no end-to-end measurements: measured GEMM, attention and all-reduce kernels, added up with empirical memory
operators. The bounds record what the shipped machines and stacks reach.
"""

import csv
from functools import cache
from pathlib import Path
from statistics import median
from typing import NamedTuple

import pytest

from archsim.model.result import Result
from archsim.study.running import run

DATA = Path(__file__).parent / "data" / "composed_decode_steps.csv"
BF16 = "workload.dtypes={weights: bf16, kv: bf16, activations: bf16}"
NOT_COMPOSED = {"h200-sxm": "kv_append"}
"""H200's table of attention does not time what writes the cache, so its steps have no such kernel (decision 155)."""

STACK = {"a100-sxm-80gb": "cuda-graph-ampere", "h100-sxm": "cuda-graph-hopper", "h200-sxm": "cuda-graph-hopper-0.22"}
MEDIAN_BOUND = {"a100-sxm-80gb": 0.03, "h100-sxm": 0.027, "h200-sxm": 0.017}
WORST_BOUND = {"a100-sxm-80gb": 0.087, "h100-sxm": 0.097, "h200-sxm": 0.052}


class Step(NamedTuple):
    """One row of the table."""

    model: str
    hardware: str
    devices: int
    batch: int
    context: int
    milliseconds: float


def steps() -> list[Step]:
    with DATA.open(encoding="utf-8") as file:
        rows = csv.DictReader(line for line in file if not line.startswith("#"))
        return [
            Step(
                row["model"],
                row["hardware"],
                int(row["devices"]),
                int(row["batch"]),
                int(row["context"]),
                float(row["step_ms"]),
            )
            for row in rows
        ]


STEPS = steps()


@cache
def simulated(step: Step) -> Result:
    sets = (
        f"workload.batch={step.batch}",
        f"workload.prompt_tokens={step.context}",
        "workload.output_tokens=1",
        BF16,
        f"workload.without=[{NOT_COMPOSED.get(step.hardware, '')}]",
        f"hardware.stack={STACK[step.hardware]}",
        f"hardware.devices={step.devices}",
        f"hardware.mapper.tensor_parallel={step.devices}",
    )
    return run(step.model, step.hardware, sets).result


def error(step: Step) -> float:
    tpot = simulated(step).latency.tpot_s
    assert tpot is not None
    return tpot * 1e3 / step.milliseconds - 1


def selected(hardware: str, batch: int) -> Step:
    wanted = ("llama-3.1-8b-decode", hardware, 1, batch, 2048)
    return next(step for step in STEPS if step[:5] == wanted)


@pytest.mark.parametrize("batch", [1, 32])
@pytest.mark.parametrize("hardware", MEDIAN_BOUND)
def test_a_step_of_8b_on_one_device_is_within_15_percent(hardware: str, batch: int) -> None:
    assert abs(error(selected(hardware, batch))) < 0.15


@pytest.mark.parametrize("hardware", MEDIAN_BOUND)
def test_all_steps_of_a_device_stay_as_close_as_they_are(hardware: str) -> None:
    errors = {step: abs(error(step)) for step in STEPS if step.hardware == hardware}
    assert len(errors) == 16
    assert median(errors.values()) < MEDIAN_BOUND[hardware]
    assert max(errors.values()) < WORST_BOUND[hardware], max(errors, key=lambda step: errors[step])


def test_a_step_of_8b_reads_15_gigabytes_of_weights_and_a_quarter_of_kv() -> None:
    rows = [entry.row for entry in simulated(selected("h100-sxm", 1)).entries]
    read = {
        tensor: sum(row.count for row in rows if (row.component, row.action, row.tensor) == ("hbm", "read", tensor))
        for tensor in ("weights", "kv")
    }
    matrices = 32 * (2 * 4096**2 + 2 * 4096 * 1024 + 3 * 4096 * 14336) + 128_256 * 4096
    norms, row_of_the_table = (2 * 32 + 1) * 4096, 4096
    assert read["weights"] == 2 * (matrices + norms + row_of_the_table)
    assert read["weights"] == pytest.approx(15.0e9, rel=1e-3)
    assert read["kv"] == 32 * 2 * 8 * 128 * 2 * 2049
    assert read["kv"] == pytest.approx(0.27e9, rel=0.01)


def test_no_step_beats_the_memory() -> None:
    tpot = simulated(selected("h100-sxm", 1)).latency.tpot_s
    assert tpot is not None
    assert tpot > (15.01e9 + 0.2686e9) / 3.35e12 > 4.56e-3
