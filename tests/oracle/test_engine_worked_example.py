"""One streamed GEMM on an H100-like machine, alone and beside a KV read, against numbers worked out by hand."""

import pytest

from archsim.engine.maxmin import demand, paces
from archsim.engine.simulate import simulate
from archsim.model.run import Mark
from archsim.model.taskgraph import PS_PER_SECOND, TICKS, Flow, Port, Segment, Task, TaskGraph

HBM = Port("hbm", "rw")
MAC = Port("sm", "mac")
WEIGHTS = 234_881_024
KV = 20_000_000
WINDOW = 32 * 1024


def ticks(critical: int, rate: int) -> int:
    return critical * PS_PER_SECOND * TICKS // rate


def path(stack: int, stream: int, extra: int = 0) -> dict[Port, int]:
    return {
        HBM: ticks(stack, 670 * 10**9),
        Port("mem", "down"): ticks(stream, 3350 * 10**9),
        Port("l2", "write"): ticks(stream, 5500 * 10**9),
        Port("l2", "read"): ticks(stream + extra, 5500 * 10**9),
        Port("xbar", "down"): ticks(stream + extra, 5500 * 10**9),
    }


def gemm() -> Flow:
    loads = path(46_976_205, WEIGHTS, extra=8192) | {
        Port("xbar", "up"): ticks(57_344, 5500 * 10**9),
        MAC: ticks(889_701, 3750 * 10**9),
    }
    loads[Port("l2", "write")] += ticks(57_344, 5500 * 10**9)
    return Flow((), max(loads.values()), tuple(loads.items()), 680_000, 2_176, WEIGHTS, 132)


def kv() -> Flow:
    loads = path(4_000_000, KV)
    stall = KV * 680_000 * TICKS // (32 * WINDOW)
    return Flow((), max(*loads.values(), stall), tuple(loads.items()), 680_000, 0, KV, 32, stall)


def graph(*flows: Flow) -> TaskGraph:
    return TaskGraph(tuple(Segment((Task(str(n), "decode", (flow,)),), closes=str(n)) for n, flow in enumerate(flows)))


def test_alone_the_stream_takes_fill_own_time_and_drain() -> None:
    assert simulate(graph(gemm())).picoseconds == 70_795_915


def test_the_reader_alone_is_bound_by_its_window() -> None:
    assert kv().own / TICKS == pytest.approx(12_969_970.7, abs=0.05)
    assert simulate(graph(kv())).picoseconds == 680_000 + 12_969_971


def test_two_flows_share_the_memory_by_requesters() -> None:
    stream, read = (pace / TICKS for pace in paces([demand(gemm()), demand(kv())]))
    assert stream == pytest.approx(0.80488, abs=5e-6)
    assert read == pytest.approx(0.42390, abs=5e-6)


def test_two_flows_end_when_worked_out_by_hand() -> None:
    assert simulate(graph(gemm(), kv())).marks == (Mark("1", 31_277_016), Mark("0", 76_766_065))


def test_a_third_flow_bound_by_compute_stops_at_its_own_pace() -> None:
    own = 40_000_000 * TICKS
    third = Flow((), own, ((MAC, own * 32 // 132), (HBM, own // 100)), lead=1_340_000, weight=32)
    stream, read, compute = paces([demand(gemm()), demand(kv()), demand(third)])
    assert compute == TICKS
    assert stream * WEIGHTS * 32 * kv().own == pytest.approx(read * KV * 132 * gemm().own)
    used = stream * path(46_976_205, WEIGHTS)[HBM] / gemm().own + read * path(4_000_000, KV)[HBM] / kv().own
    assert used / TICKS == pytest.approx(0.99)
