"""Devices in a row: layers cut to fit, sequences one after the other, and the pipeline's two closed forms."""

from collections.abc import Callable
from typing import Any

import pytest

from archsim.components.dram import Dram
from archsim.components.link import Link
from archsim.components.mac_unit import MacUnit
from archsim.components.sram import Sram
from archsim.components.tile import Tile
from archsim.engine.audit import audit
from archsim.engine.simulate import simulate
from archsim.mappers.near_cuts import Cut, leaving
from archsim.mappers.near_memory import NearMemory, plan
from archsim.mappers.near_units import alone
from archsim.mappers.passes import passes
from archsim.model.component import Component
from archsim.model.machine import Machine, assemble
from archsim.model.plan import Plan, PlanError
from archsim.model.stack import Stack
from archsim.model.taskgraph import Task
from archsim.model.trace import Trace

Build = Callable[..., Trace]

FREE = {"static": "0 W"}
BYTE = {"energy": {"read": "1 pJ/B", "write": "1 pJ/B"}}
WEIGHTS_OF_A_LAYER = 2 * (128 * 256 + 128 * 128 + 3 * 128 * 320 + 2 * 128)


def machine(devices: int, capacity: str = "400 kB") -> Machine:
    units = {"macs": {"bf16": "4 GMAC/s"}, "through": "1 pJ/B", "energy": {"mac": {"bf16": "1 pJ/MAC"}}}
    lanes = {"macs": {}, "vector": "10 Gop/s", "window": "32 KiB", "grain": "1 KiB"}
    links: dict[str, dict[str, Any]] = {
        "column": {"between": ["core", "unit"], "count": 4, "bandwidth": "unlimited"},
        "tree": {"between": ["frame", "unit"], "count": 4, "bandwidth": "1 GB/s", "latency": "50 ns"},
        "lane": {"between": ["frame", "vector"], "bandwidth": "10 GB/s"},
        "pcie": {"between": ["device", "device"], "topology": "line", "bandwidth": "1 GB/s", "latency": "1 us"},
    }
    parts: dict[str, Component] = {
        "core": Dram.model_validate(
            FREE | BYTE | {"kind": "dram", "count": 4, "capacity": capacity, "bandwidth": "2 GB/s"}
        ),
        "frame": Sram.model_validate(FREE | BYTE | {"kind": "sram", "capacity": "64 kB", "bandwidth": "1 TB/s"}),
        "unit": MacUnit.model_validate(FREE | {"kind": "mac_unit", "count": 4} | units),
        "vector": Tile.model_validate(
            FREE | {"kind": "tile", "energy": {"mac": {}, "vector": "1 pJ/op"}, "count": 4} | lanes
        ),
    }
    wired = {name: Link.model_validate(item | {"energy": "1 pJ/B"}) for name, item in links.items()}
    return assemble("row", "board", devices, parts | wired)


def planned(trace: Trace, on: Machine, batch: int, arrival: str = "0 us", **fields: Any) -> Plan:
    spec = NearMemory.model_validate({"kind": "near_memory", "in_a_row": True} | fields)
    stack = Stack.model_validate({"name": "test", "source": "test", "near_memory": {"arrival": arrival}})
    return plan(trace, on, spec, stack, batch)


def stages(tasks: tuple[Task, ...]) -> list[int]:
    """Picoseconds of each stage of a shared pipeline, its crossing left out."""
    found: list[list[Task]] = []
    for task in tasks:
        taken = [name for name, _ in task.takes]
        if any(name.startswith("stage ") for name in taken):
            found.append([])
        if not any(name.startswith("way ") for name in taken):
            found[-1].append(task)
    return [alone(stage) for stage in found]


@pytest.mark.parametrize(("devices", "capacity"), [(4, "400 kB"), (12, "40 kB")])
@pytest.mark.parametrize("batch", [1, 3])
def test_the_books_of_a_row_balance(decoder: Build, devices: int, capacity: str, batch: int) -> None:
    trace, on = decoder(batch=batch, output_tokens=2), machine(devices, capacity)
    mapped = planned(trace, on, batch)
    assert mapped.in_flight == batch
    assert audit(trace, mapped, on, simulate(mapped.graph)) == ()


