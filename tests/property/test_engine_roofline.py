"""No run is faster than its traffic allows, at any level and fidelity, whatever the machine and the flows."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from archsim.components.hbm_stack import HbmStack
from archsim.components.link import Link
from archsim.components.sram import Sram
from archsim.components.tile import Tile
from archsim.engine.simulate import FIDELITIES, simulate
from archsim.model.component import Component
from archsim.model.machine import Machine, assemble
from archsim.model.request import Move, Requester, Work
from archsim.model.taskgraph import Flow, Segment, Task, TaskGraph

FREE = {"read": "0 pJ/B", "write": "0 pJ/B"}
RATES = st.sampled_from(("3 GB/s", "70 GB/s", "1.3 TB/s", "unlimited"))
DELAYS = st.sampled_from(("0 ns", "7 ns", "480 ns"))


@st.composite
def machines(draw: st.DrawFn) -> Machine:
    def fields(kind: str, **more: Any) -> dict[str, Any]:
        return {"kind": kind, "static": "0 W", **more}

    hbm = fields("hbm_stack", count=draw(st.integers(1, 6)), capacity="1 GiB", energy=FREE)
    tile = fields("tile", count=draw(st.integers(1, 40)), macs={"bf16": "1 GMAC/s"}, vector="700 Mop/s")
    tile |= {"window": "8 KiB", "grain": draw(st.sampled_from(("4 B", "4 KiB"))), "energy": {"vector": "0 pJ/op"}}
    tile["energy"]["mac"] = {"bf16": "0 pJ/MAC"}
    cache = fields("sram", capacity="1 MiB", ports=draw(st.sampled_from(("shared", "separate"))), energy=FREE)
    components: dict[str, Component] = {
        "hbm": HbmStack.model_validate(hbm | {"bandwidth": draw(RATES), "latency": draw(DELAYS)}),
        "l2": Sram.model_validate(cache | {"bandwidth": draw(RATES), "latency": draw(DELAYS)}),
        "sm": Tile.model_validate(tile),
    }
    for name, ends in (("mem", ["hbm", "l2"]), ("xbar", ["l2", "sm"])):
        components[name] = Link.model_validate(
            {"between": ends, "bandwidth": draw(RATES), "latency": draw(DELAYS), "energy": "0 pJ/B"}
        )
    return assemble("any", "board", 1, components)


@st.composite
def flows(draw: st.DrawFn, on: Machine) -> Flow:
    size = st.integers(1, 300_000)
    moves = []
    for name in "xy"[: draw(st.integers(0, 2))]:
        moves += [Move(name, "hbm", "l2", part := draw(size)), Move(name, "l2", "sm", part * draw(st.integers(1, 3)))]
    if draw(st.booleans()):
        moves.append(Move("z", "sm", "l2", draw(size), posted=draw(st.booleans())))
    ways = draw(st.integers(1, on.components["sm"].count))
    work = []
    for action in ("mac_bf16", "vector"):
        amount = draw(st.integers(0, 10**6))
        work += [Work("sm", action, amount, -(-amount // ways), ways)] if amount else []
    window = draw(st.sampled_from((None, 512, 8192)))
    return on.flow(moves, work, Requester(ways, window, on.components["sm"].grain_bytes))


@st.composite
def graphs(draw: st.DrawFn) -> TaskGraph:
    on = draw(machines())
    labels = st.lists(st.sampled_from("hk"), max_size=1).map(tuple)
    tasks = tuple(
        Task(str(index), "", tuple(draw(st.lists(flows(on), min_size=1, max_size=2))), 0, draw(labels), draw(labels))
        for index in range(draw(st.integers(1, 4)))
    )
    return TaskGraph((Segment(tasks, draw(st.integers(1, 3))),))


@settings(max_examples=40)
@given(graphs())
def test_no_run_is_below_the_roofline_of_its_traffic(graph: TaskGraph) -> None:
    for fidelity in FIDELITIES:
        run = simulate(graph, fidelity=fidelity)
        for port, ticks in run.busy.items():
            assert ticks >> 64 <= run.picoseconds, (fidelity, port)


@settings(max_examples=40)
@given(graphs())
def test_counts_are_the_same_at_every_fidelity_and_servers_agree(graph: TaskGraph) -> None:
    flow, tile, chunk = (simulate(graph, fidelity=fidelity) for fidelity in ("flow", "tile", "chunk"))
    assert flow.counts == tile.counts == chunk.counts
    assert tile.served == chunk.served
    booked: dict[tuple[str, str], int] = {}
    for key, count in flow.counts.items():
        booked[key.component, key.action] = booked.get((key.component, key.action), 0) + count
    assert chunk.served == booked


@settings(max_examples=20)
@given(graphs())
def test_a_run_in_chunks_is_the_same_twice_and_with_repeats(graph: TaskGraph) -> None:
    full = simulate(graph, fidelity="chunk", repeats=False)
    quick = simulate(graph, fidelity="chunk")
    assert (full.picoseconds, full.held, full.served) == (quick.picoseconds, quick.held, quick.served)


def test_a_representative_is_there_for_each_seat_that_another_flow_takes() -> None:
    parts: dict[str, Component] = {
        "l2": Sram.model_validate(
            {"kind": "sram", "static": "0 W", "capacity": "1 MiB", "bandwidth": "3 GB/s", "energy": FREE}
        ),
        "sm": Tile.model_validate(
            {
                "kind": "tile",
                "static": "0 W",
                "count": 2,
                "macs": {"bf16": "1 GMAC/s"},
                "vector": "700 Mop/s",
                "window": "8 KiB",
                "grain": "4 B",
                "energy": {"vector": "0 pJ/op", "mac": {"bf16": "0 pJ/MAC"}},
            }
        ),
        "xbar": Link.model_validate({"between": ["l2", "sm"], "bandwidth": "3 GB/s", "energy": "0 pJ/B"}),
    }
    on = assemble("any", "board", 1, parts)
    sent = on.flow([Move("z", "sm", "l2", 1)], [], Requester(2, None, 4))
    worked = on.flow([], [Work("sm", "vector", 1, 1, 1)], Requester(1, None, 4))
    tasks = (Task("0", "", (sent,)), Task("1", "", (worked,)), Task("2", "", (worked,)))
    assert simulate(TaskGraph((Segment(tasks),)), fidelity="tile").picoseconds > 0
