"""How the machine makes a flow of moves and work: own time, loads, fill, drain and Little's bound, by formula."""

from collections.abc import Callable

import pytest

from archsim.model.machine import Machine
from archsim.model.request import Move, Requester, Work
from archsim.model.taskgraph import TICKS, Flow, Leg, Port

Build = Callable[..., Machine]
SIZE = 1_000_000
FREE = Requester(4)


def read(machine: Machine, requester: Requester = FREE, size: int = SIZE, macs: int = 0) -> Flow:
    work = [Work("sm", "mac_bf16", macs, -(-macs // 4), 4)] if macs else []
    return machine.flow([Move("x", "hbm", "sm", size)], work, requester)


def test_a_flow_alone_takes_its_slowest_port(machine: Build) -> None:
    # two stacks of 100 GB/s behind one link of 150 GB/s
    assert read(machine()).own / TICKS == pytest.approx(SIZE / 150e9 * 1e12)
    assert read(machine(bus={"bandwidth": "unlimited"})).own / TICKS == pytest.approx(SIZE / 200e9 * 1e12)


def test_work_that_does_not_divide_waits_for_its_busiest_instance(machine: Build) -> None:
    flow = read(machine(bus={"bandwidth": "unlimited"}), size=3)
    assert [leg.critical for leg in flow.legs] == [2, 3]
    assert flow.own == 2 * TICKS * 10**12 // 10**11


def test_nothing_to_do_takes_no_time(machine: Build) -> None:
    assert machine().flow([], [], FREE).own == 0


def test_unlimited_parts_take_no_time_and_load_nothing(machine: Build) -> None:
    flow = read(machine(hbm={"bandwidth": "unlimited"}, bus={"bandwidth": "unlimited"}))
    assert (flow.own, flow.loads) == (0, ())
    assert sum(leg.bill for leg in flow.legs) == 2 * SIZE


def test_all_legs_load_their_ports_no_longer_than_the_flow_lasts(machine: Build) -> None:
    flow = read(machine(), macs=10**6)
    assert {port.component for port, _ in flow.loads} == {"hbm", "bus", "sm"}
    assert all(0 < load <= flow.own for _, load in flow.loads)


def test_busy_tiles_load_their_pool_by_the_sum_and_take_the_longest_of_them(machine: Build) -> None:
    flow = machine().flow([], [Work("sm", "mac_bf16", 300, 200, 2)], FREE)
    assert flow.own == 200 * TICKS
    assert dict(flow.loads)[Port("sm", "mac")] == 2 * 200 * TICKS // 4


def test_the_busiest_stack_loads_the_memory(machine: Build) -> None:
    flow = read(machine(), size=3)
    assert dict(flow.loads)[Port("hbm", "io")] == 2 * TICKS * 10**12 // 10**11


def test_reads_and_writes_of_a_shared_port_add_up(machine: Build) -> None:
    moves = [Move("x", "hbm", "sm", SIZE), Move("y", "sm", "hbm", SIZE, posted=True)]
    flow = machine().flow(moves, [], FREE)
    assert flow.own / TICKS == pytest.approx(2 * SIZE / 200e9 * 1e12)


def test_the_two_ways_of_a_link_do_not_share(machine: Build) -> None:
    moves = [Move("x", "hbm", "sm", SIZE), Move("y", "sm", "hbm", SIZE, posted=True)]
    flow = machine(hbm={"bandwidth": "unlimited"}).flow(moves, [], FREE)
    assert flow.own / TICKS == pytest.approx(SIZE / 150e9 * 1e12)


def test_littles_law_bounds_a_small_window(machine: Build) -> None:
    # 1 KiB outstanding for each of 4 requesters over 500 ns: 8.192 GB/s
    flow = read(machine(), Requester(4, window=1024, grain=1024))
    assert flow.own == flow.stall
    assert flow.own / TICKS == pytest.approx(SIZE / 8.192e9 * 1e12)


def test_a_window_without_limit_never_stalls(machine: Build) -> None:
    assert read(machine()).stall == 0


def test_the_buffer_is_free_again_when_its_grain_is_computed(machine: Build) -> None:
    # 250 grains of 1000 B for each tile, each computed in 1000 ps: 500 + 1 ns
    flow = read(machine(), Requester(4, window=1024, grain=1000), macs=4 * 250_000)
    assert flow.stall / TICKS == pytest.approx(SIZE * 501_000 / 4096)


def test_fill_is_the_route_and_drain_a_grain_of_compute_where_supply_is_slower(machine: Build) -> None:
    flow = read(machine(), Requester(4, grain=1000), macs=4 * 250_000)
    assert (flow.fill, flow.drain) == (500_000, 250_000 // 250)


def test_fill_takes_a_grain_of_supply_where_compute_is_slower(machine: Build) -> None:
    flow = read(machine(), Requester(4, grain=1000), macs=4 * 25_000_000)
    supply = SIZE / 150e9 * 1e12
    assert (flow.fill, flow.drain) == (500_000 + int(-(-supply // 1)) // 250, 0)


def test_nobody_waits_for_what_is_posted(machine: Build) -> None:
    moves = [Move("y", "sm", "hbm", SIZE, posted=True)]
    assert machine().flow([Move("x", "hbm", "sm", 1), *moves], [], FREE).lead == 1
    assert machine().flow(moves, [], FREE).lead == SIZE


def test_a_reduction_adds_its_depth_to_the_drain(machine: Build) -> None:
    moves = [Move("x", "hbm", "sm", SIZE)]
    assert machine().flow(moves, [], FREE, drain=7_000).drain == read(machine()).drain + 7_000


def test_equal_devices_are_folded(machine: Build) -> None:
    one, three = read(machine(), macs=1000), read(machine(devices=3), macs=1000)
    assert (three.own, three.fill, three.drain, three.loads) == (one.own, one.fill, one.drain, one.loads)
    assert (three.lead, three.weight) == (3 * one.lead, 3 * one.weight)
    assert [(leg.bill, leg.critical, leg.ways) for leg in three.legs] == [
        (3 * leg.bill, leg.critical, 3 * leg.ways) for leg in one.legs
    ]


def test_lanes_share_a_transfer_and_the_busiest_requester_sets_the_time(machine: Build) -> None:
    lanes = machine(bus={"count": 4, "bandwidth": "1 GB/s"})
    even = lanes.flow([Move("x", "hbm", "sm", 1000)], [], FREE)
    uneven = lanes.flow([Move("x", "hbm", "sm", 1000, busiest=900)], [], FREE)
    assert [leg for leg in even.legs if leg.component == "bus"] == [Leg("bus", "move", "x", 1000, 250, 4)]
    assert [leg for leg in uneven.legs if leg.component == "bus"] == [Leg("bus", "move", "x", 1000, 900, 4)]


@pytest.mark.parametrize(("rate", "expected"), [(None, 150e9), (10**9, 1e9), (10**12, 150e9)])
def test_an_exchange_is_as_fast_as_its_link_or_the_software(machine: Build, rate: int | None, expected: float) -> None:
    flow = machine(devices=2).exchange("bus", "x", SIZE, rate)
    assert flow.own / TICKS == pytest.approx(SIZE / expected * 1e12)
    assert [leg.bill for leg in flow.legs] == [2 * SIZE]


def test_every_leg_holds_critical_bill_and_ways_together(machine: Build) -> None:
    for size in (1, 2, 3, 1000, 10**9 + 7):
        for leg in read(machine(), size=size, macs=size).legs:
            assert leg.critical <= leg.bill <= leg.critical * leg.ways


def test_tensors_of_one_name_that_travel_side_by_side_wait_for_one_latency(machine: Build) -> None:
    pair = [Move("weights", "hbm", "sm", 100), Move("weights", "hbm", "sm", 200)]
    assert machine().flow(pair, [], FREE).fill == machine().flow(pair[:1], [], FREE).fill


def test_a_window_is_held_against_the_latency_of_the_tensor_that_fills_it(machine: Build) -> None:
    near = machine(hbm={"latency": "0 ns"})
    bulk = Move("x", "sm", "hbm", SIZE)  # waits for the link alone, 100 ns
    small = Move("y", "hbm", "sm", 10)  # and this for memory as well, 500 ns
    slow, tight = machine(), Requester(4, 1024)
    assert slow.flow([bulk, small], [], tight).stall == near.flow([bulk], [], tight).stall