def test_one_sequence_takes_the_sum_of_all_stages_and_crossings(decoder: Build) -> None:
    trace, on = decoder(), machine(4)
    mapped = planned(trace, on, 1)
    expected = sum(alone(segment.tasks) * segment.times for segment in mapped.graph.segments)
    assert simulate(mapped.graph).picoseconds == expected


def test_many_sequences_leave_one_after_the_other_at_the_pace_of_the_slowest_stage(decoder: Build) -> None:
    trace, on = decoder(batch=16, output_tokens=4), machine(4)
    mapped = planned(trace, on, 16, arrival="20 us")
    *_, before, last = simulate(mapped.graph).marks
    slowest = max(stages(mapped.graph.segments[-1].tasks))
    assert (last.at - before.at) / 16 == pytest.approx(slowest, rel=0.01)


def test_fewer_sequences_in_flight_are_no_faster(decoder: Build) -> None:
    times = [
        simulate(planned(decoder(batch=8), machine(4), 8, sequences_in_flight=count).graph).picoseconds
        for count in (1, 2, 4, 8)
    ]
    assert times == sorted(times, reverse=True)
    assert times[0] > 2 * times[-1]


def test_each_device_spends_its_arrival_once_a_token(decoder: Build) -> None:
    slow, fast = (
        simulate(planned(decoder(), machine(4), 1, arrival=arrival).graph).picoseconds for arrival in ("5 us", "0 us")
    )
    assert slow - fast == 4 * 5_000_000


def cut(trace: Trace, room: int | None) -> Cut:
    (one,) = passes(trace, 1)
    return Cut.of(one, trace, room)


def test_what_fits_is_not_cut(decoder: Build) -> None:
    (one,) = passes(decoder(), 1)
    for room in (None, WEIGHTS_OF_A_LAYER + 100_000):
        assert [unit.operators for unit in cut(decoder(), room).course.units] == [unit.operators for unit in one.units]


@pytest.mark.parametrize("room", [200_000, 100_000, 50_000, 20_000])
def test_a_cut_keeps_every_byte_and_every_mac(decoder: Build, room: int) -> None:
    trace = decoder()
    whole, parts = cut(trace, None), cut(trace, room)
    assert sum(sum(load.values()) for load in parts.loads) == sum(sum(load.values()) for load in whole.loads)
    assert max(sum(load.values()) for load in parts.loads) <= max(room, 2 * 64 * 65 * 4)
    assert asked(whole) == asked(parts)


def asked(made: Cut) -> tuple[int, int]:
    """MACs, and bytes of weights and caches that are read."""
    operators = [operator for unit in made.course.units for operator in unit.operators]
    read = (tensor.bytes for operator in operators for tensor in operator.reads if tensor.role != "activations")
    return sum(operator.macs for operator in operators), sum(read)


def test_the_residual_stream_crosses_beside_what_the_next_device_reads(decoder: Build) -> None:
    units = cut(decoder(), 100_000).course.units
    crossing = leaving([(unit,) for unit in units])
    hidden = 2 * 128
    embedded = next(index for index, unit in enumerate(units) if unit.operators[0].name == "attn_norm")
    assert crossing[embedded - 1] == hidden
    assert crossing[0] < hidden  # a slice of the table makes a part of the row
    assert min(crossing[embedded - 1 : -2]) >= hidden
    assert crossing[-1] == 4  # a token's id


def test_a_row_that_is_too_short_says_how_long_it_must_be(decoder: Build) -> None:
    with pytest.raises(PlanError, match="does not fit") as caught:
        planned(decoder(), machine(2, "40 kB"), 1)
    devices = int(caught.value.help.partition("devices: ")[2].partition(";")[0])
    planned(decoder(), machine(devices, "40 kB"), 1)
    with pytest.raises(PlanError):
        planned(decoder(), machine(devices - 1, "40 kB"), 1)
