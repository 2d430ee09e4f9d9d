"""One streamed GEMM on an H100-like machine, from its moves to its ledger, alone and beside a KV read, worked by hand.

The gate and up projection of Llama-3.1-8B at batch 1 in bf16: K = 4096, N = 28672. Weights go from HBM over L2 to the
tiles, inputs and outputs live in L2.
"""

import pytest

from archsim.components.hbm_stack import HbmStack
from archsim.components.link import Link
from archsim.components.sram import Sram
from archsim.components.tile import Tile
from archsim.engine.simulate import simulate
from archsim.model.component import Component
from archsim.model.ledger import ledger
from archsim.model.machine import Machine, assemble
from archsim.model.request import Move, Requester, Work
from archsim.model.run import CountKey, Mark, Span
from archsim.model.taskgraph import PS_PER_SECOND, TICKS, Flow, Leg, Port, Segment, Task, TaskGraph

WEIGHTS = 2 * 4096 * 28672
MACS = 4096 * 28672
KV = 20_000_000
ALONE = 70_795_915

LEGS = (
    # component, action, tensor, bill, critical, ways: port, critical / rate in ps
    (Leg("hbm", "read", "weights", WEIGHTS, 46_976_205, 5), Port("hbm", "io"), 70_113_738.8),
    (Leg("mem", "move", "weights", WEIGHTS, WEIGHTS, 1), Port("mem", "down"), 70_113_738.5),
    (Leg("l2", "write", "weights", WEIGHTS, WEIGHTS, 1), Port("l2", "write"), 42_705_640.7),
    (Leg("l2", "read", "weights", WEIGHTS, WEIGHTS, 1), Port("l2", "read"), 42_705_640.7),
    (Leg("xbar", "move", "weights", WEIGHTS, WEIGHTS, 1), Port("xbar", "down"), 42_705_640.7),
    (Leg("l2", "read", "inputs", 8192, 8192, 1), Port("l2", "read"), 1_489.5),
    (Leg("xbar", "move", "inputs", 8192, 8192, 1), Port("xbar", "down"), 1_489.5),
    (Leg("xbar", "move", "outputs", 57_344, 57_344, 1), Port("xbar", "up"), 10_426.2),
    (Leg("l2", "write", "outputs", 57_344, 57_344, 1), Port("l2", "write"), 10_426.2),
    (Leg("sm", "mac_bf16", "", MACS, 889_701, 132), Port("sm", "mac"), 237_253.6),
)


def built() -> Machine:
    byte = {"read": "1 pJ/B", "write": "1 pJ/B"}
    components: dict[str, Component] = {
        "hbm": HbmStack.model_validate(
            {
                "kind": "hbm_stack",
                "count": 5,
                "capacity": "16 GiB",
                "bandwidth": "670 GB/s",
                "latency": "480 ns",
                "static": "0.9 W",
                "energy": byte,
            }
        ),
        "l2": Sram.model_validate(
            {"kind": "sram", "capacity": "50 MiB", "bandwidth": "5.5 TB/s", "static": "0.5 W", "energy": byte}
        ),
        "sm": Tile.model_validate(
            {
                "kind": "tile",
                "count": 132,
                "macs": {"bf16": "3.75 TMAC/s"},
                "vector": "unlimited",
                "window": "32 KiB",
                "grain": "16 KiB",
                "static": "0.8 W",
                "energy": {"mac": {"bf16": "1 pJ/MAC"}, "vector": "5 pJ/op"},
            }
        ),
        "mem": Link.model_validate(
            {"between": ["hbm", "l2"], "bandwidth": "3.35 TB/s", "latency": "100 ns", "energy": "65 pJ/B"}
        ),
        "xbar": Link.model_validate(
            {"between": ["l2", "sm"], "bandwidth": "5.5 TB/s", "latency": "100 ns", "energy": "65 pJ/B"}
        ),
    }
    return assemble("example", "board", 1, components)


MACHINE = built()


def gemm() -> Flow:
    moves = [
        Move("weights", "hbm", "l2", WEIGHTS),
        Move("weights", "l2", "sm", WEIGHTS),
        Move("inputs", "l2", "sm", 8192),
        Move("outputs", "sm", "l2", 57_344),
    ]
    return MACHINE.flow(moves, [Work("sm", "mac_bf16", MACS, 889_701, 132)], Requester(132, 32 * 1024, 16 * 1024))


