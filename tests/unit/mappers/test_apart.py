"""Devices that are simulated each by itself: what adds up to the folded plan, who waits for whom, what is refused."""

from collections.abc import Callable
from fractions import Fraction
from statistics import fmean, pstdev
from typing import Any

import pytest

from archsim.engine.audit import audit
from archsim.engine.simulate import simulate
from archsim.mappers.apart import LEVELS, apart, durations
from archsim.mappers.temporal import Temporal, plan
from archsim.model.devices import Devices, device_times
from archsim.model.limits import operator_times
from archsim.model.machine import Machine
from archsim.model.plan import Plan, PlanError
from archsim.model.stack import Stack
from archsim.model.taskgraph import Task, TaskGraph
from archsim.model.trace import Block, Collective, Experts, Gemm, Operator, Resident, Tensor, Trace

Build = Callable[..., Machine]
Decode = Callable[..., Trace]

STACK = Stack.model_validate({"name": "s", "source": "test", "vector": {"launch": "2 us"}, "step": {"base": "1 us"}})


def planned(trace: Trace, machine: Machine, batch: int = 1, **settings: Any) -> Plan:
    return plan(trace, machine, Temporal.model_validate({"kind": "temporal"} | settings), STACK, batch)


def placed(trace: Trace, machine: Machine, seed: int = 0, batch: int = 1, **settings: Any) -> tuple[Plan, TaskGraph]:
    found = planned(trace, machine, batch, **settings)
    assert found.apart is not None
    return found, apart(found.graph, found.apart, seed)


def took(trace: Trace, machine: Machine, seed: int = 0, **settings: Any) -> int:
    return simulate(placed(trace, machine, seed, **settings)[1]).picoseconds


def test_equal_devices_are_folded_unless_asked_for(decoder: Decode, machine: Build) -> None:
    assert planned(decoder(), machine(devices=2)).apart is None
    assert planned(decoder(), machine(devices=2), explicit=False).apart is None


@pytest.mark.parametrize("fidelity", ["flow", "chunk"])
@pytest.mark.parametrize("fields", [{"output_tokens": 2}, {"prompt_cached": False, "prompt_tokens": 32}])
def test_equal_devices_take_the_time_and_count_as_folded_ones(
    decoder: Decode, machine: Build, fidelity: str, fields: dict[str, Any]
) -> None:
    trace = decoder(**fields)
    found, graph = placed(trace, machine(devices=4), explicit=True)
    one, each = (simulate(asked, fidelity=fidelity) for asked in (found.graph, graph))
    assert each.picoseconds == one.picoseconds
    assert each.counts == one.counts
    assert [(mark.what, mark.at) for mark in each.marks] == [(mark.what, mark.at) for mark in one.marks]


def test_each_device_has_its_ports_as_busy_as_those_of_a_folded_one(decoder: Decode, machine: Build) -> None:
    found, graph = placed(decoder(), machine(devices=4), explicit=True)
    one, each = simulate(found.graph).busy, simulate(graph).busy
    for port, ticks in one.items():
        own = [each[port._replace(name=f"{port.name} of device {n}")] for n in range(4)]
        assert own == [ticks] * 4


@pytest.mark.parametrize("count", [1, 3])
def test_all_wait_for_a_straggler_and_it_for_nobody(decoder: Decode, machine: Build, count: int) -> None:
    found, graph = placed(decoder(), machine(devices=4), stragglers={"count": count, "slowdown": 1.5})
    assert found.apart is not None
    times = device_times(graph, simulate(graph), found.apart)
    assert [item.waits for item in times[:count]] == [0] * count
    assert {item.waits for item in times[count:]} == {times[0].kernels - times[-1].kernels}


def test_a_straggler_takes_all_of_its_kernels_so_many_times_as_long(decoder: Decode, machine: Build) -> None:
    folded = planned(decoder(), machine(devices=4)).graph
    kernels, together = (
        sum(task.alone * times for task, times in folded.executions() if (task.device is None) is shared)
        for shared in (False, True)
    )
    rounded = sum(4 * times for _, times in folded.executions())
    found = took(decoder(), machine(devices=4), stragglers={"slowdown": 1.25})
    assert 0 <= found - together - kernels * Fraction(5, 4) <= rounded


def test_layers_of_stragglers_still_repeat(decoder: Decode, machine: Build) -> None:
    _, graph = placed(decoder(), machine(devices=4), stragglers={"slowdown": 1.5})
    skipping, full = simulate(graph), simulate(graph, repeats=False)
    assert skipping.picoseconds == full.picoseconds
    assert skipping.held == full.held


