"""A decoder on a mesh of cores: against a closed form written down here, clock by clock (1 GHz, so a cycle is a ns)."""

from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import Any

import pytest

from archsim.components.link import Link
from archsim.components.mesh import Mesh
from archsim.components.sram import Sram
from archsim.components.tile import Tile
from archsim.engine.audit import audit
from archsim.engine.simulate import simulate
from archsim.mappers.mesh import Regions
from archsim.mappers.spatial import Spatial, plan
from archsim.model.component import Component
from archsim.model.machine import Machine, assemble
from archsim.model.plan import Plan, PlanError
from archsim.model.stack import Stack
from archsim.model.taskgraph import TICKS, Task
from archsim.model.trace import Trace

Decode = Callable[..., Trace]

SIDE, NS = 8, 1000
HEADS, KV_HEADS, HEAD_SIZE, HIDDEN, FEED_FORWARD, VOCABULARY, CONTEXT = 8, 4, 16, 128, 320, 1024, 65
STACK: Mapping[str, Any] = {
    "name": "kernels",
    "source": "test",
    "dequantise": 0,
    "dataflow": {"instruction": "5 ns"},
    "vector": {"launch": "40 ns"},
    "decode_attention": {"launch": "70 ns"},
    "collectives": {"all_reduce": [{"base": "11 ns"}]},
    "step": {"base": "1 us"},
}


def wafer(
    rows: int = SIDE, columns: int = SIDE, devices: int = 1, capacity: str = "64 KiB", without: str = ""
) -> Machine:
    cores = rows * columns
    wire = {"count": cores, "energy": "0.1 pJ/B"}
    parts: dict[str, Component] = {
        "sram": Sram.model_validate(
            {
                "kind": "sram",
                "count": cores,
                "capacity": capacity,
                "bandwidth": "unlimited",
                "static": "0 W",
                "energy": {"read": "1 pJ/B", "write": "1 pJ/B"},
            }
        ),
        "core": Tile.model_validate(
            {
                "kind": "tile",
                "count": cores,
                "macs": {"bf16": "1 GMAC/s"},
                "vector": "unlimited",
                "window": "64 KiB",
                "grain": "4 B",
                "static": "1 mW",
                "energy": {"mac": {"bf16": "1 pJ/MAC"}, "vector": "1 pJ/op"},
            }
        ),
        "mesh": Mesh.model_validate(
            {
                "kind": "mesh",
                "shape": [rows, columns],
                "bandwidth": "4 GB/s",
                "hop": "1 ns",
                "static": "0 W",
                "energy": "1 pJ/B",
            }
        ),
        "local": Link.model_validate({"between": ["sram", "core"], "bandwidth": "unlimited"} | wire),
        "ramp": Link.model_validate({"between": ["core", "mesh"], "bandwidth": "4 GB/s", "latency": "2 ns"} | wire),
        "io": Link.model_validate(
            {
                "between": ["device", "device"],
                "topology": "line",
                "bandwidth": "1 GB/s",
                "latency": "2 us",
                "energy": "100 pJ/B",
            }
        ),
    }
    return assemble("wafer", "chip", devices, {name: item for name, item in parts.items() if name != without})


def planned(trace: Trace, machine: Machine, batch: int = 1, **settings: Any) -> Plan:
    given = {"kind": "spatial", "tile": "core", "weights": "sram", "fabric": "mesh", "region": SIDE}
    return plan(trace, machine, Spatial.model_validate(given | settings), Stack.model_validate(STACK), batch)


