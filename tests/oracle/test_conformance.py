"""The fidelities against each other: `flow` and `tile` against `chunk`, on what each class of workload does.

Bounds are percent of the time at `chunk`. Where they are wide, the case says why: fluid flow has no last round, and
knows no queue before a port is full. `docs/conformance.md` has the table.
"""

from collections.abc import Callable, Sequence
from functools import cache
from random import Random
from typing import NamedTuple

import pytest

from archsim.components.hbm_stack import HbmStack
from archsim.components.link import Link
from archsim.components.tile import Tile
from archsim.engine.simulate import simulate
from archsim.model.component import Component
from archsim.model.machine import Machine, assemble
from archsim.model.request import Move, Requester, Work
from archsim.model.run import Run
from archsim.model.taskgraph import Flow, Port, Segment, Task, TaskGraph
from archsim.study.running import run

FREE = {"read": "0 pJ/B", "write": "0 pJ/B"}
H100, IDEAL = "h100-sxm", "hardware.stack=ideal"


def layers(workload: str, hardware: str, *sets: str, count: int = 1) -> TaskGraph:
    """The first of a shipped workload's equal layers, or as many different ones."""
    graph = run(workload, hardware, ("workload.output_tokens=1", *sets)).result.plan.graph
    most = max(len(segment.tasks) for segment in graph.segments)
    found = [segment for segment in graph.segments if len(segment.tasks) == most]
    return TaskGraph(tuple(Segment(segment.tasks) for segment in found[:count]), graph.buffers)


def machine(tiles: int = 132, **window: str) -> Machine:
    """HBM of 3.35 TB/s before tiles of 3.75 TMAC/s."""
    tile = {"kind": "tile", "count": tiles, "macs": {"bf16": "3.75 TMAC/s"}, "vector": "unlimited", "static": "0 W"}
    sizes = {"window": "32 KiB", "grain": "16 KiB"} | window
    price = {"energy": {"mac": {"bf16": "0 pJ/MAC"}, "vector": "0 pJ/op"}}
    stack = {"count": 5, "capacity": "16 GiB", "bandwidth": "670 GB/s", "latency": "580 ns", "static": "0 W"}
    xbar = {"between": ["hbm", "sm"], "bandwidth": "5.5 TB/s", "latency": "100 ns", "energy": "0 pJ/B"}
    components: dict[str, Component] = {
        "hbm": HbmStack.model_validate({"kind": "hbm_stack", "energy": FREE, **stack}),
        "sm": Tile.model_validate(tile | sizes | price),
        "xbar": Link.model_validate(xbar),
    }
    return assemble("example", "board", 1, components)


