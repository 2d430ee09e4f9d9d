"""Stages of whole chips: what each holds, what they exchange, one kernel for many operators."""

from collections.abc import Callable
from typing import Any

import pytest

from archsim.components.link import Link
from archsim.components.sram import Sram
from archsim.components.tile import Tile
from archsim.engine.audit import audit
from archsim.engine.simulate import simulate
from archsim.mappers.spatial import Spatial, plan
from archsim.mappers.stages import partition
from archsim.model.component import Component
from archsim.model.machine import Machine, assemble
from archsim.model.plan import Plan, PlanError
from archsim.model.stack import Stack
from archsim.model.taskgraph import Task
from archsim.model.trace import Trace

Decode = Callable[..., Trace]

STACK = {"name": "s", "source": "test", "dequantise": 0, "step": {"base": "1 us"}, "vector": {"launch": "10 ns"}}


def chips(devices: int, capacity: str = "1 MB", without: str = "") -> Machine:
    parts: dict[str, Component] = {
        "sram": Sram.model_validate(
            {
                "kind": "sram",
                "capacity": capacity,
                "bandwidth": "1 GB/s",
                "static": "0 W",
                "energy": {"read": "1 pJ/B", "write": "1 pJ/B"},
            }
        ),
        "matrix": Tile.model_validate(
            {
                "kind": "tile",
                "macs": {"bf16": "unlimited"},
                "vector": "unlimited",
                "window": "1 MB",
                "grain": "1 B",
                "static": "1 W",
                "energy": {"mac": {"bf16": "1 pJ/MAC"}, "vector": "1 pJ/op"},
            }
        ),
        "load": Link.model_validate({"between": ["sram", "matrix"], "bandwidth": "unlimited", "energy": "1 pJ/B"}),
        "c2c": Link.model_validate(
            {
                "between": ["device", "device"],
                "topology": "switch",
                "bandwidth": "1 GB/s",
                "latency": "700 ns",
                "energy": "30 pJ/B",
            }
        ),
    }
    return assemble("chips", "chip", devices, {name: item for name, item in parts.items() if name != without})


def planned(trace: Trace, machine: Machine, batch: int = 1, **settings: Any) -> Plan:
    spec = Spatial.model_validate({"kind": "spatial", "tile": "matrix", "weights": "sram"} | settings)
    return plan(trace, machine, spec, Stack.model_validate(STACK), batch)


def tasks(plan: Plan) -> list[Task]:
    return [task for segment in plan.graph.segments for _ in range(segment.times) for task in segment.tasks]


def billed(plan: Plan, component: str, tensor: str) -> int:
    legs = [leg for task in tasks(plan) for flow in task.flows for leg in flow.legs]
    return sum(leg.bill for leg in legs if (leg.component, leg.tensor) == (component, tensor))


@pytest.mark.parametrize("batch", [1, 4])
@pytest.mark.parametrize("devices", [1, 2, 4, 8, 9])
@pytest.mark.parametrize("fused", [False, True])
def test_the_books_balance(decoder: Decode, devices: int, batch: int, fused: bool) -> None:
    trace, machine = decoder(batch=batch, output_tokens=2), chips(devices, "4 MB")
    found = planned(trace, machine, batch, fused=fused)
    assert audit(trace, found, machine, simulate(found.graph)) == ()


def test_each_layer_has_chips_of_its_own(decoder: Decode) -> None:
    assert planned(decoder(), chips(8)).parallel == {"tensor_parallel": 2, "pipeline_parallel": 4}


def test_stages_become_larger_where_one_for_each_layer_does_not_hold_it(decoder: Decode) -> None:
    # a layer of 345 kB, embedding and head of 262 kB: 320 kB of one chip do not hold a layer, two chips do
    assert planned(decoder(), chips(6, "320 kB")).parallel == {"tensor_parallel": 2, "pipeline_parallel": 3}


def test_no_more_chips_share_a_stage_than_there_are_heads_to_share(decoder: Decode) -> None:
    # 1.2 MB in all: 13 chips of 100 kB would hold it as one stage
    with pytest.raises(PlanError) as raised:
        planned(decoder(), chips(13, "100 kB"))
    assert "devices: 14;" in raised.value.help
    assert planned(decoder(), chips(14, "100 kB")).parallel == {"tensor_parallel": 7, "pipeline_parallel": 2}


def test_stages_that_the_file_counts_are_as_large_as_they_become(decoder: Decode) -> None:
    assert planned(decoder(), chips(24), pipeline_parallel=2).parallel == {
        "tensor_parallel": 12,
        "pipeline_parallel": 2,
    }


def test_a_stage_streams_its_weights_over_all_its_chips(decoder: Decode) -> None:
    for devices, each in ((4, 1), (8, 2)):
        (first, *_) = [task for task in tasks(planned(decoder(), chips(devices))) if task.operator == "gate_up"]
        (flow,) = first.flows
        assert max(leg.critical for leg in flow.legs if leg.tensor == "weights") == 2 * 128 * 640 // each


def test_partial_sums_are_added_over_the_chips_of_a_stage(decoder: Decode) -> None:
    names = [task.operator for task in tasks(planned(decoder(), chips(8)))]
    assert names.count("attn_out_all_reduce") == names.count("down_all_reduce") == 2
    assert not [task for task in tasks(planned(decoder(), chips(4))) if task.operator.endswith("_all_reduce")]


def test_a_vector_moves_once_from_stage_to_stage_for_each_chip(decoder: Decode) -> None:
    ways = [task for task in tasks(planned(decoder(), chips(4))) if task.operator == "crossing"]
    sizes = [sum(leg.bill for flow in task.flows for leg in flow.legs) for task in ways]
    assert sizes == [256, 512, 512, 4]  # the stream; with what is added to it; the token back
    assert {task.launch for task in ways} == {700_000}


def test_fusing_moves_the_same_bytes_in_fewer_tasks(decoder: Decode) -> None:
    loose, fused = (planned(decoder(), chips(2), tensor_parallel=2, fused=each) for each in (False, True))
    assert len(tasks(fused)) < len(tasks(loose)) / 2
    for tensor in ("weights", "kv"):
        assert billed(fused, "sram", tensor) == billed(loose, "sram", tensor)
    assert simulate(fused.graph).picoseconds < simulate(loose.graph).picoseconds


def test_chips_without_a_link_are_refused(decoder: Decode) -> None:
    with pytest.raises(PlanError, match="no link joins them"):
        planned(decoder(), chips(2, without="c2c"))


def test_a_stage_of_more_chips_than_there_are_is_refused(decoder: Decode) -> None:
    with pytest.raises(PlanError, match="a stage takes 4 devices, and there are 2"):
        planned(decoder(), chips(2), tensor_parallel=4)


def test_the_fullest_stage_holds_the_least_that_it_can() -> None:
    assert partition([1] * 10, 4) == (0, 0, 0, 1, 1, 1, 2, 2, 2, 3)
    assert partition([5, 1, 1, 1, 1, 5], 3) == (0, 1, 1, 1, 1, 2)
    assert partition([5, 1, 1, 5], 9) == (0, 1, 2, 3)
    assert partition([1, 2, 3], 1) == (0, 0, 0)