def test_a_slower_part_costs_what_is_waited_for_it(decoder: Decode, machine: Build) -> None:
    nominal = took(decoder(), machine(devices=4), explicit=True)
    memory, wire = (
        took(decoder(), machine(devices=4), stragglers={"slowdown": 2, "parts": [part]}) for part in ("hbm", "wire")
    )
    assert nominal == wire < memory < took(decoder(), machine(devices=4), stragglers={"slowdown": 2})


def test_what_is_moved_and_computed_does_not_depend_on_how_long_it_takes(decoder: Decode, machine: Build) -> None:
    built, trace = machine(devices=4), decoder()
    found, graph = placed(trace, built, stragglers={"slowdown": 1.5}, variation=0.1)
    each, one = (
        {key: count for key, count in run.counts.items() if key.action != "active"}
        for run in (simulate(graph), simulate(found.graph))
    )
    assert each == one
    assert audit(trace, found, built, simulate(graph)) == ()


def test_tiles_are_at_work_as_long_as_the_kernels_of_their_device(decoder: Decode, machine: Build) -> None:
    found, graph = placed(decoder(), machine(devices=4), stragglers={"slowdown": 1.5})
    each, one = (
        sum(count for key, count in simulate(asked).counts.items() if (key.action, key.operator) == ("active", "down"))
        for asked in (graph, found.graph)
    )
    assert each == pytest.approx(one * (1.5 + 3) / 4, rel=1e-6)


def test_durations_vary_by_the_seed_and_nothing_else(decoder: Decode, machine: Build) -> None:
    first, again, other = (took(decoder(), machine(devices=4), seed, variation=0.1) for seed in (1, 1, 2))
    assert first == again != other


def test_kernels_of_equal_layers_are_drawn_each_by_itself(decoder: Decode, machine: Build) -> None:
    _, graph = placed(decoder(), machine(devices=2), variation=0.1)
    drawn = [task.alone for segment in graph.segments for task in segment.tasks if task.operator == "gate_up"]
    assert len(set(drawn)) == len(drawn) == 4


@pytest.mark.parametrize("variation", [0.01, 0.1, 0.5])
def test_durations_have_the_mean_of_one_and_the_variation_asked_for(variation: float) -> None:
    levels = durations(variation)
    assert len(levels) == LEVELS
    assert min(levels) > 0
    assert fmean(map(float, levels)) == pytest.approx(1, abs=1e-6)
    assert pstdev(map(float, levels)) == pytest.approx(variation, rel=1e-4)


def test_a_variation_too_small_to_be_told_varies_nothing() -> None:
    assert set(durations(1e-300)) == {1}


def test_a_collective_starts_when_all_are_there_and_all_go_on_after_it(decoder: Decode, machine: Build) -> None:
    _, graph = placed(decoder(), machine(devices=2), explicit=True)
    found = {(task.operator, task.device): task for segment in graph.segments for task in segment.tasks}
    assert found["down_all_reduce", None].after == found["down_all_reduce", None].makes == ("stream 0", "stream 1")
    assert [found["down", n].after for n in range(2)] == [("stream 0",), ("stream 1",)]


@pytest.mark.parametrize(
    ("devices", "settings", "says", "at"),
    [
        (1, {"explicit": True}, "and there is one", "explicit"),
        (1, {"variation": 0.1}, "and there is one", "variation"),
        (1, {"stragglers": {"slowdown": 2}}, "and there is one", "stragglers"),
        (2, {"variation": 0.1, "explicit": False}, "`explicit: false` folds them", "variation"),
        (2, {"stragglers": {"slowdown": 2, "count": 3}}, "3 of 2 devices", "count"),
        (2, {"stragglers": {"slowdown": 2, "parts": ["hmb"]}}, "`hmb` is no component", "parts"),
        (2, {"explicit": True, "pipeline_parallel": 2}, "and not in stages", "pipeline_parallel"),
    ],
)
def test_what_cannot_be_told_apart_is_refused(
    decoder: Decode, machine: Build, devices: int, settings: dict[str, Any], says: str, at: str
) -> None:
    with pytest.raises(PlanError, match=says) as refused:
        planned(decoder(), machine(devices=devices), **settings)
    assert refused.value.where[-1] == at


def test_groups_of_devices_that_share_experts_are_refused(machine: Build) -> None:
    with pytest.raises(PlanError, match="groups of 2 devices would meet by themselves"):
        planned(drawn((1,) * 8), machine(devices=4), explicit=True, tensor_parallel=2, expert_parallel=2)


def test_collectives_of_some_devices_are_refused(machine: Build) -> None:
    joined = Operator("sum", (), (), shape=Collective("all_reduce", 1024, 2))
    trace = Trace((Block((joined,), "decode"),), (), 0, 0)
    with pytest.raises(PlanError, match="joins 2 of 4 devices"):
        planned(trace, machine(devices=4), explicit=True)


