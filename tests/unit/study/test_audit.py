"""Every check of the audit speaks up, alone, where a run or a plan was tampered with, and none where it was not."""

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import NamedTuple

import pytest

from archsim.engine.audit import CHECKS, audit
from archsim.model.machine import Machine
from archsim.model.plan import Plan
from archsim.model.run import CountKey, Run, Span
from archsim.model.taskgraph import TICKS, Port
from archsim.model.trace import Trace
from archsim.study.running import run

ONE = ("llama-3.1-8b-decode", "h100-sxm", "workload.output_tokens=1")


class Books(NamedTuple):
    """What an audit is given."""

    trace: Trace
    plan: Plan
    machine: Machine
    run: Run

    def billed(self, component: str, action: str, tensor: str, phase: str = "decode") -> int:
        return sum(
            count
            for key, count in self.run.counts.items()
            if (key.component, key.action, key.tensor, key.phase) == (component, action, tensor, phase)
        )


@cache
def books(workload: str, hardware: str, *sets: str) -> Books:
    finished = run(workload, hardware, sets)
    result = finished.result
    return Books(finished.job.family.trace(finished.job.workload), result.plan, result.machine, result.run)


def counted(more: int, *places: tuple[str, str, str, str]) -> Callable[[Books], Books]:
    """Adds to the counts at (component, action, operator, tensor)."""

    def tamper(before: Books) -> Books:
        keys = [
            CountKey(component, action, operator, "decode", tensor) for component, action, operator, tensor in places
        ]
        counts = dict(before.run.counts) | {key: before.run.counts.get(key, 0) + more for key in keys}
        return before._replace(run=replace(before.run, counts=counts))

    return tamper


def busier(before: Books) -> Books:
    busy = dict(before.run.busy) | {Port("l2", "read"): (before.run.picoseconds + 2) * TICKS}
    return before._replace(run=replace(before.run, busy=busy))


def held_twice(before: Books) -> Books:
    held = dict(before.run.held) | {Span("nobody", "decode"): 7}
    return before._replace(run=replace(before.run, held=held))


def laid_out(before: Books) -> dict[tuple[str, str], int]:
    found: dict[tuple[str, str], int] = {}
    for segment in before.plan.graph.segments:
        for stop in (
            stop for task in segment.tasks for flow in task.flows if flow.course for stop in flow.course.stops
        ):
            place = (stop.port.component, stop.action)
            found[place] = found.get(place, 0) + stop.units * segment.times
    return found


def miscounted(before: Books) -> Books:
    found = laid_out(before)
    return before._replace(run=replace(before.run, served={**found, ("hbm", "read"): found["hbm", "read"] - 5}))


def unserved(before: Books) -> str:
    asked = laid_out(before)["hbm", "read"]
    return f"the servers of `hbm` counted {asked - 5:,} units of `read`, but the tasks have {asked:,} for one device"


def overfull(before: Books) -> Books:
    weights, *others = before.plan.placements
    placements = (replace(weights, bytes=100 * 2**30), *others)
    return before._replace(plan=replace(before.plan, placements=placements))


def undeclared(before: Books) -> Books:
    return before._replace(plan=replace(before.plan, declarations=()))


def macs(before: Books) -> str:
    padding = sum(item.extra for item in before.plan.declarations if item.action == "mac_bf16")
    asked = before.billed("sm", "mac_bf16", "") - padding
    return f"decode: {asked:,} MACs asked by the trace in mac_bf16, {asked - 5:,} done"


def weights(before: Books) -> str:
    asked = before.billed("hbm", "read", "weights")
    return f"decode: `hbm` serves {asked + 5:,} B of weights, but {asked:,} B are asked and declared"


def cache_bytes(before: Books) -> str:
    asked = before.billed("hbm", "read", "kv")
    return f"decode: `hbm` serves {asked - 5:,} B of kv, but {asked:,} B are asked and declared"


def lost_on_the_way(before: Books) -> str:
    stored = before.billed("l2", "read", "weights") + before.billed("l2", "write", "weights")
    return f"`l2` reads and writes {stored:,} B of weights, but its links carry {stored - 5:,} B"


def lost_append(before: Books) -> str:
    appended = before.billed("hbm", "write", "kv")
    return f"decode: {appended:,} B of kv are appended by the trace, but `hbm` is written {appended - 5:,} B"


