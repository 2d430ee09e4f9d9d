"""A limit of board power against its closed form: P(x) = constant + (fixed + clocked x^(beta - 1)) / T(x)."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest

from archsim.model.capping import STEPS, Capped, capped
from archsim.model.hardware import PowerCap
from archsim.model.machine import Machine
from archsim.model.price import Price
from archsim.model.pricing import PriceList, price_list
from archsim.model.request import Move, Requester, Work
from archsim.model.tariff import Place, Tariff
from archsim.model.taskgraph import Segment, Task, TaskGraph

Build = Callable[..., Machine]
CONSTANT = 2 * 1.0 + 4 * 0.25
MACS = 4 * 10**12  # a second of all four tiles
PEAK_W = 4.0  # 4e12 MAC/s x 1 pJ
BETA = 2.0


def prices_of(machine: Machine) -> PriceList:
    return price_list(machine, "a test", {})


def limited(
    machine: Machine, tasks: Mapping[str, Task], watts: float, *, lasting: frozenset[str] = frozenset(), **fields: Any
) -> Capped:
    cap = {"power": f"{watts} W", "exponent": BETA, "clocked": ["sm"]} | fields
    prices = prices_of(machine)
    graph = TaskGraph((Segment(tuple(tasks.values()), 3),))
    return capped(graph, machine, PowerCap.model_validate(cap), Tariff(*(prices,) * 5), lasting=lasting)


def multiplying(machine: Machine, macs: int = MACS, size: int = 0) -> Task:
    """A kernel of all four tiles, with bytes read beside it."""
    moves = [Move("weights", "hbm", "sm", size)] if size else []
    flow = machine.flow(moves, [Work("sm", "mac_bf16", macs, macs // 4, 4)], Requester(4))
    return machine.at_work(Task("mlp", "decode", (flow,)), "sm", 4)


def test_within_the_limit_nothing_changes(machine: Build) -> None:
    built = machine()
    task = multiplying(built)
    found = limited(built, {"mlp": task}, CONSTANT + PEAK_W + 0.01)
    assert (found.graph.segments[0].tasks[0], found.slowed, found.factors) == (task, (), {})


@pytest.mark.parametrize(("share", "beta"), [(0.5, 1.0), (0.5, 2.0), (0.81, 2.0), (0.729, 3.0)])
def test_a_kernel_that_only_computes_falls_to_the_root_of_its_share(machine: Build, share: float, beta: float) -> None:
    # power above the constant goes with clock^beta: at share^(1 / beta) of the clock it is share of the peak
    built = machine()
    found = limited(built, {"mlp": multiplying(built)}, CONSTANT + PEAK_W * share, exponent=beta)
    [slow] = found.slowed
    assert slow.clock == pytest.approx(share ** (1 / beta), abs=1 / STEPS)
    assert found.graph.segments[0].tasks[0].alone == pytest.approx(1e12 / slow.clock, rel=1e-9)


def test_the_watts_of_a_slowed_kernel_are_the_limit(machine: Build) -> None:
    built = machine()
    limit = CONSTANT + 3.0
    found = limited(built, {"mlp": multiplying(built, size=50 * 10**9)}, limit)
    task = found.graph.segments[0].tasks[0]
    prices = prices_of(built)
    joules = sum(
        leg.bill * prices[leg.component, leg.action].value * found.factors.get(Place("mlp", "decode", *pair), 1.0)
        for flow in task.flows
        for leg in flow.legs
        for pair in [(leg.component, leg.action)]
    )
    assert limit * (1 - 3 / STEPS) <= CONSTANT + joules / task.alone <= limit


def test_a_memory_keeps_its_rate(machine: Build) -> None:
    built = machine()
    task = multiplying(built, macs=10**9, size=10**11)
    found = limited(built, {"mlp": task}, CONSTANT)
    slow = found.graph.segments[0].tasks[0]
    before, after = ({need.port: need.ticks for need in item.flows[0].needs} for item in (task, slow))
    assert [port.component for port in before if after[port] > before[port]] == ["sm"]


def test_tiles_are_at_work_for_as_long_as_the_slower_kernel_takes(machine: Build) -> None:
    built = machine(devices=2)
    found = limited(built, {"mlp": multiplying(built)}, CONSTANT + PEAK_W / 2)
    task = found.graph.segments[0].tasks[0]
    [leg] = [leg for leg in task.flows[0].legs if leg.action == "active"]
    assert leg.critical == task.alone
    assert leg.bill == pytest.approx(2 * 4 * task.alone, rel=1e-9)
    assert leg.bill <= leg.critical * leg.ways


def test_a_price_falls_by_what_each_kernel_of_an_operator_counts(machine: Build) -> None:
    # of two kernels one is within the limit: its MACs, a hundredth, keep their price
    built = machine()
    one, small = multiplying(built), replace(multiplying(built, macs=MACS // 100), launch=10**12)
    found = limited(built, {"one": one, "small": small}, CONSTANT + PEAK_W / 2)
    factor = found.slowed[0].clock ** (BETA - 1)
    expected = (MACS * factor + MACS // 100) / (MACS + MACS // 100)
    assert found.factors[Place("mlp", "decode", "sm", "mac_bf16")] == pytest.approx(expected)


def test_a_limit_below_what_the_board_always_takes_ends_at_the_lowest_clock(machine: Build) -> None:
    built = machine()
    [slow] = limited(built, {"mlp": multiplying(built)}, CONSTANT / 2).slowed
    assert slow.clock == 1 / STEPS


def test_prices_of_a_mix_beyond_the_limit_cost_time(machine: Build) -> None:
    """Alone the kernel is within the limit; in the mix its MACs cost five times as much, and its clock falls for it."""
    built = machine()
    alone = prices_of(built)
    mix = {**alone, ("sm", "mac_bf16"): alone["sm", "mac_bf16"].scaled(5)}
    task = multiplying(built)
    cap = PowerCap.model_validate({"power": f"{CONSTANT + 5} W", "exponent": BETA, "clocked": ["sm"]})
    found = capped(TaskGraph((Segment((task,)),)), built, cap, Tariff(alone, alone, *(mix,) * 3))
    clock = found.slowed[0].clock
    assert clock == pytest.approx((5 / (5 * PEAK_W)) ** (1 / BETA), abs=1 / STEPS)
    assert found.graph.segments[0].tasks[0].alone == pytest.approx(1e12 / clock, rel=1e-9)


def test_tiles_at_work_draw_less_at_a_lower_clock(machine: Build) -> None:
    """Their watts fall as those of MACs that never wait, by clock^beta."""
    built = machine()
    active = Price(value=0.5, low=0.5, high=0.5, grade="assumed", source="a test")
    prices = {**prices_of(built), ("sm", "active"): active}
    cap = PowerCap.model_validate({"power": f"{CONSTANT + 3} W", "exponent": BETA, "clocked": ["sm"]})
    graph = TaskGraph((Segment((multiplying(built),)),))
    found = capped(graph, built, cap, Tariff(*(prices,) * 5))
    clock = found.slowed[0].clock
    assert clock == pytest.approx((3 / (PEAK_W + 4 * 0.5)) ** (1 / BETA), abs=1 / STEPS)
    assert found.factors[Place("mlp", "decode", "sm", "active")] == pytest.approx(clock**BETA)


def test_what_ends_before_the_limit_settles_is_not_held(machine: Build) -> None:
    """Three times a second of work: over before 3.1 s, unless its phase goes on."""
    built = machine()
    tasks, watts = {"mlp": multiplying(built)}, CONSTANT + PEAK_W / 2
    assert limited(built, tasks, watts, settles="3.1 s").slowed == ()
    assert limited(built, tasks, watts, settles="2.9 s").slowed
    assert limited(built, tasks, watts, settles="3.1 s", lasting=frozenset({"decode"})).slowed


@pytest.mark.parametrize("settles", [0.5, 1.0, 2.0, 2.999])
def test_the_limit_acts_on_what_is_left_when_it_settles(machine: Build, settles: float) -> None:
    """Of three seconds of work, those before are done at the nominal clock and at its price."""
    built = machine()
    found = limited(built, {"mlp": multiplying(built)}, CONSTANT + PEAK_W / 4, settles=f"{settles} s")
    [slow] = found.slowed
    assert slow.clock == pytest.approx(0.5, abs=1 / STEPS)
    assert slow.after_s == settles
    taken = 3 * found.graph.segments[0].tasks[0].alone / 1e12
    assert taken == pytest.approx(settles + (3 - settles) / slow.clock, rel=1e-9)
    paid = found.factors[Place("mlp", "decode", "sm", "mac_bf16")] * PEAK_W * 3
    assert paid == pytest.approx(PEAK_W * settles + PEAK_W / 4 * (taken - settles), rel=0.01)


def test_kernels_of_a_phase_share_the_clock_at_which_their_mean_is_the_limit(machine: Build) -> None:
    """A second at the peak and one with nothing to do: their mean may be half of the peak, and no clock is lower."""
    built = machine()
    idle = Task("host", "decode", (), 10**12)
    tasks = {"mlp": multiplying(built), "host": idle}
    assert limited(built, tasks, CONSTANT + PEAK_W / 2, settles="1 s").slowed == ()
    [slow] = limited(built, tasks, CONSTANT + PEAK_W / 4, settles="1 s").slowed
    x = slow.clock
    assert PEAK_W * x ** (BETA - 1) / (1 / x + 1) == pytest.approx(PEAK_W / 4, rel=0.01)