def kv() -> Flow:
    moves = [Move("kv", "hbm", "l2", KV), Move("kv", "l2", "sm", KV)]
    return MACHINE.flow(moves, [], Requester(32, 32 * 1024, 16 * 1024))


def graph(**flows: Flow) -> TaskGraph:
    """A task for each flow, none waiting for another."""
    return TaskGraph(
        tuple(Segment((Task(name, "decode", (flow,)),), closes=name) for name, flow in flows.items()),
    )


def test_the_legs_are_those_of_the_table() -> None:
    assert gemm().legs == tuple(leg for leg, _, _ in LEGS)


@pytest.mark.parametrize(("leg", "port", "picoseconds"), LEGS)
def test_a_leg_takes_critical_over_rate(leg: Leg, port: Port, picoseconds: float) -> None:
    action = MACHINE.actions[leg.component][leg.action]
    assert action.rate is not None
    assert leg.critical * PS_PER_SECOND / action.rate == pytest.approx(picoseconds, abs=0.06)
    assert (port, leg.action) in {(need.port, need.action) for need in gemm().needs}


def test_legs_of_one_port_add_up() -> None:
    sums: dict[Port, float] = {}
    for _, port, picoseconds in LEGS:
        sums[port] = sums.get(port, 0.0) + picoseconds
    found: dict[Port, float] = {}
    for need in gemm().needs:
        found[need.port] = found.get(need.port, 0.0) + need.ticks / TICKS
    assert found == {port: pytest.approx(value, abs=0.2) for port, value in sums.items()}


def test_the_memory_gives_the_flow_its_own_time() -> None:
    flow = gemm()
    assert flow.own / TICKS == pytest.approx(70_113_738.8, abs=0.05)
    assert flow.own == next(need.ticks for need in flow.needs if need.port == Port("hbm", "io"))


def test_little_does_not_hold_it_back() -> None:
    supplied = WEIGHTS / (132 * 32 * 1024 / (680_000 + 2_176))
    assert gemm().stall / TICKS == pytest.approx(supplied, rel=1e-6)
    assert gemm().stall < gemm().own


def test_the_fill_is_the_longest_route_and_the_drain_one_grain_of_compute() -> None:
    assert (gemm().fill, gemm().drain) == (480_000 + 100_000 + 0 + 100_000, 237_254 // 109)


def test_a_tile_asks_for_109_grains_of_the_weights() -> None:
    assert (gemm().lead, gemm().weight) == (WEIGHTS, 132)
    assert -(-WEIGHTS // (132 * 16 * 1024)) == 109


def test_alone_it_takes_fill_own_time_and_drain() -> None:
    run = simulate(graph(gemm=gemm()))
    assert run.picoseconds == ALONE
    assert run.held == {Span("gemm", "decode"): ALONE}


def test_the_ledger_has_the_bills_and_the_time_of_every_instance() -> None:
    run = simulate(graph(gemm=gemm()))
    rows = {(row.component, row.action, row.tensor): (row.count, row.unit) for row in ledger(run, MACHINE)}
    units = {"mac_bf16": "MAC"}
    bills = {(leg.component, leg.action, leg.tensor): (leg.bill, units.get(leg.action, "B")) for leg, _, _ in LEGS}
    static = {(name, "static", ""): (ALONE * count, "ps") for name, count in (("hbm", 5), ("l2", 1), ("sm", 132))}
    assert rows == bills | static
    assert {row.operator for row in ledger(run, MACHINE)} == {"gemm"}


def test_the_reader_is_bound_by_its_window() -> None:
    assert kv().own / TICKS == pytest.approx(12_969_970.7, abs=0.05)
    assert (kv().own, kv().fill, kv().drain) == (kv().stall, 680_000, 0)


def test_both_meet_at_the_memory_and_share_it_by_requesters() -> None:
    run = simulate(graph(gemm=gemm(), kv=kv()))
    assert run.marks == (Mark("kv", 31_277_016), Mark("gemm", 76_766_065))
    assert run.counts[CountKey("hbm", "read", "kv", "decode", "kv")] == KV
