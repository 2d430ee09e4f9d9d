"""Pipeline parallelism: layers on groups of devices, microbatches that pass them."""

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest

from archsim.engine.audit import audit
from archsim.engine.simulate import simulate
from archsim.mappers.microbatches import cut
from archsim.mappers.temporal import Temporal, plan
from archsim.model.machine import Machine
from archsim.model.plan import Plan, PlanError
from archsim.model.run import Run
from archsim.model.stack import Stack
from archsim.model.trace import Trace

Build = Callable[..., Machine]
Decode = Callable[..., Trace]

STACK = Stack.model_validate({"name": "s", "source": "test", "vector": {"launch": "2 us"}})


def planned(trace: Trace, machine: Machine, batch: int = 1, **settings: Any) -> Plan:
    return plan(trace, machine, Temporal.model_validate({"kind": "temporal"} | settings), STACK, batch)


def ran(trace: Trace, machine: Machine, batch: int = 1, **settings: Any) -> Run:
    found = planned(trace, machine, batch, **settings)
    run = simulate(found.graph)
    assert audit(trace, found, machine, run) == ()
    return run


def weight_reads(run: Run, operator: str) -> int:
    key = ("hbm", "read", operator, "weights")
    return sum(n for row, n in run.counts.items() if (row.component, row.action, row.operator, row.tensor) == key)


def test_one_sequence_takes_what_it_takes_on_one_device_and_the_ways_between_stages(
    decoder: Decode, machine: Build
) -> None:
    alone, piped = (ran(decoder(), machine(n), pipeline_parallel=n) for n in (1, 2))
    sends = piped.held.items()
    ways = sum(held for span, held in sends if span.operator == "pipeline_send")
    assert piped.picoseconds == alone.picoseconds + ways
    assert ways > 2 * (1_000_000 + 2_000_000)  # there and back: the link's latency and the kernel that sends


def test_each_microbatch_reads_the_weights_anew_but_looks_up_its_own_embeddings(
    decoder: Decode, machine: Build
) -> None:
    alone, piped = (ran(decoder(batch=4), machine(n), 4, pipeline_parallel=n) for n in (1, 2))
    assert weight_reads(piped, "gate_up") == 2 * weight_reads(alone, "gate_up")
    assert weight_reads(piped, "embedding") == weight_reads(alone, "embedding")


@pytest.mark.parametrize("operator", ["attention", "gate_up", "head"])
def test_a_microbatch_is_the_kernel_of_a_batch_of_its_size(decoder: Decode, machine: Build, operator: str) -> None:
    piped = planned(decoder(batch=8), machine(2), 8, pipeline_parallel=2)
    alone = planned(decoder(batch=4), machine(), 4)
    kernels = [
        next(t for s in found.graph.segments for t in s.tasks if t.operator == operator) for found in (piped, alone)
    ]
    assert [task.launch for task in kernels[:1]] == [task.launch for task in kernels[1:]]
    assert kernels[0].flows[0].own == kernels[1].flows[0].own
    assert [leg.bill for leg in kernels[0].flows[0].legs] == [leg.bill for leg in kernels[1].flows[0].legs]


def test_a_batch_is_cut_into_as_many_microbatches_as_stages_where_it_divides(decoder: Decode) -> None:
    found = {batch: cut(decoder(batch=batch), 3, batch).microbatches for batch in (1, 2, 3, 4, 5, 6)}
    assert found == {1: 1, 2: 2, 3: 3, 4: 2, 5: 1, 6: 3}


def test_with_all_stages_busy_a_token_takes_a_pass_or_all_microbatches_over_the_slowest_stage(
    decoder: Decode, machine: Build
) -> None:
    one = ran(decoder(output_tokens=1), machine(2), pipeline_parallel=2)
    both = ran(decoder(batch=2, output_tokens=9), machine(2), 2, pipeline_parallel=2)
    ends = [mark.at for mark in both.marks]
    steady = [after - before for before, after in pairwise(ends)][3:]
    assert all(one.picoseconds * 0.98 <= gap <= one.picoseconds * 1.10 for gap in steady)


def test_stages_hold_their_layers_only(decoder: Decode, machine: Build) -> None:
    alone, piped = (planned(decoder(), machine(n), pipeline_parallel=n).placements for n in (1, 2))
    held = [{item.role: item.bytes for item in placements} for placements in (alone, piped)]
    assert held[0]["weights"] / 2 <= held[1]["weights"] < held[0]["weights"]
    assert held[1]["kv"] * 2 == held[0]["kv"]


def test_a_model_that_one_device_cannot_hold_is_divided(decoder: Decode, machine: Build) -> None:
    small = 2_000_000
    with pytest.raises(PlanError, match="does not fit"):
        planned(decoder(), machine(1, f"{small // 4} B"))
    assert planned(decoder(), machine(2, f"{small // 4} B"), pipeline_parallel=2).parallel["pipeline_parallel"] == 2


@pytest.mark.parametrize(
    ("devices", "settings", "message"),
    [
        (3, {"pipeline_parallel": 2}, "pipeline_parallel 2 does not divide the 3 devices"),
        (16, {"pipeline_parallel": 16}, "the model has no more than 4 parts"),
        (4, {"pipeline_parallel": 2, "tensor_parallel": 4}, "multiply to 8, but `devices` is 4"),
    ],
)
def test_degrees_that_do_not_go_are_refused(
    decoder: Decode, machine: Build, devices: int, settings: dict[str, int], message: str
) -> None:
    with pytest.raises(PlanError, match=message):
        planned(decoder(), machine(devices), **settings)