@pytest.mark.parametrize(("tensor", "expert"), [(4, 1), (1, 4)])
@pytest.mark.parametrize("loads", [(3, 1, 0, 0, 2, 2, 0, 1), (1,) * 8, (8, 0, 0, 0, 0, 0, 0, 0)])
def test_each_device_has_the_experts_that_were_drawn(
    machine: Build, tensor: int, expert: int, loads: tuple[int, ...]
) -> None:
    trace, built = drawn(loads), machine(devices=4)
    found, graph = placed(trace, built, batch=4, explicit=True, tensor_parallel=tensor, expert_parallel=expert)
    run = simulate(graph)
    assert audit(trace, found, built, run) == ()
    rows = {task.device: read_of(task) for segment in graph.segments for task in segment.tasks if task.operator == "up"}
    active = [sum(load > 0 for load in loads[n : n + 2]) for n in range(0, 8, 2)]
    assert rows == {n: count * EXPERT_BYTES for n, count in enumerate(active) if count}
    assert run.picoseconds >= simulate(found.graph).picoseconds


def test_devices_wait_for_the_one_with_most_experts(machine: Build) -> None:
    _, graph = placed(drawn((1, 1, 0, 0, 1, 0, 0, 0)), machine(devices=4), batch=4, explicit=True)
    run = simulate(graph)
    busy, idle, half, _ = device_times(graph, run, Devices(4))
    assert busy.waits == 0 < half.waits < idle.waits


@pytest.mark.parametrize(("tensor", "expert"), [(4, 1), (1, 4)])
def test_operators_move_at_their_roofline_what_all_devices_move(machine: Build, tensor: int, expert: int) -> None:
    built, degrees = machine(devices=4), {"tensor_parallel": tensor, "expert_parallel": expert}
    found, graph = placed(drawn((1,) * 8), built, batch=4, explicit=True, **degrees)
    one, each = (operator_times(asked, simulate(asked), built) for asked in (found.graph, graph))
    assert [item.bound_s for item in each] == pytest.approx([item.bound_s for item in one])
    assert [item.achieved for item in each] == pytest.approx([item.achieved for item in one])


def test_an_operator_of_which_the_first_device_does_nothing_has_a_rate(machine: Build) -> None:
    built = machine(devices=4)
    _, graph = placed(drawn((0, 0, 1, 1, 1, 1, 1, 1)), built, batch=4, explicit=True)
    up = next(item for item in operator_times(graph, simulate(graph), built) if item.operator == "up")
    assert up.bound_s > 0
    assert up.limiter != "nothing"


def test_sequences_that_do_not_divide_leave_devices_idle(machine: Build) -> None:
    trace, built = drawn((1,) * 8, batch=3), machine(devices=4)
    found, graph = placed(trace, built, batch=3, explicit=True, expert_parallel=4)
    assert audit(trace, found, built, simulate(graph)) == ()
    dense = {task.device for segment in graph.segments for task in segment.tasks if task.operator == "dense"}
    assert dense == {0, 1, 2}


EXPERT_BYTES = 64 * 64 * 2


def drawn(loads: tuple[int, ...], batch: int = 4) -> Trace:
    """A product of all sequences, and one of experts between the devices."""
    active, rows = sum(load > 0 for load in loads), sum(loads)

    def vectors(name: str, count: int) -> Tensor:
        return Tensor(name, "activations", count * 64, "bf16", count * 128)

    def weights(name: str, count: int) -> Tensor:
        return Tensor(name, "weights", count * 4096, "bf16", count * EXPERT_BYTES)

    dense = Operator(
        "dense",
        (vectors("x", batch), weights("w", 1)),
        (vectors("y", batch),),
        macs=batch * 4096,
        shape=Gemm(batch, 64, 64),
        shards="columns",
    )
    up = Operator(
        "up",
        (vectors("y", rows), weights("e", active)),
        (vectors("z", rows),),
        macs=rows * 4096,
        shape=Experts(loads, 64, 64),
        shards="experts",
    )
    combine = Operator("combine", (vectors("z", rows),), (vectors("out", batch),), vector_ops=rows * 64)
    residents = (Resident("weights", 9 * EXPERT_BYTES),)
    return Trace((Block((dense, up, combine), "decode", 1, "token"),), residents, 9 * 4096, experts=8)


def read_of(task: Task) -> int:
    """Bytes of weights that a kernel reads of its HBM."""
    legs = (leg for flow in task.flows for leg in flow.legs)
    return sum(leg.bill for leg in legs if (leg.component, leg.action, leg.tensor) == ("hbm", "read", "weights"))
