"""What an operator waits for, named in cases made to wait for one thing."""

from collections.abc import Callable
from typing import Any

import pytest

from archsim.engine.simulate import simulate
from archsim.model.limits import OperatorTime, operator_times
from archsim.model.machine import Machine
from archsim.model.request import Move, Requester, Work
from archsim.model.taskgraph import Segment, Task, TaskGraph

Build = Callable[..., Machine]


def line(machine: Machine, size: int, macs: int, launch: int = 0, window: int | None = None) -> OperatorTime:
    work = [Work("sm", "mac_bf16", macs, -(-macs // 4), 4)]
    flow = machine.flow([Move("x", "hbm", "sm", size)], work, Requester(4, window, 1024))
    graph = TaskGraph((Segment((Task("o", "decode", (flow,), launch),)),))
    [found] = operator_times(graph, simulate(graph), machine)
    return found


SLOW, FAST = "150 GB/s", "1 TB/s"  # the link, beside a memory of 200 GB/s
WAITS = {
    "hbm io": (FAST, {"size": 10**9, "macs": 10**6}, "bus down"),
    "bus down": (SLOW, {"size": 10**9, "macs": 10**6}, "hbm io"),
    "sm mac": (FAST, {"size": 10**6, "macs": 10**12}, "hbm io"),
    "launch and fill": (FAST, {"size": 10**3, "macs": 10**3, "launch": 10**9}, "hbm io"),
    "outstanding requests": (FAST, {"size": 10**9, "macs": 10**6, "window": 1024}, "hbm io"),
}


@pytest.mark.parametrize("limiter", WAITS)
def test_the_limiter_is_what_takes_longest(machine: Build, limiter: str) -> None:
    bus, asked, second = WAITS[limiter]
    found = line(machine(bus={"bandwidth": bus}), **asked)
    assert (found.limiter, found.second_limiter) == (limiter, second)


def test_the_roofline_is_the_traffic_at_peak_and_not_at_the_sustained_rate(machine: Build) -> None:
    found = line(machine(hbm={"efficiency": 0.5}, bus={"bandwidth": "unlimited"}), 10**9, 10**6)
    assert found.bound_s == pytest.approx(10**9 / 200e9)
    assert found.time_s == pytest.approx(2 * found.bound_s, rel=1e-3)
    assert (found.peak, found.unit) == (200e9, "B/s")
    assert found.achieved == pytest.approx(100e9, rel=1e-3)


def test_shares_and_times_of_all_operators_add_up(machine: Build) -> None:
    small = machine()
    flow = small.flow([Move("x", "hbm", "sm", 10**6)], [], Requester(4))
    tasks = tuple(Task(name, "decode", (flow,), after=("s",), makes=("s",)) for name in "aba")
    graph = TaskGraph((Segment(tasks, 5),))
    run = simulate(graph)
    found = operator_times(graph, run, small)
    assert [item.operator for item in found] == ["a", "b"]
    assert sum(item.share for item in found) == pytest.approx(1)
    assert sum(item.time_s for item in found) == pytest.approx(run.picoseconds / 1e12)
    assert found[0].time_s == pytest.approx(2 * found[1].time_s)
    assert found[0].bound_s == pytest.approx(2 * found[1].bound_s)


def test_an_operator_that_takes_no_time_waits_for_nothing(machine: Build) -> None:
    free = {"bandwidth": "unlimited", "latency": "0 ns"}
    found = line(machine(hbm=free, bus=free, sm={"macs": {"bf16": "unlimited"}}), 10**6, 10**6)
    assert (found.time_s, found.limiter, found.second_limiter, found.bound_s) == (0.0, "nothing", "nothing", 0.0)


def test_both_ways_of_a_link_are_bounds_of_their_own(machine: Build) -> None:
    small = machine(hbm={"bandwidth": "unlimited"}, bus={"bandwidth": "1 GB/s"})
    moves = [Move("x", "hbm", "sm", 10**6), Move("y", "sm", "hbm", 10**6, posted=True)]
    graph = TaskGraph((Segment((Task("o", "decode", (small.flow(moves, [], Requester(4)),)),)),))
    [found] = operator_times(graph, simulate(graph), small)
    assert found.bound_s == pytest.approx(1e-3)


def test_no_bound_is_above_the_time(machine: Build) -> None:
    settings: list[dict[str, Any]] = [{}, {"bus": {"bandwidth": "1 TB/s"}}, {"hbm": {"efficiency": 0.3}}]
    for fields in settings:
        found = line(machine(**fields), 10**7, 10**9)
        assert found.bound_s <= found.time_s
