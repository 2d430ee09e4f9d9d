"""Weights in the chip: time by rows, one model or the workload's, chips by area, prices once."""

from collections.abc import Callable
from math import ceil, log2
from typing import Any

import pytest
from pydantic import ValidationError

from archsim.components.link import Link
from archsim.components.sram import Sram
from archsim.components.tile import Tile
from archsim.components.weight_rom import WeightRom
from archsim.engine.audit import audit
from archsim.engine.simulate import simulate
from archsim.mappers.hardwired import Hardwired, plan
from archsim.model.component import Component
from archsim.model.machine import Machine, assemble
from archsim.model.plan import Plan, PlanError
from archsim.model.stack import Stack
from archsim.model.taskgraph import Task
from archsim.model.trace import Trace

Decode = Callable[..., Trace]

ROWS, ROW, NS = 100, 16, 1000
HOLDS = {"model": "small", "parameters": 0, "weights": "bf16"}


def rom(**fields: Any) -> WeightRom:
    given = {
        "kind": "weight_rom",
        "count": 1000,
        "rows": ROWS,
        "row": f"{ROW} B",
        "clock": "1 GHz",
        "area": "0.1 mm2",
        "static": "1 uW",
        "energy": {"read": "0.1 pJ/B"},
    }
    return WeightRom.model_validate(given | fields)


def die(devices: int = 1, **fields: Any) -> Machine:
    bank = {"kind": "sram", "static": "0 W", "bandwidth": "unlimited", "energy": {"read": "1 pJ/B", "write": "1 pJ/B"}}
    wire = {"bandwidth": "unlimited", "energy": "1 pJ/B"}
    parts: dict[str, Component] = {
        "rom": rom(**fields),
        "kv": Sram.model_validate(bank | {"count": 32, "capacity": "4 KiB", "area": "1 mm2"}),
        "vectors": Sram.model_validate(bank | {"capacity": "64 KiB", "area": "2 mm2"}),
        "adders": Tile.model_validate(
            {
                "kind": "tile",
                "macs": {"bf16": "unlimited"},
                "vector": "unlimited",
                "window": "1 MB",
                "grain": "16 B",
                "static": "1 W",
                "area": "50 mm2",
                "energy": {"mac": {"bf16": "1 pJ/MAC"}, "vector": "1 pJ/op"},
            }
        ),
        "word": Link.model_validate({"between": ["rom", "adders"]} | wire),
        "cache": Link.model_validate({"between": ["kv", "adders"]} | wire),
        "lane": Link.model_validate({"between": ["vectors", "adders"]} | wire),
        "c2c": Link.model_validate(
            {"between": ["device", "device"], "topology": "line", "bandwidth": "1 GB/s", "latency": "90 ns"}
            | {"energy": "9 pJ/B"}
        ),
    }
    return assemble("die", "chip", devices, parts)


def planned(trace: Trace, machine: Machine, batch: int = 1, **settings: Any) -> Plan:
    given = {
        "kind": "hardwired",
        "holds": "workload",
        "tile": "adders",
        "weights": "rom",
        "kv": "kv",
        "activations": "vectors",
        "die": "200 mm2",
        "level": "1 ns",
        "product": "30 ns",
        "barrier": "60 ns",
    }
    stack = Stack.model_validate({"name": "wires", "source": "test", "dequantise": 0})
    return plan(trace, machine, Hardwired.model_validate(given | settings), stack, batch)


def tasks(plan: Plan) -> list[Task]:
    return [task for segment in plan.graph.segments for _ in range(segment.times) for task in segment.tasks]


def levels(terms: int) -> int:
    return ceil(log2(terms))


def product(bytes_read: int, terms: int) -> int:
    arrays = ceil(bytes_read / (ROWS * ROW))
    return ceil(ceil(bytes_read / arrays) / ROW * NS) + NS * (30 + levels(terms))


def norm() -> int:
    return NS * (1 + levels(128))  # its scales are a row deep


def test_a_token_takes_rows_trees_and_barriers(decoder: Decode) -> None:
    hidden, wide, forward = 128, 256, 320
    attention = NS * (30 + levels(64) + 2 * levels(65) + 30 + levels(65))
    matrices = ((wide * hidden, hidden), (hidden * hidden, hidden), (2 * forward * hidden, hidden))
    layer = 2 * norm() + attention + sum(product(2 * size, terms) for size, terms in matrices)
    layer += product(2 * forward * hidden, forward)
    lookup, head = NS, norm() + product(2 * 1024 * hidden, hidden)
    steps = 4 * NS * 60  # three to the next layer, one back
    assert simulate(planned(decoder(), die()).graph).picoseconds == lookup + 2 * layer + head + steps


