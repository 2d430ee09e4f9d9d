"""All-reduce: bytes and time by the formula of the algorithm that the stack's regime names."""

from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any

import pytest

from archsim.mappers.access import Paths
from archsim.mappers.collectives import Fabric, all_reduce, device_link, refuse_stated, stated
from archsim.model.machine import Machine
from archsim.model.plan import PlanError
from archsim.model.stack import Stack
from archsim.model.taskgraph import TICKS, Task
from archsim.model.trace import Block, Collective, Operator, Trace

Build = Callable[..., Machine]
DEVICES = 4
MESSAGE = 2 * 128  # hidden values of bf16, one sequence


def stack(*regimes: Mapping[str, Any]) -> Stack:
    return Stack.model_validate({"name": "s", "source": "test", "collectives": {"all_reduce": regimes}})


@pytest.fixture
def reduced(machine: Build, paths: Paths, operators: Mapping[str, Operator]) -> Callable[..., Task]:
    """`reduced({"algorithm": "ring"})`: the all-reduce after `down` on four devices."""

    def build(*regimes: Mapping[str, Any], devices: int = DEVICES) -> Task:
        fabric = Fabric(machine(devices=devices), stack(*regimes), paths)
        return all_reduce(operators["down"], "decode", fabric, devices, Fraction(devices))

    return build


def wire_bytes(task: Task) -> int:
    """Bytes on the links of all devices."""
    return sum(leg.bill for flow in task.flows for leg in flow.legs if leg.component == "wire")


@pytest.mark.parametrize(
    ("algorithm", "sent"),
    [
        ("one-shot", MESSAGE * 3),
        ("two-shot", 2 * MESSAGE * 3 // 4),
        ("ring", 2 * MESSAGE * 3 // 4),
        ("in-switch", MESSAGE),
    ],
)
def test_each_device_sends_what_its_algorithm_sends(reduced: Callable[..., Task], algorithm: str, sent: int) -> None:
    task = reduced({"algorithm": algorithm})
    assert wire_bytes(task) == DEVICES * sent
    assert task.flows[0].own / TICKS == pytest.approx(sent / 50e9 * 1e12)


def test_a_sustained_bandwidth_below_the_links_own_takes_its_place(reduced: Callable[..., Task]) -> None:
    task = reduced({"algorithm": "ring", "bandwidth": "10 GB/s"})
    assert task.flows[0].own / TICKS == pytest.approx(384 / 10e9 * 1e12)


def test_devices_do_not_add_what_the_switch_adds(reduced: Callable[..., Task]) -> None:
    task = reduced({"algorithm": "in-switch"})
    assert not [leg for flow in task.flows for leg in flow.legs if leg.action == "vector"]


@pytest.mark.parametrize(("topology", "base"), [("switch", 1), ("ring", 2)])
def test_only_a_switch_adds_up(
    machine: Build, paths: Paths, operators: Mapping[str, Operator], topology: str, base: int
) -> None:
    regimes = stack({"algorithm": "in-switch", "base": "1 us", "hop": "0 us"}, {"base": "2 us", "hop": "0 us"})
    fabric = Fabric(machine(devices=DEVICES, topology=topology), regimes, paths)
    assert all_reduce(operators["down"], "decode", fabric, DEVICES, Fraction(DEVICES)).launch == base * 10**6


@pytest.mark.parametrize(("least", "base"), [(4, 1), (5, 2)])
def test_fewer_devices_than_a_regime_asks_for_take_a_later_one(
    reduced: Callable[..., Task], least: int, base: int
) -> None:
    task = reduced({"devices": least, "base": "1 us", "hop": "0 us"}, {"base": "2 us", "hop": "0 us"})
    assert task.launch == base * 10**6


def test_the_base_and_a_hop_for_every_other_device_come_first(reduced: Callable[..., Task]) -> None:
    assert reduced({"base": "4 us", "hop": "60 ns"}).launch == 4_000_000 + 3 * 60_000


@pytest.mark.parametrize(("up_to", "sent"), [(MESSAGE, 3 * MESSAGE), (MESSAGE - 1, 2 * MESSAGE * 3 // 4)])
def test_the_regime_changes_above_its_threshold(reduced: Callable[..., Task], up_to: int, sent: int) -> None:
    task = reduced({"up_to": f"{up_to} B", "algorithm": "one-shot"}, {"algorithm": "ring"})
    assert wire_bytes(task) == DEVICES * sent


@pytest.mark.parametrize(("algorithm", "additions"), [("one-shot", 128 * 3), ("ring", 128 * 3 // 4)])
def test_every_element_is_added_on_every_device_or_once(
    reduced: Callable[..., Task], algorithm: str, additions: int
) -> None:
    legs = [leg for leg in reduced({"algorithm": algorithm}).flows[1].legs if leg.action == "vector"]
    assert sum(leg.bill for leg in legs) == DEVICES * additions


def test_the_sum_passes_the_memory_of_activations_of_each_device(reduced: Callable[..., Task]) -> None:
    legs = reduced({}).flows[1].legs
    touched = {(leg.component, leg.action): leg.bill for leg in legs if leg.component == "l2"}
    assert touched == {("l2", "read"): DEVICES * MESSAGE, ("l2", "write"): DEVICES * MESSAGE}


def test_the_task_is_named_after_the_operator_it_completes(reduced: Callable[..., Task]) -> None:
    assert reduced({}).operator == "down_all_reduce"


def test_devices_without_a_link_cannot_share_work(machine: Build) -> None:
    assert device_link(machine(devices=2)) == "wire"
    with pytest.raises(PlanError, match="several devices share the work, but no link joins them"):
        device_link(machine(devices=2, without="wire"))


@pytest.mark.parametrize(
    ("kind", "sent", "additions"),
    [
        ("all_reduce", 2 * 1000 * 3 // 4, 500 * 3 // 4),
        ("all_gather", 1000 * 3 // 4, 0),
        ("reduce_scatter", 1000 * 3 // 4, 500 * 3 // 4),
        ("all_to_all", 1000 * 3 // 4, 0),
    ],
)
def test_each_kind_sends_and_adds_its_part(machine: Build, paths: Paths, kind: Any, sent: int, additions: int) -> None:
    asked = Collective(kind, 1000)
    task = stated(Operator("x", (), (), shape=asked), asked, "decode", Fabric(machine(devices=4), stack({}), paths))
    assert wire_bytes(task) == DEVICES * sent
    added = sum(leg.bill for flow in task.flows for leg in flow.legs if leg.action == "vector")
    assert added == DEVICES * additions


def test_other_mappers_make_their_own_collectives() -> None:
    asked = Operator("x", (), (), shape=Collective("all_reduce", 1))
    with pytest.raises(PlanError, match="`x` is a collective"):
        refuse_stated(Trace((Block((asked,), "decode"),), (), 0))


def test_the_part_that_a_device_keeps_comes_after_the_others(reduced: Callable[..., Task]) -> None:
    regime = {"algorithm": "ring", "hop": "0 us"}
    assert reduced({**regime, "own": "1 TB/s"}).launch - reduced(regime).launch == MESSAGE // DEVICES  # 1 ps a byte


@pytest.mark.parametrize("last", [{"up_to": "1 MiB"}, {"devices": 8}])
def test_regimes_end_with_one_for_any_size_and_devices(last: Mapping[str, Any]) -> None:
    with pytest.raises(ValueError, match="the last regime takes any size and number of devices"):
        stack(last)
