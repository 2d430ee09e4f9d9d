"""The plan of a GPU-like machine: tasks in a stream, bytes by where tensors live, declarations to the audit."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from archsim.mappers.temporal import Temporal, plan
from archsim.model.machine import Machine
from archsim.model.plan import Plan, PlanError
from archsim.model.stack import Stack
from archsim.model.taskgraph import Task
from archsim.model.trace import Block, Experts, Operator, Tensor, Trace

Build = Callable[..., Machine]
Decode = Callable[..., Trace]


def planned(trace: Trace, machine: Machine, stack: Mapping[str, Any] | None = None, **settings: Any) -> Plan:
    software = Stack.model_validate({"name": "s", "source": "test"} | dict(stack or {}))
    return plan(trace, machine, Temporal.model_validate({"kind": "temporal"} | settings), software, 1)


def tasks(plan: Plan) -> dict[str, Task]:
    return {task.operator: task for segment in plan.graph.segments for task in segment.tasks}


def billed(task: Task, component: str, action: str) -> int:
    legs = [leg for flow in task.flows for leg in flow.legs]
    return sum(leg.bill for leg in legs if (leg.component, leg.action) == (component, action))


def test_kernels_run_one_after_the_other(decoder: Decode, machine: Build) -> None:
    found = tasks(planned(decoder(), machine())).values()
    assert {task.after for task in found} == {task.makes for task in found} == {("stream",)}


def test_equal_layers_stand_once(decoder: Decode, machine: Build) -> None:
    graph = planned(decoder(output_tokens=3), machine()).graph
    assert [segment.times for segment in graph.segments] == [1, 1, 1, 1] * 3
    assert [segment.closes for segment in graph.segments if segment.closes] == ["token"] * 3


def test_weights_and_cache_come_from_hbm_and_activations_stay_in_l2(decoder: Decode, machine: Build) -> None:
    found = tasks(planned(decoder(), machine()))
    assert billed(found["gate_up"], "hbm", "read") == 2 * 128 * 640
    assert billed(found["attention"], "hbm", "read") == 2 * 2 * 65 * 4 * 16
    assert billed(found["activation"], "hbm", "read") == 0
    assert billed(found["activation"], "l2", "read") == 2 * 640


def test_activations_that_l2_cannot_hold_live_in_hbm(decoder: Decode, machine: Build) -> None:
    # 700 tokens x 640 values x 2 B are 896 kB, and an L2 of 1 MiB keeps 839 kB of them
    trace = decoder(prompt_tokens=700, prompt_cached=False)
    held, spilled = (tasks(planned(t, machine(), {"residency": 0.8}))["activation"] for t in (decoder(), trace))
    assert billed(held, "hbm", "read") == 0
    assert billed(spilled, "hbm", "read") == 700 * 640 * 2


def test_tiles_at_work_draw_on_their_own_lanes(decoder: Decode, machine: Build) -> None:
    # four blocks, a KV head each, on eight tiles: each of four lanes carries a quarter
    found = tasks(planned(decoder(), machine(), {"decode_attention": {"splits": False}}))["attention"]
    [read] = [leg for leg in found.flows[0].legs if (leg.component, leg.tensor) == ("xbar", "kv") and leg.bill > 1000]
    assert (read.critical, read.ways) == (read.bill // 4, 8)


def test_results_that_nobody_reads_go_home(decoder: Decode, machine: Build) -> None:
    head = tasks(planned(decoder(), machine()))["head"]
    assert billed(head, "hbm", "write") == 2 * 1024


def test_the_host_stands_before_each_step(decoder: Decode, machine: Build) -> None:
    stack = {"step": {"base": "1 us", "per_sequence": "10 ns"}}
    graph = planned(decoder(output_tokens=2), machine(), stack).graph
    hosts = [task for segment in graph.segments for task in segment.tasks if task.operator == "host"]
    assert [(task.launch, task.alone) for task in hosts] == [(1_010_000, 1_010_000)] * 2


def test_partial_sums_are_followed_by_an_all_reduce(decoder: Decode, machine: Build) -> None:
    found = list(tasks(planned(decoder(), machine(devices=2))))
    for name in ("attn_out", "down"):
        assert found[found.index(name) + 1] == f"{name}_all_reduce"
    assert sum(name.endswith("_all_reduce") for name in found) == 2


def test_one_device_reduces_nothing(decoder: Decode, machine: Build) -> None:
    assert not [name for name in tasks(planned(decoder(), machine())) if name.endswith("_all_reduce")]


def test_replicas_are_declared_with_a_reason(decoder: Decode, machine: Build) -> None:
    declared = planned(decoder(), machine(devices=2)).declarations
    extra = {item.operator: item.extra for item in declared if item.tensor == "weights"}
    # norms and the row of the table are read by both devices: once more than the trace asks
    assert extra == {"embedding": 2 * 128, "attn_norm": 2 * 2 * 128, "ffn_norm": 2 * 2 * 128, "final_norm": 2 * 128}
    assert all("2 devices" in item.reason for item in declared)


def test_narrow_weights_are_turned_into_the_type_of_the_macs(decoder: Decode, machine: Build) -> None:
    trace = decoder(dtypes={"weights": "int4", "kv": "bf16", "activations": "bf16"})
    narrow, wide = (tasks(planned(t, machine(), {"dequantise": 2}))["down"] for t in (trace, decoder()))
    assert billed(narrow, "sm", "vector") - billed(wide, "sm", "vector") == 2 * 320 * 128


def test_a_type_that_the_tiles_do_not_compute_in_is_refused(decoder: Decode, machine: Build) -> None:
    trace = decoder(dtypes={"weights": "fp8", "kv": "fp8", "activations": "fp8"})
    with pytest.raises(PlanError, match="does not compute in `fp8`") as caught:
        planned(trace, machine())
    assert caught.value.help.endswith("it computes `bf16`")


def test_degrees_and_settings_stand_in_the_plan(decoder: Decode, machine: Build) -> None:
    found = planned(decoder(), machine(devices=2), fusion=False)
    assert dict(found.parallel) == {"tensor_parallel": 2}
    assert found.settings["fusion"] == "off"
    assert found.settings["activations"] == "l2"


def routed(*loads: int) -> Block:
    """A matrix for each of some experts, of which those with rows are read."""
    active = sum(1 for load in loads if load)
    weights = Tensor("up.weight", "weights", active * 4096, "bf16", active * 8192)
    rows = Tensor("rows", "activations", sum(loads) * 64, "bf16", sum(loads) * 128)
    shape = Experts(loads, 64, 64)
    operator = Operator("up", (rows, weights), (rows,), sum(loads) * 4096, shape=shape, shards="experts")
    return Block((operator,), "decode")


@pytest.mark.parametrize("devices", [1, 2])
def test_layers_that_drew_alike_share_their_tasks_whichever_their_experts(devices: int, machine: Build) -> None:
    layers = (routed(3, 1, 0, 2), routed(1, 3, 2, 0), routed(5, 1, 0, 0))
    one, alike, other = planned(Trace(layers, (), 0), machine(devices)).graph.segments
    assert all(task is again for task, again in zip(one.tasks, alike.tasks, strict=True))
    assert one.tasks[0] != other.tasks[0]


def test_the_tiles_of_a_kernel_are_at_work_from_its_launch_to_its_end(decoder: Decode, machine: Build) -> None:
    found = tasks(
        planned(decoder(), machine(devices=2), {"gemm": {"launch": "5 us"}, "decode_attention": {"splits": False}})
    )
    for task, ways in (found["gate_up"], 8), (found["attention"], 2):
        assert billed(task, "sm", "active") == 2 * ways * task.alone


def test_all_tiles_wait_for_an_exchange(decoder: Decode, machine: Build) -> None:
    reduce = next(task for name, task in tasks(planned(decoder(), machine(devices=2))).items() if "reduce" in name)
    assert billed(reduce, "sm", "active") == 2 * 8 * reduce.alone