@pytest.mark.parametrize("batch", [1, 3])
@pytest.mark.parametrize(("devices", "each"), [(1, 1), (3, 1), (4, 2)])
@pytest.mark.parametrize("energy", [{"read": "0.1 pJ/B"}, {"mac": {"bf16": "1 pJ/MAC"}}])
def test_the_books_balance(decoder: Decode, batch: int, devices: int, each: int, energy: dict[str, Any]) -> None:
    trace, machine = decoder(batch=batch, output_tokens=2), die(devices, energy=energy)
    found = planned(trace, machine, batch, tensor_parallel=each)
    assert audit(trace, found, machine, simulate(found.graph)) == ()


def test_a_prompt_reads_the_weights_for_each_of_its_tokens(decoder: Decode) -> None:
    trace, machine = decoder(prompt_tokens=16, prompt_cached=False), die()
    found = planned(trace, machine)
    assert audit(trace, found, machine, simulate(found.graph)) == ()
    (up,) = [task for task in found.graph.segments[1].tasks if task.operator == "gate_up"]
    assert sum(leg.bill for leg in up.flows[0].legs if (leg.component, leg.action) == ("rom", "read")) == 16 * 163_840


def test_all_arrays_leak_whatever_the_model_fills(decoder: Decode) -> None:
    found = planned(decoder(), die(2))
    assert any("leak all the same" in text for text in found.warnings)


def test_layers_beyond_one_die_go_to_the_next(decoder: Decode) -> None:
    found = planned(decoder(), die(2, count=380))
    assert found.parallel == {"tensor_parallel": 1, "pipeline_parallel": 2}
    ways = [task for task in tasks(found) if task.operator == "crossing"]
    assert [task.launch for task in ways] == [90_000 if task.flows else 60_000 for task in ways]
    assert sum(1 for task in ways if task.flows) == 2


def test_a_layer_larger_than_a_die_is_shared(decoder: Decode) -> None:
    found = planned(decoder(), die(8, count=150))
    assert found.parallel["tensor_parallel"] == 2
    assert [task for task in tasks(found) if task.operator == "down_all_reduce"]


def test_too_few_chips_say_how_many_it_takes(decoder: Decode) -> None:
    with pytest.raises(PlanError, match="does not fit") as refused:
        planned(decoder(), die(1, count=380))
    assert "devices: 2" in refused.value.help


def test_caches_beyond_the_banks_are_refused(decoder: Decode) -> None:
    with pytest.raises(PlanError, match="kv in `kv`"):
        planned(decoder(batch=8), die(), 8)


def test_a_chip_of_the_workload_says_that_it_does_not_exist(decoder: Decode) -> None:
    found = planned(decoder(), die())
    assert any("no such chip exists" in text for text in found.warnings)
    assert found.settings["chips"] == "1 of 184 mm2 (a die has 200)"


def test_a_real_chip_holds_one_model(decoder: Decode) -> None:
    trace = decoder()
    planned(trace, die(), holds=HOLDS | {"parameters": trace.parameters})
    with pytest.raises(PlanError, match="the chip holds small, 12 parameters"):
        planned(trace, die(), holds=HOLDS | {"parameters": 12})


def test_a_real_chip_holds_its_model_in_one_precision(decoder: Decode) -> None:
    trace = decoder(dtypes={"weights": "int8", "kv": "bf16", "activations": "bf16"})
    with pytest.raises(PlanError, match="in `bf16`, not in `int8`"):
        planned(trace, die(), holds=HOLDS | {"parameters": trace.parameters})


def test_what_a_die_cannot_carry_is_refused(decoder: Decode) -> None:
    with pytest.raises(PlanError, match="184 mm2, and a die has 150"):
        planned(decoder(), die(), die="150 mm2")


@pytest.mark.parametrize("energy", [{}, {"read": "0.1 pJ/B", "mac": {"bf16": "1 pJ/MAC"}}])
def test_a_weight_is_priced_once(energy: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match="by the byte read or by the MAC"):
        rom(energy=energy)


def test_leakage_beside_an_all_in_price_is_warned_about(decoder: Decode) -> None:
    found = planned(decoder(), die(energy={"mac": {"bf16": "1 pJ/MAC"}}))
    assert any("counted twice" in text for text in found.warnings)


def test_an_array_gives_a_row_a_cycle() -> None:
    assert rom().actions()["read"].rate == ROW * 10**9
    assert rom().capacity_bytes == ROWS * ROW
