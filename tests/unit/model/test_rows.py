"""Access patterns in flows: short runs are slower than a stream and open more rows, at every fidelity."""

from collections.abc import Mapping
from typing import Any

import pytest

from archsim.components.hbm_stack import HbmStack
from archsim.components.link import Link
from archsim.components.tile import Tile
from archsim.engine.simulate import FIDELITIES, simulate
from archsim.model.component import Component
from archsim.model.machine import Machine, assemble
from archsim.model.request import Move, Requester
from archsim.model.run import CountKey
from archsim.model.taskgraph import Flow, Segment, Task, TaskGraph

SIZE = 1 << 20
ROWS: Mapping[str, Any] = {
    "channels": 32, "banks": 16, "row": "1 KiB", "burst": "32 B",
    "cl": "12.5 ns", "rcd": "19.4 ns", "rp": "16.25 ns", "rc": "45 ns", "faw": "15 ns",
}  # fmt: skip


@pytest.fixture
def machine() -> Machine:
    stack = {
        "kind": "hbm_stack",
        "count": 2,
        "capacity": "16 GiB",
        "bandwidth": "819.2 GB/s",
        "efficiency": 0.9,
        "static": "1 W",
        "rows": ROWS,
        "energy": {"read": "27 pJ/B", "write": "27 pJ/B", "activate": "909 pJ/op"},
    }
    tile = {
        "kind": "tile",
        "macs": {"bf16": "1 TMAC/s"},
        "vector": "50 Gop/s",
        "window": "8 MiB",
        "grain": "16 KiB",
        "static": "1 W",
        "energy": {"mac": {"bf16": "1 pJ/MAC"}, "vector": "5 pJ/op"},
    }
    parts: dict[str, Component] = {
        "hbm": HbmStack.model_validate(stack),
        "sm": Tile.model_validate(tile),
        "mem": Link.model_validate({"between": ["hbm", "sm"], "bandwidth": "unlimited", "energy": "50 pJ/B"}),
    }
    return assemble("small", "board", 1, parts)


def read(machine: Machine, run: int | None) -> Flow:
    return machine.flow([Move("kv", "hbm", "sm", SIZE, run=run)], [], Requester(1))


def opened(flow: Flow) -> int:
    return sum(leg.bill for leg in flow.legs if leg.action == "activate")


def test_a_stream_opens_each_row_once(machine: Machine) -> None:
    assert opened(read(machine, None)) == SIZE // 1024


def test_single_bursts_open_a_row_each_and_take_three_times_as_long(machine: Machine) -> None:
    stream, scattered = read(machine, None), read(machine, 32)
    assert opened(scattered) == SIZE // 32
    assert scattered.own / stream.own == pytest.approx(3.0, rel=0.03)  # 15 ns / 4 for each, against 1.25 ns


def test_the_measured_share_of_a_stream_is_derated_once(machine: Machine) -> None:
    alone = SIZE / 2 / (819.2e9 * 0.9) * 1e12
    assert read(machine, None).own / (1 << 64) == pytest.approx(alone, rel=1e-6)


@pytest.mark.parametrize("fidelity", FIDELITIES)
def test_rows_are_the_same_at_every_fidelity_and_time_follows_the_pattern(machine: Machine, fidelity: str) -> None:
    def run(flow: Flow) -> tuple[int, int]:
        found = simulate(TaskGraph((Segment((Task("read", "decode", (flow,)),)),)), fidelity=fidelity)
        return found.counts[CountKey("hbm", "activate", "read", "decode", "kv")], found.picoseconds

    (rows, stream), (more, scattered) = run(read(machine, None)), run(read(machine, 32))
    assert (rows, more) == (SIZE // 1024, SIZE // 32)
    assert scattered / stream == pytest.approx(3.0, rel=0.06)