def streamed(size: int, ways: int, macs: int = 0) -> Flow:
    """`size` bytes from HBM to some tiles, and work on them."""
    work = [Work("sm", "mac_bf16", macs, -(-macs // ways), ways)] if macs else []
    return machine().flow([Move("x", "hbm", "sm", size)], work, Requester(ways, 32 * 1024, 16 * 1024))


def beside(*flows: Flow) -> TaskGraph:
    """Flows that start together."""
    tasks = (Task(str(index), "decode", (flow,)) for index, flow in enumerate(flows))
    return TaskGraph(tuple(Segment((task,), closes=task.operator) for task in tasks))


def ridge(balance: float) -> TaskGraph:
    """A product whose arithmetic takes `balance` of the time of its bytes."""
    size = 100 * 2**20
    return beside(streamed(size, 132, int(balance * size / 3.35e12 * 132 * 3.75e12)))


def mesh(load: float, flows: int = 300) -> TaskGraph:
    """Messages between random routers of a 4 x 4 mesh, the busiest link in use for a share of the time."""
    noc = {"between": ["pe", "pe"], "topology": "mesh", "bandwidth": "100 GB/s", "latency": "10 ns", "energy": "0 pJ/B"}
    pe = machine(16).components["sm"].model_copy(update={"count": 16})
    net = assemble("mesh", "chip", 1, {"pe": pe, "noc": Link.model_validate(noc)})
    draw = Random(7)
    ends = [draw.sample(range(16), 2) for _ in range(flows)]
    sizes = [int(draw.expovariate(1 / 256e3)) + 1 for _ in range(flows)]
    sent = [
        net.flow([Move("x", f"pe[{a}]", f"pe[{b}]", size)], [], Requester(1, 32 * 1024, 4096))
        for (a, b), size in zip(ends, sizes, strict=True)
    ]
    busy: dict[Port, int] = {}
    for flow in sent:
        for port, ticks in flow.loads:
            busy[port] = busy.get(port, 0) + ticks
    span = max(busy.values()) / 2**64 / load
    starts = sorted(int(draw.uniform(0, span)) for _ in range(flows))
    tasks = (Task(str(index), "", (flow,), start) for index, (flow, start) in enumerate(zip(sent, starts, strict=True)))
    return TaskGraph((Segment(tuple(tasks)),))


def pipeline(sequences: int = 12, buffers: int = 2) -> TaskGraph:
    """Four exclusive stages of unlike length with bounded buffers between, each on a memory of its own."""
    tasks = []
    for stage, megabytes in enumerate((3, 5, 2, 4)):
        flow = streamed(megabytes * 2**20, 33, megabytes * 10**9)
        own = Flow(
            flow.legs,
            flow.own,
            tuple((Port(port.component, f"{port.name} of {stage}"), load) for port, load in flow.loads),
            flow.fill,
            flow.drain,
            flow.lead,
            flow.weight,
            course=flow.course,
            place=str(stage),
        )
        takes = [(f"stage {stage}", 1)] + ([(f"slot {stage}", 1)] if stage < 3 else [])
        gives = [(f"stage {stage}", 1)] + ([(f"slot {stage - 1}", 1)] if stage else [])
        after = (f"out {stage - 1}",) if stage else ()
        tasks.append(Task(f"stage {stage}", "", (own,), 500_000, after, (f"out {stage}",), tuple(takes), tuple(gives)))
    sizes = [(f"stage {stage}", 1) for stage in range(4)] + [(f"slot {stage}", buffers) for stage in range(3)]
    return TaskGraph((Segment(tuple(tasks), sequences),), tuple(sizes))


def scan(workers: int = 3, chunks: int = 16) -> TaskGraph:
    """A chunked scan: chunks side by side on some workers, then their states one after the other."""
    inner, chain = streamed(6 * 2**20, 33, 10**10), streamed(2**20, 33, 10**9)
    one: tuple[tuple[str, int], ...] = (("worker", 1),)
    tasks = (
        Task("inside", "", (inner,), 200_000, makes=("part",), takes=one, gives=one),
        Task("state", "", (chain,), 200_000, ("part", "state"), ("state",)),
    )
    return TaskGraph((Segment(tasks, chunks),), (("worker", workers),))


def whole(found: Run) -> float:
    return found.picoseconds


def mean(found: Run) -> float:
    """The mean time of a task from its launch to its end."""
    return sum(item.end - item.start - item.task.launch for item in found.timeline) / len(found.timeline)


class Case(NamedTuple):
    """What is simulated, what is measured, and how far apart the fidelities may be, in percent."""

    graph: Callable[[], TaskGraph]
    flow: float
    tile: float
    why: str = ""
    figure: Callable[[Run], float] = whole


RIDGE = "two chunks a tile hide less than all; four representatives move in step"
SLICE = "tiles with two computations are slower than those with one"
LAST = "the last round of a window is not full"
QUEUE = "chunks queue before a port is full, fluid does not"
MOE = "workload.routing={kind: power_law, exponent: 1.2}"
HC1 = "workload.dtypes={weights: int3, kv: int8, activations: int8}"
EP8 = ("hardware.mapper.expert_parallel=8", "hardware.mapper.tensor_parallel=1")

CASES = {
    "dense decode, 8B on H100, batch 1": Case(lambda: layers("llama-3.1-8b-decode", H100), 1, 0.5),
    "dense decode, 8B on H100, batch 1, no software": Case(lambda: layers("llama-3.1-8b-decode", H100, IDEAL), 1, 0.5),
    "dense decode, 8B on H100, batch 32": Case(
        lambda: layers("llama-3.1-8b-decode", H100, "workload.batch=32"), 1, 0.5
    ),
    "dense decode, 70B on 8 H100": Case(lambda: layers("llama-3.1-70b-decode", "dgx-h100"), 1, 0.5),
    "dense decode, 8B on banks that compute": Case(lambda: layers("llama-3.1-8b-decode", "pim-gpu"), 1, 0.5),
    "dense decode, 8B on DRAM bonded onto logic": Case(lambda: layers("llama-3.1-8b-decode", "stack-3d"), 1, 0.5),
    "dense decode, 8B in ROM, one sequence": Case(
        lambda: layers("llama-3.1-8b-decode", "taalas-hc1", HC1, "workload.prompt_tokens=1024"), 1, 0.5
    ),
    "product, arithmetic 0.7 of bytes": Case(lambda: ridge(0.7), 2, 2),
    "product, exactly at the ridge": Case(lambda: ridge(1.0), 4, 6, RIDGE),
    "product, arithmetic 1.4 of bytes": Case(lambda: ridge(1.4), 2, 2),
    "prefill of 512 tokens, 8B on H100": Case(
        lambda: layers("llama-3.1-8b-prefill", H100, "workload.prompt_tokens=512"), 2, 2
    ),
    "experts under skew, Qwen3-30B-A3B on H100, batch 16": Case(
        lambda: layers("qwen3-30b-a3b-decode", H100, "workload.batch=16", MOE, count=2), 2, 2
    ),
    "experts under skew, 8 ways, batch 64": Case(
        lambda: layers("qwen3-30b-a3b-decode", "dgx-h100", "workload.batch=64", MOE, *EP8, count=2), 2, 2
    ),
    "mesh, 300 crossing messages, busiest link 25 %": Case(lambda: mesh(0.25), 2, 2, "", mean),
    "mesh, 300 crossing messages, busiest link 95 %": Case(lambda: mesh(0.95), 7, 7, QUEUE, mean),
    "scan, Mamba-2 prefill of 512 tokens on H100": Case(
        lambda: layers("mamba-2-2.7b-prefill", H100, "workload.prompt_tokens=512"), 2, 2
    ),
    "scan, 3 workers and a chain of states": Case(scan, 2, 2),
    "pipeline of 4 stages with 2 buffers": Case(pipeline, 2, 2),
    "reader with a window at 23 % of a memory": Case(lambda: beside(streamed(40 * 2**20, 16)), 2, 7, LAST),
    "reader with a window at 92 % of a memory": Case(lambda: beside(streamed(160 * 2**20, 64)), 7, 7, QUEUE),
    "stream beside a reader": Case(lambda: beside(streamed(200 * 2**20, 132, 10**8), streamed(20 * 2**20, 32)), 2, 2),
    "two products on the same tiles": Case(
        lambda: beside(streamed(2**25, 132, 10**11), streamed(2**23, 32, 10**10)), 2, 3, SLICE
    ),
}


@cache
def measured(name: str) -> tuple[Run, Run, Run]:
    case = CASES[name]
    graph, told = case.graph(), case.figure is mean
    found = [simulate(graph, fidelity=fidelity, timeline=told) for fidelity in ("flow", "tile", "chunk")]
    return found[0], found[1], found[2]


def apart(figure: Callable[[Run], float], one: Run, other: Run) -> float:
    """Percent."""
    return 100 * (figure(one) / figure(other) - 1)


@pytest.mark.parametrize("name", CASES)
def test_fidelities_agree(name: str, told: Callable[..., None]) -> None:
    case = CASES[name]
    flow, tile, chunk = measured(name)
    errors = apart(case.figure, flow, chunk), apart(case.figure, tile, chunk)
    told(
        name,
        f"{errors[0]:+.2f} %",
        f"{case.flow} %",
        f"{errors[1]:+.2f} %",
        f"{case.tile} %",
        f"{chunk.events:,}",
        case.why,
    )
    assert abs(errors[0]) <= case.flow
    assert abs(errors[1]) <= case.tile


@pytest.mark.parametrize("name", CASES)
def test_counts_do_not_depend_on_the_fidelity(name: str) -> None:
    flow, tile, chunk = measured(name)
    assert flow.counts == tile.counts == chunk.counts
    assert flow.busy == tile.busy == chunk.busy
    assert tile.served == chunk.served


@pytest.mark.parametrize("name", CASES)
def test_representatives_take_fewer_events(name: str) -> None:
    _, tile, chunk = measured(name)
    assert tile.events <= chunk.events


@pytest.mark.parametrize("name", CASES)
def test_no_fidelity_is_below_the_roofline(name: str) -> None:
    for found in measured(name):
        assert all(ticks <= (found.picoseconds + 1) << 64 for ticks in found.busy.values())


def ends(flows: Sequence[Flow], fidelity: str) -> list[int]:
    return [mark.at for mark in sorted(simulate(beside(*flows), fidelity=fidelity).marks, key=lambda mark: mark.what)]


@pytest.mark.parametrize("fidelity", ["tile", "chunk"])
def test_a_small_reader_ends_when_it_does_at_flow(fidelity: str) -> None:
    flows = [streamed(200 * 2**20, 132, 10**8), streamed(20 * 2**20, 32)]
    assert ends(flows, fidelity) == pytest.approx(ends(flows, "flow"), rel=0.04)  # it is ahead by part of a window