BACK = [("xbar", "move"), ("l2", "write"), ("l2", "read"), ("mem", "move"), ("hbm", "write")]
WAY = [("hbm", "read"), ("mem", "move"), ("l2", "write"), ("l2", "read"), ("xbar", "move")]
TAMPERED: dict[str, tuple[Callable[[Books], Books], Callable[[Books], str]]] = {
    "macs_asked_are_done": (counted(-5, ("sm", "mac_bf16", "down", "")), macs),
    "homes_serve_unique_bytes": (counted(5, *((*step, "down", "weights") for step in WAY)), weights),
    "homes_serve_unique_bytes of the cache": (counted(-5, *((*step, "attention", "kv") for step in WAY)), cache_bytes),
    "homes_take_what_is_appended": (counted(-5, *((*step, "attention", "kv") for step in BACK)), lost_append),
    "bytes_over_links_meet_memories": (counted(-5, ("xbar", "move", "down", "weights")), lost_on_the_way),
    "actions_have_prices": (
        counted(5, ("sm", "polish", "down", "")),
        lambda _: "`sm` bills `polish`, which has no price",
    ),
    "ports_fit_the_run": (
        busier,
        lambda before: (
            f"port `read` of `l2` is busy for {before.run.picoseconds + 2:,} ps of {before.run.picoseconds:,} ps"
        ),
    ),
    "residents_fit": (
        overfull,
        lambda before: f"`hbm` holds {100 * 2**30 + before.plan.placements[1].bytes:,} B of {80 * 2**30:,} B",
    ),
    "time_is_held_once": (
        held_twice,
        lambda before: f"operators hold {before.run.picoseconds + 7:,} ps of {before.run.picoseconds:,} ps",
    ),
    "servers_count_what_is_laid_out": (miscounted, unserved),
}


@pytest.mark.parametrize("case", TAMPERED)
def test_what_was_tampered_with_is_said_and_nothing_else(case: str) -> None:
    tamper, sentence = TAMPERED[case]
    before = books(*ONE)
    assert audit(*tamper(before)) == (sentence(before),)


def test_every_check_has_a_case() -> None:
    assert {check.__name__ for check in CHECKS} == {case.partition(" ")[0] for case in TAMPERED}


@pytest.mark.parametrize(
    "case",
    [
        ONE,
        ("gemv-4096", "toy-xm1"),
        ("gemv-4096", "tpu-v4i"),
        ("llama-3.1-8b-prefill", "h100-sxm"),
        (*ONE, "workload.batch=17", "hardware.mapper.fusion=false"),
        (*ONE, "hardware.devices=8", "hardware.mapper.tensor_parallel=8"),
        (*ONE, "hardware.devices=32", "hardware.mapper.tensor_parallel=32", "workload.batch=3"),
        (*ONE, "workload.dtypes.weights={dtype: int4, group: 128}", "workload.dtypes.kv=int3"),
    ],
)
def test_an_honest_run_has_no_discrepancies(case: tuple[str, ...]) -> None:
    assert audit(*books(*case)) == ()


def test_a_read_that_never_happened_is_missed() -> None:
    before = books(*ONE)
    gone = {key: count for key, count in before.run.counts.items() if key.tensor != "kv"}
    said = audit(*before._replace(run=replace(before.run, counts=gone)))
    assert said == (
        f"decode: `hbm` serves 0 B of kv, but {before.billed('hbm', 'read', 'kv'):,} B are asked and declared",
        f"decode: {before.billed('hbm', 'write', 'kv'):,} B of kv are appended by the trace, but `hbm` is written 0 B",
    )


def test_replicas_that_the_mapper_does_not_declare_are_found() -> None:
    before = books(*ONE, "hardware.devices=2", "hardware.mapper.tensor_parallel=2")
    padding = tuple(item for item in before.plan.declarations if item.action != "read")
    [said] = audit(*before._replace(plan=replace(before.plan, declarations=padding)))
    assert said.startswith("decode: `hbm` serves ")
    assert said.endswith(" B are asked and declared")


def test_padding_that_the_mapper_does_not_declare_is_found() -> None:
    before = books(*ONE)
    [said] = audit(*undeclared(before))
    asked = sum(operator.macs * times for operator, _, times in before.trace.executions())
    assert said.startswith(f"decode: {asked:,} MACs asked by the trace in mac_bf16, ")


def test_a_share_rounded_up_is_no_discrepancy_and_two_are() -> None:
    before = books(*ONE, "hardware.devices=2", "hardware.mapper.tensor_parallel=2")
    executions = sum(times for operator, _, times in before.trace.executions() if operator.macs)
    place = ("sm", "mac_bf16", "down", "")
    assert audit(*counted(executions, place)(before)) == ()
    assert len(audit(*counted(executions + 1, place)(before))) == 1


def test_a_picosecond_of_rounding_is_no_discrepancy() -> None:
    before = books(*ONE)
    busy = dict(before.run.busy) | {Port("l2", "read"): (before.run.picoseconds + 1) * TICKS}
    assert audit(*before._replace(run=replace(before.run, busy=busy))) == ()
