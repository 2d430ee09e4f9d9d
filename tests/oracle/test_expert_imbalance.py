"""Experts on eight devices: routing is drawn, so the busiest device sets the time of a layer, not the mean load.

The formula knows the loads that were drawn and nothing else: bytes of the active experts over the sustained bandwidth.
"""

from fractions import Fraction
from pathlib import Path

import pytest

from archsim.model.devices import device_times
from archsim.model.trace import Experts, Operator
from archsim.study.running import Finished, run

DEVICES, EXPERTS, DENSE, LAYERS = 8, 256, 3, 61
OPERATORS = ("experts_gate_up", "experts_down")
FILL = 680_000  # picoseconds of an empty route from HBM to a tile, which each kernel waits for


def token(batch: int, *sets: str) -> Finished:
    """One token of DeepSeek-V3 on eight H200, experts and sequences spread over them, no software overhead."""
    fixed = ["hardware.stack=ideal", "hardware.mapper.expert_parallel=8", "hardware.mapper.tensor_parallel=1"]
    return run("deepseek-v3-decode", "dgx-h200", [f"workload.batch={batch}", "workload.output_tokens=1", *fixed, *sets])


def drawn(finished: Finished) -> list[tuple[Operator, list[int]]]:
    """Each product of experts with the active experts of each device."""
    found = []
    for operator, _, times in finished.job.family.trace(finished.job.workload).executions():
        if isinstance(operator.shape, Experts):
            assert times == 1  # each layer draws for itself
            loads, each = operator.shape.loads, EXPERTS // DEVICES
            active = [sum(n > 0 for n in loads[first : first + each]) for first in range(0, EXPERTS, each)]
            found.append((operator, active))
    return found


def formula(finished: Finished, *, mean: bool = False) -> float:
    """Picoseconds of all products of experts, by the busiest device or by the mean over devices."""
    machine = finished.result.machine
    rate = (machine.actions["hbm"]["read"].rate or 0) * machine.components["hbm"].count
    total = Fraction(0)
    for operator, active in drawn(finished):
        weights = sum(tensor.bytes for tensor in operator.reads if tensor.role == "weights")
        share = Fraction(sum(active), DEVICES) if mean else Fraction(max(active))
        total += weights / Fraction(sum(active)) * share / rate
    return float(total * 10**12)


def simulated(finished: Finished) -> int:
    """Picoseconds that the products of experts held, less what each kernel waits for its first byte."""
    held = sum(time for span, time in finished.result.run.held.items() if span.operator in OPERATORS)
    return held - FILL * len(drawn(finished))


@pytest.mark.parametrize("routing", ["{kind: uniform}", "{kind: power_law, exponent: 1.0}"])
@pytest.mark.parametrize("batch", [1, 8, 32, 128])
def test_drawn_routing_is_slower_than_the_mean_by_what_the_busiest_device_has(batch: int, routing: str) -> None:
    finished = token(batch, f"workload.routing={routing}")
    slower, predicted = (time / formula(finished, mean=True) for time in (simulated(finished), formula(finished)))
    assert slower == pytest.approx(predicted, rel=0.02)
    assert predicted > (1.1 if batch < 128 else 1.0)


def test_what_follows_an_expert_has_the_rows_of_its_own_layer() -> None:
    finished = token(8)
    rows = [operator.shape.loads for operator, _ in drawn(finished) if isinstance(operator.shape, Experts)][::2]
    each = EXPERTS // DEVICES
    groups = [[loads[first : first + each] for first in range(0, EXPERTS, each)] for loads in rows]
    fullest = [max(one, key=lambda part: (sum(n > 0 for n in part), sum(part))) for one in groups]
    tasks = [task for segment in finished.result.plan.graph.segments for task in segment.tasks]
    activations = [task for task in tasks if task.operator == "experts_activation"]
    work = [leg.critical for task in activations for leg in task.flows[0].legs if leg.action == "vector"]
    busiest = [sum(part) for part in fullest]
    assert len(set(busiest)) > 1
    assert [work[index] > work[0] for index in range(len(work))] == [count > busiest[0] for count in busiest]


def test_with_equal_loads_the_mean_is_exact(tmp_path: Path) -> None:
    loads = tmp_path / "equal.csv"  # 32 sequences x top 8 are one row for each of 256 experts
    rows = [f"{layer},{expert},1" for layer in range(DENSE, LAYERS) for expert in range(EXPERTS)]
    loads.write_text("\n".join(["layer,expert,load", *rows]))
    finished = token(32, f"workload.routing={{kind: trace, file: {loads}}}")
    assert simulated(finished) == pytest.approx(formula(finished, mean=True), rel=1e-4)


def test_bytes_of_active_experts_are_exact() -> None:
    finished = token(8)
    matrix = 7168 * 2048  # bytes of one of the three of an expert, in fp8
    read = dict.fromkeys(OPERATORS, 0)
    for key, count in finished.result.run.counts.items():
        if key.operator in read and (key.component, key.action, key.tensor) == ("hbm", "read", "weights"):
            read[key.operator] += count
    active = sum(sum(each) for operator, each in drawn(finished) if operator.name == "experts_down")
    assert read["experts_down"] == active * matrix
    assert sum(read.values()) == active * 3 * matrix


def test_64_tokens_touch_87_percent_of_the_experts_of_a_layer() -> None:
    finished = token(64)
    shares = [sum(active) / EXPERTS for operator, active in drawn(finished) if operator.name == "experts_down"]
    assert sum(shares) / len(shares) == pytest.approx(1 - (1 - 8 / 256) ** 64, abs=0.005)


@pytest.mark.parametrize("batch", [8, 32, 128])
def test_each_device_waits_for_the_experts_that_the_busiest_has_beyond_its_own(batch: int) -> None:
    finished = token(batch, "hardware.mapper.explicit=true")
    result = finished.result
    assert result.plan.apart is not None
    rate = (result.machine.actions["hbm"]["read"].rate or 0) * result.machine.components["hbm"].count
    missing = [Fraction(0)] * DEVICES
    for operator, active in drawn(finished):
        weights = sum(tensor.bytes for tensor in operator.reads if tensor.role == "weights")
        for device, experts in enumerate(active):
            missing[device] += Fraction(weights * (max(active) - experts), sum(active)) / rate * 10**12
    waits = [item.waits for item in device_times(result.plan.graph, result.run, result.plan.apart)]
    assert waits == pytest.approx([float(time) for time in missing], rel=0.03)


@pytest.mark.parametrize("batch", [8, 128])
def test_devices_by_themselves_take_the_time_of_the_busiest_and_move_as_much(batch: int) -> None:
    one, each = (token(batch, f"hardware.mapper.explicit={told}").result for told in ("false", "true"))
    assert 1 <= each.run.picoseconds / one.run.picoseconds < 1.001
    assert each.traffic["hbm"] == pytest.approx(one.traffic["hbm"], rel=1e-3)
