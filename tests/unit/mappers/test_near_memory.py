"""A small machine of eight banks with units: what runs there, what leaves, and that the books and the clock agree."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from archsim.components.dram import Dram
from archsim.components.link import Link
from archsim.components.mac_unit import MacUnit
from archsim.components.sram import Sram
from archsim.components.switch import Switch
from archsim.components.tile import Tile
from archsim.engine.audit import audit
from archsim.engine.simulate import simulate
from archsim.mappers.near_memory import NearMemory, plan
from archsim.mappers.near_units import alone
from archsim.model.component import Component
from archsim.model.machine import Machine, assemble
from archsim.model.plan import Plan, PlanError
from archsim.model.run import Run
from archsim.model.stack import Stack
from archsim.model.trace import Trace

Build = Callable[..., Trace]

FREE = {"static": "0 W"}
BYTE = {"read": "4 pJ/B", "write": "4 pJ/B"}
LINKS: Mapping[str, dict[str, Any]] = {
    "column": {"between": ["bank", "unit"], "count": 8, "bandwidth": "unlimited"},
    "lane": {"between": ["root", "unit"], "count": 4, "bandwidth": "1 GB/s", "latency": "50 ns"},
    "hub": {"between": ["root", "l2"], "bandwidth": "unlimited", "latency": "10 ns"},
    "xbar": {"between": ["l2", "sm"], "bandwidth": "100 GB/s", "latency": "20 ns"},
    "wire": {"between": ["device", "device"], "topology": "line", "bandwidth": "1 GB/s", "latency": "1 us"},
}


def components(**changed: Component | None) -> dict[str, Component]:
    found: dict[str, Component | None] = {
        "bank": Dram.model_validate(
            FREE | {"kind": "dram", "count": 8, "capacity": "1 MiB", "bandwidth": "2 GB/s", "energy": BYTE}
        ),
        "unit": unit(),
        "root": Switch.model_validate(FREE | {"kind": "switch", "bandwidth": "unlimited", "energy": "1 pJ/B"}),
        "l2": Sram.model_validate(FREE | {"kind": "sram", "capacity": "1 MiB", "bandwidth": "1 TB/s", "energy": BYTE}),
        "sm": Tile.model_validate(
            FREE
            | {"kind": "tile", "count": 2, "macs": {"bf16": "1 TMAC/s"}, "vector": "10 Gop/s"}
            | {"window": "32 KiB", "grain": "1 KiB", "energy": {"mac": {"bf16": "1 pJ/MAC"}, "vector": "5 pJ/op"}}
        ),
        **{name: Link.model_validate(item | {"energy": "1 pJ/B"}) for name, item in LINKS.items()},
    }
    return {name: item for name, item in (found | changed).items() if item is not None}


def unit(dtype: str = "bf16", *, adds: bool = False) -> MacUnit:
    given = FREE | {"kind": "mac_unit", "count": 8, "macs": {dtype: "4 GMAC/s"}, "through": "1 pJ/B"}
    adder = {"adder": {"rate": "1 Gop/s", "energy": "1 pJ/op"}} if adds else {}
    return MacUnit.model_validate(given | adder | {"energy": {"mac": {dtype: "1 pJ/MAC"}}})


def machine(devices: int = 1, **changed: Component | None) -> Machine:
    return assemble("small", "board", devices, components(**changed))


def stack(**fields: Any) -> Stack:
    return Stack.model_validate({"name": "test", "source": "test"} | fields)


def planned(trace: Trace, on: Machine, batch: int = 1, *, software: Stack | None = None, **fields: Any) -> Plan:
    return plan(trace, on, NearMemory.model_validate({"kind": "near_memory"} | fields), software or stack(), batch)


def audited(trace: Trace, mapped: Plan, on: Machine) -> Run:
    done = simulate(mapped.graph)
    assert audit(trace, mapped, on, done) == ()
    return done


def read(done: Run, component: str, tensor: str) -> int:
    return sum(
        count
        for key, count in done.counts.items()
        if (key.component, key.action, key.tensor) == (component, "read", tensor)
    )


def moved(done: Run, link: str, operator: str, tensor: str) -> int:
    return sum(
        count
        for key, count in done.counts.items()
        if (key.component, key.action, key.operator, key.tensor) == (link, "move", operator, tensor)
    )


@pytest.mark.parametrize("fields", [{}, {"split": 4}, {"reuse": 4}, {"fusion": False}, {"host_rows": "never"}])
@pytest.mark.parametrize("adds", [False, True])
@pytest.mark.parametrize("batch", [1, 3])
def test_the_books_balance(decoder: Build, fields: dict[str, Any], adds: bool, batch: int) -> None:
    trace, on = decoder(batch=batch), machine(unit=unit(adds=adds))
    mapped = planned(trace, on, batch, **fields)
    assert audit(trace, mapped, on, simulate(mapped.graph)) == ()


def test_alone_the_simulation_takes_the_sum_of_its_phases(decoder: Build) -> None:
    trace, on = decoder(), machine()
    mapped = planned(trace, on, software=stack(vector={"launch": "1 us"}, near_memory={"phase": "2 us"}))
    expected = sum(alone(segment.tasks) * segment.times for segment in mapped.graph.segments)
    assert audited(trace, mapped, on).picoseconds == expected


def test_each_product_pays_its_phase_once(decoder: Build) -> None:
    trace, on = decoder(), machine()
    slow, fast = (
        simulate(planned(trace, on, host_rows="never", software=stack(near_memory={"phase": phase})).graph).picoseconds
        for phase in ("1 us", "0 us")
    )
    products = 2 * (4 + 2) + 1  # QKV, out, up, down, scores and values in two layers, and the head
    assert slow - fast == products * 1_000_000


def test_inputs_go_to_every_lane(decoder: Build) -> None:
    trace, on = decoder(), machine()
    done = audited(trace, planned(trace, on, split=1, host_rows="never"), on)
    hidden = 2 * 128
    assert moved(done, "lane", "qkv", "inputs") == 2 * 4 * hidden
    assert moved(done, "hub", "qkv", "inputs") == 2 * hidden


def test_a_split_product_takes_back_partial_sums_that_the_tree_adds(decoder: Build) -> None:
    trace, on = decoder(), machine(unit=unit(adds=True))
    done = audited(trace, planned(trace, on, split=2, host_rows="never"), on)
    outputs = 8 * 16
    assert moved(done, "lane", "attn_out", "outputs") == 2 * 2 * outputs * 4
    assert moved(done, "hub", "attn_out", "outputs") == 2 * outputs * 2
    added = sum(n for key, n in done.counts.items() if (key.action, key.operator) == ("add", "attn_out"))
    assert added == 2 * outputs


@pytest.mark.parametrize("batch", [1, 2, 8])
def test_without_reuse_banks_read_all_weights_for_each_sequence(decoder: Build, batch: int) -> None:
    trace, on = decoder(batch=batch), machine()
    done = audited(trace, planned(trace, on, batch, host_rows="never"), on)
    head = next(op for op, _, _ in trace.executions() if op.name == "head")
    weights = next(tensor.bytes for tensor in head.reads if tensor.role == "weights")
    served = sum(n for key, n in done.counts.items() if key[:3] == ("bank", "read", "head") and key.tensor == "weights")
    assert served == batch * weights


def test_products_of_many_rows_leave_the_memories_where_that_is_faster(decoder: Build) -> None:
    at_unit = [planned(decoder(batch=batch), machine(), batch).settings.get("at unit", "") for batch in (1, 64)]
    assert "gate_up" in at_unit[0]
    assert "gate_up" not in at_unit[1]
    assert "attention" in at_unit[1]


def test_products_leave_at_the_rows_that_are_named(decoder: Build) -> None:
    for batch, place in ((3, "at unit"), (4, "at sm")):
        assert "gate_up" in planned(decoder(batch=batch), machine(), batch, host_rows=4).settings[place]


def test_the_softmax_and_the_norms_run_on_the_host_part(decoder: Build) -> None:
    trace, on = decoder(), machine()
    done = audited(trace, planned(trace, on), on)
    vectors = {key.operator for key in done.counts if (key.component, key.action) == ("sm", "vector")}
    assert {"attention", "attn_norm", "ffn_norm", "activation"} <= vectors


def test_a_data_type_that_the_units_lack_is_done_elsewhere_and_said(decoder: Build) -> None:
    trace, on = decoder(), machine(unit=unit("int8"))
    mapped = planned(trace, on)
    assert mapped.warnings == ("`unit` does not compute in `bf16`: products run on `sm`",)
    audited(trace, mapped, on)


def test_devices_that_share_every_operator_add_up_their_parts(decoder: Build) -> None:
    trace, on = decoder(), machine(devices=2)
    mapped = planned(trace, on)
    done = audited(trace, mapped, on)
    assert mapped.parallel == {"tensor_parallel": 2}
    assert any(key.operator == "attn_out_all_reduce" for key in done.counts)


@pytest.mark.parametrize(
    ("changed", "text"),
    [
        ({"unit": None, "column": None, "lane": None}, "no route|one group of units"),
        ({"column": None}, "no route from `bank` to"),
        ({"other": unit()}, "one group of units computes at `bank`, not 2: unit, other"),
    ],
)
def test_a_machine_without_units_at_its_memory_is_refused(decoder: Build, changed: dict[str, Any], text: str) -> None:
    with pytest.raises(PlanError, match=text) as caught:
        planned(decoder(), machine(**changed))
    assert caught.value.where[0] == "hardware"


def test_a_data_type_that_nothing_computes_in_is_refused(decoder: Build) -> None:
    trace = decoder(dtypes={"weights": "int4", "kv": "int8", "activations": "fp8"})
    tiled = stack(gemm={"tiles": [[64, 64]]})
    with pytest.raises(PlanError, match="nothing in small computes `qkv` in `fp8`") as caught:
        planned(trace, machine(), software=tiled)
    assert caught.value.where == ("workload", "dtypes", "activations")


def test_what_does_not_fit_says_by_how_much(decoder: Build) -> None:
    with pytest.raises(PlanError, match=r"the model does not fit: .* too much") as caught:
        planned(decoder(prompt_tokens=200_000), machine())
    assert caught.value.where == ("hardware", "components", "bank")
