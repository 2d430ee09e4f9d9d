"""A small result, made by hand: two operators of a decoder on a GPU-like machine."""

from collections import Counter
from collections.abc import Mapping

import pytest

from archsim.components.hbm_stack import HbmStack
from archsim.components.link import Link
from archsim.components.sram import Sram
from archsim.components.tile import Tile
from archsim.model.component import Component
from archsim.model.hardware import Header
from archsim.model.ledger import ledger
from archsim.model.machine import Machine, assemble
from archsim.model.plan import Placement, Plan
from archsim.model.pricing import price_list, priced
from archsim.model.request import Move, Requester, Work
from archsim.model.result import Provenance, Result
from archsim.model.run import STATIC, CountKey, Mark, Run, Span
from archsim.model.taskgraph import Port, Segment, Task, TaskGraph
from archsim.model.workload import Workload

TOKENS = 4
PICOSECONDS = {
    Span("mlp", "prefill"): 9_000_000,
    Span("mlp", "decode"): 3_000_000,
    Span("attention", "decode"): 800_000,
    Span(STATIC, ""): 200_000,
}

COMPONENTS: Mapping[str, Component] = {
    "hbm": HbmStack.model_validate(
        {
            "kind": "hbm_stack",
            "count": 5,
            "capacity": "16 GiB",
            "bandwidth": "670 GB/s",
            "efficiency": 0.92,
            "static": {"value": "0.9 W", "low": "0.5 W", "high": "1.5 W"},
            "energy": {
                "read": {
                    "value": "39 pJ/B",
                    "low": "30 pJ/B",
                    "high": "48 pJ/B",
                    "grade": "measured",
                    "source": "table 2",
                },
                "write": "39 pJ/B",
            },
        }
    ),
    "l2": Sram.model_validate(
        {
            "kind": "sram",
            "capacity": "50 MiB",
            "bandwidth": "5.5 TB/s",
            "static": "0 W",
            "energy": {"read": "1.5 pJ/B", "write": "1.5 pJ/B"},
        }
    ),
    "sm": Tile.model_validate(
        {
            "kind": "tile",
            "count": 132,
            "macs": {"bf16": "3.75 TMAC/s"},
            "vector": "480 Gop/s",
            "window": "32 KiB",
            "grain": "4 KiB",
            "static": "0.8 W",
            "energy": {"mac": {"bf16": "0.6 pJ/MAC"}, "vector": "1 pJ/op"},
        }
    ),
    "mem": Link.model_validate(
        {
            "between": ["hbm", "l2"],
            "bandwidth": "3.35 TB/s",
            "energy": {"value": "65 pJ/B", "low": "6 pJ/B", "high": "82 pJ/B", "boundary": "chip", "grade": "derived"},
        }
    ),
    "xbar": Link.model_validate({"between": ["l2", "sm"], "bandwidth": "5.5 TB/s", "energy": "4 pJ/B"}),
}

WORKLOAD = Workload.model_validate(
    {
        "schema": "archsim.workload/1",
        "name": "small decoder",
        "family": "transformer",
        "prompt_tokens": 2048,
        "output_tokens": TOKENS,
        "dtypes": {"weights": {"dtype": "int4", "group": 128}, "kv": "fp8", "activations": "bf16"},
    }
)
HARDWARE = Header.model_validate(
    {
        "schema": "archsim.hardware/1",
        "name": "example GPU",
        "class": "gpu",
        "boundary": "board",
        "tdp": "700 W",
        "components": {},
        "mapper": {"kind": "temporal"},
    }
)


def stream(machine: Machine, name: str, phase: str, tensor: str, size: int) -> Task:
    """Bytes from memory to the tiles, and two MACs for each; only the flow's bills and needs matter here."""
    moves = (Move(tensor, "hbm", "l2", size), Move(tensor, "l2", "sm", size))
    work = (Work("sm", "mac_bf16", 2 * size, -(-2 * size // 132), 132),)
    return Task(name, phase, (machine.flow(moves, work, Requester(132, 32768, 4096)),), launch=2_000)


def graph_on(machine: Machine, workload: Workload) -> TaskGraph:
    prefill = Segment((stream(machine, "mlp", "prefill", "weights", 8_000_000),), 1, "prompt")
    decode = (
        stream(machine, "mlp", "decode", "weights", 8_000_000),
        stream(machine, "attention", "decode", "kv", 2_000_000),
    )
    loop = Segment(decode, workload.decode_steps, "token")
    return TaskGraph((loop,) if workload.prompt_cached else (prefill, loop))


def run_of(graph: TaskGraph) -> Run:
    """What an engine would count, with times as in PICOSECONDS and idle time after each token."""
    counts: Counter[CountKey] = Counter()
    busy: Counter[Port] = Counter()
    held: Counter[Span] = Counter()
    marks: list[Mark] = []
    for segment in graph.segments:
        spans = [Span(task.operator, task.phase) for task in segment.tasks]
        for _ in range(segment.times):
            held.update({span: PICOSECONDS[span] for span in (*spans, Span(STATIC, ""))})
            marks.append(Mark(segment.closes, held.total()))
        for task in segment.tasks:
            for flow in task.flows:
                busy.update({port: ticks * segment.times for port, ticks in flow.loads})
                for leg in flow.legs:
                    key = CountKey(leg.component, leg.action, task.operator, task.phase, leg.tensor)
                    counts[key] += leg.bill * segment.times
    return Run(held.total(), counts, held, busy, tuple(marks), 321, "flow")


def simulated(workload: Workload, warnings: tuple[str, ...] = ()) -> Result:
    machine = assemble("example GPU", "board", 1, COMPONENTS)
    graph = graph_on(machine, workload)
    run = run_of(graph)
    placements = (Placement("weights", "hbm", 8_000_000), Placement("kv", "hbm", 4_000_000))
    settings = {"weights": "path hbm to sm, fan 1", "kv": "path hbm to sm"}
    return Result(
        workload=workload,
        hardware=HARDWARE,
        machine=machine,
        plan=Plan(graph, placements, (), {"tensor_parallel": 1}, 1, settings),
        run=run,
        entries=priced(ledger(run, machine), price_list(machine, "gpu.yaml", {})),
        warnings=warnings,
        provenance=Provenance((("gpu.yaml", "0" * 64),), "archsim run small gpu"),
        wall_s=0.25,
    )


@pytest.fixture
def result() -> Result:
    """Four tokens after a cached prompt, 4 µs each."""
    return simulated(WORKLOAD, ("static power of l2 is 0",))


@pytest.fixture
def prefilled() -> Result:
    """A prompt of 9.2 µs that makes the first token, then three more."""
    return simulated(WORKLOAD.model_copy(update={"prompt_cached": False}))


@pytest.fixture
def prompt_only() -> Result:
    """A prompt that makes the only token."""
    return simulated(WORKLOAD.model_copy(update={"prompt_cached": False, "output_tokens": 1}))