def up(count: int) -> int:
    return -(-count // SIDE)


def reduce(values: int) -> int:
    groups, length = 2, 4
    tree = SIDE + length / 2 + (length / 2 + groups / 2) * (2 * 2 + 2)
    return int(11 + tree + 3 * values)


def product(k: int, n: int, rows: int = 1, outputs: int = 1) -> int:
    return 5 * rows * up(k) * outputs + rows * up(k) * up(n) + reduce(rows * up(n))


def layer() -> int:
    group, width = HEADS // KV_HEADS, KV_HEADS * HEAD_SIZE
    vectors = 40 * 6  # two norms, rotary, activation, two residuals
    attention = 70 + product(width, CONTEXT, group) + 2 * reduce(group) + product(CONTEXT, width, group)
    products = (
        product(HIDDEN, (HEADS + 2 * KV_HEADS) * HEAD_SIZE, outputs=3),
        product(HIDDEN, HIDDEN),
        product(HIDDEN, 2 * FEED_FORWARD),
        product(FEED_FORWARD, HIDDEN),
    )
    return vectors + 2 * reduce(1) + attention + sum(products)


def token(layers: int) -> int:
    lookup, head = reduce(up(HIDDEN)), 40 + reduce(1) + product(HIDDEN, VOCABULARY)
    return lookup + layers * layer() + head + reduce(1)  # the last: the largest logit


def stage_times(graph_tasks: tuple[Task, ...]) -> list[int]:
    times, held = [], 0
    inside = False
    for task in graph_tasks:
        inside = inside or any(name.startswith("stage ") for name, _ in task.takes)
        ends = [flow.fill + -(-flow.own // TICKS) + flow.drain for flow in task.flows]
        held += task.launch + max(ends, default=0) if inside else 0
        if any(name.startswith("stage ") for name, _ in task.gives):
            times.append(held)
            held, inside = 0, False
    return times


@pytest.mark.parametrize("reduction", ["all", 1])
def test_one_sequence_on_one_region_takes_the_closed_form(decoder: Decode, reduction: str | int) -> None:
    found = planned(decoder(), wafer(), reduction=reduction)
    assert simulate(found.graph).picoseconds == NS * (token(2) + 1000)


def test_regions_add_the_ways_between_them(decoder: Decode) -> None:
    alone = simulate(planned(decoder(), wafer()).graph).picoseconds
    found = planned(decoder(), wafer(SIDE, 4 * SIDE))
    assert found.parallel["pipeline_parallel"] == 4
    stream = 2 * HIDDEN * 2  # bytes of the stream and of what is added to it; the embedding puts out the stream alone
    ways = sum(SIDE + 4 + up(size) / 4 for size in (stream // 2, stream, stream))
    back = 3 * SIDE + 4 + up(4) / 4
    assert simulate(found.graph).picoseconds == pytest.approx(alone + NS * (ways + back), abs=4 * NS)


def test_a_full_pipeline_is_paced_by_its_slowest_region(decoder: Decode) -> None:
    found = planned(decoder(batch=12, output_tokens=4), wafer(SIDE, 4 * SIDE, capacity="256 KiB"), batch=12)
    ends = [mark.at for mark in simulate(found.graph).marks]
    for segment, (before, after) in zip(found.graph.segments[1:], pairwise(ends), strict=True):
        assert after - before == pytest.approx(12 * max(stage_times(segment.tasks)), rel=0.02)


def test_stages_at_work_together_do_not_slow_each_other(decoder: Decode) -> None:
    machine = wafer(SIDE, 4 * SIDE, capacity="256 KiB")
    one = simulate(planned(decoder(batch=4), machine, batch=4, sequences_in_flight=1).graph).picoseconds
    four = simulate(planned(decoder(batch=4), machine, batch=4).graph).picoseconds
    times = stage_times(planned(decoder(batch=4), machine, batch=4).graph.segments[0].tasks)
    assert one == 4 * simulate(planned(decoder(), machine).graph).picoseconds
    assert one // 4 < four <= one // 4 + 3 * max(times) + 4000 * NS


@pytest.mark.parametrize("batch", [1, 3])
@pytest.mark.parametrize("regions", [1, 3])
@pytest.mark.parametrize("reduction", ["all", 4])
def test_the_books_balance(decoder: Decode, batch: int, regions: int, reduction: str | int) -> None:
    trace, machine = decoder(batch=batch, output_tokens=2), wafer(SIDE, regions * SIDE, capacity="256 KiB")
    found = planned(trace, machine, batch, reduction=reduction)
    assert audit(trace, found, machine, simulate(found.graph)) == ()


def test_several_sequences_read_the_weights_several_times_and_say_so(decoder: Decode) -> None:
    found = planned(decoder(batch=3), wafer(capacity="256 KiB"), 3)
    extra = {item.operator: item.extra for item in found.declarations if item.tensor == "weights"}
    assert extra["gate_up"] == 2 * 2 * (2 * HIDDEN * 2 * FEED_FORWARD)


def test_no_more_are_in_flight_than_asked_for(decoder: Decode) -> None:
    machine = wafer(capacity="256 KiB")
    assert planned(decoder(batch=4), machine, 4, sequences_in_flight=3).in_flight == 3
    assert planned(decoder(batch=2), machine, 2, sequences_in_flight=3).in_flight == 2


def test_a_second_wafer_is_reached_over_its_link(decoder: Decode) -> None:
    found = planned(decoder(), wafer(devices=2))
    ways = [task for segment in found.graph.segments for task in segment.tasks if task.operator == "crossing"]
    assert {leg.component for task in ways for flow in task.flows for leg in flow.legs} == {"io"}
    assert {task.launch for task in ways} == {2_000_000}


def test_wafers_without_a_link_are_refused(decoder: Decode) -> None:
    with pytest.raises(PlanError, match="no link joins them"):
        planned(decoder(), wafer(devices=2, without="io"))


def test_what_does_not_fit_says_by_how_much_and_how_many_wafers_would(decoder: Decode) -> None:
    with pytest.raises(PlanError, match=r"does not fit.*too much") as refused:
        planned(decoder(), wafer(capacity="8 KiB"))
    enough = int(refused.value.help.partition("devices: ")[2].partition(";")[0])
    assert planned(decoder(), wafer(devices=enough, capacity="8 KiB")).parallel["pipeline_parallel"] == enough
    with pytest.raises(PlanError):
        planned(decoder(), wafer(devices=enough - 1, capacity="8 KiB"))


def test_what_does_not_fit_one_wafer_that_no_link_joins_to_another_is_no_matter_of_links(decoder: Decode) -> None:
    with pytest.raises(PlanError, match=r"does not fit.*too much") as refused:
        planned(decoder(), wafer(capacity="8 KiB", without="io"))
    assert "devices" not in refused.value.help


def test_a_layer_larger_than_a_region_needs_larger_ones(decoder: Decode) -> None:
    with pytest.raises(PlanError) as refused:
        planned(decoder(), wafer(capacity="4 KiB"))
    assert "larger stages" in refused.value.help


def test_regions_are_as_large_as_the_layers_leave_room_for(decoder: Decode) -> None:
    found = planned(decoder(), wafer(16, 16), region=None)
    assert found.parallel["pipeline_parallel"] == 4
    assert "4 regions of 8 x 8" in found.settings["placement"]


@pytest.mark.parametrize(
    ("settings", "match"),
    [
        ({"region": 9}, "larger than the mesh"),
        ({"fabric": "local"}, "is no mesh"),
        ({"weights": "cores"}, "no component"),
        ({"tile": "sram"}, "does not compute"),
        ({"weights": "mesh"}, "holds nothing"),
    ],
)
def test_a_placement_that_cannot_be_is_refused(decoder: Decode, settings: dict[str, Any], match: str) -> None:
    with pytest.raises(PlanError, match=match):
        planned(decoder(), wafer(), **settings)


def test_a_type_that_cores_do_not_have_is_refused(decoder: Decode) -> None:
    trace = decoder(dtypes={"weights": "fp32", "kv": "fp32", "activations": "fp32"})
    with pytest.raises(PlanError, match="does not compute in `fp32`"):
        planned(trace, wafer(capacity="1 MiB"))


def test_neighbours_in_order_are_neighbours_on_the_mesh() -> None:
    regions = Regions(10, 35, 48)
    assert regions.count == 12
    assert {regions.hops(index, index + 1) for index in range(11)} == {10}
    assert regions.hops(0, 3) == 30


def test_the_host_loop_is_free_only_with_a_warning(decoder: Decode) -> None:
    spec = Spatial.model_validate({"kind": "spatial", "tile": "core", "weights": "sram", "fabric": "mesh"})
    free = plan(decoder(), wafer(), spec, Stack.model_validate({"name": "s", "source": "test"}), 1)
    assert any("host" in text for text in free.warnings)
    assert not planned(decoder(), wafer()).warnings
