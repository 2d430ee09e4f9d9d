"""A timeline tells what the ledger tells: the same joules, the same bytes, the same picoseconds."""

import json
from functools import cache
from itertools import pairwise
from typing import Any

import pytest

from archsim.model.result import Result
from archsim.reports.timeline import render
from archsim.study.running import run

PAIRS = [
    ("llama-3.1-8b-decode", "h100-sxm", ("workload.output_tokens=2", "workload.batch=4")),
    ("llama-3.1-8b-prefill", "h200-sxm", ("workload.output_tokens=2", "workload.prompt_tokens=4096")),
    ("llama-3.1-8b-decode", "wse-3", ("workload.output_tokens=1", "workload.batch=3")),
    ("llama-3.1-8b-decode", "dgx-h100", ("workload.output_tokens=1", "hardware.mapper.stragglers.slowdown=1.5")),
]
PS_PER_MICROSECOND_OF_TRACE = 1000  # a nanosecond of the trace is a picosecond of the machine

pytestmark = pytest.mark.parametrize("pair", PAIRS, ids=["gpu", "capped gpu", "wafer", "straggler"])
Pair = tuple[str, str, tuple[str, ...]]


@cache
def traced(pair: Pair) -> tuple[Result, list[dict[str, Any]]]:
    result = run(*pair, timeline=True).result
    return result, json.loads(render(result))["traceEvents"]


def slices(pair: Pair) -> list[dict[str, Any]]:
    return [event for event in traced(pair)[1] if event["ph"] == "X"]


def test_it_changes_nothing_but_the_number_of_events(pair: Pair) -> None:
    plain, kept = run(*pair).result, traced(pair)[0]
    assert (plain.run.counts, plain.run.held, plain.run.marks) == (kept.run.counts, kept.run.held, kept.run.marks)
    assert (plain.run.timeline, plain.energy) == ((), kept.energy)


def test_its_power_over_time_is_the_energy_of_the_ledger(pair: Pair) -> None:
    result, events = traced(pair)
    watts = [
        (event["ts"], event["args"]["value"]) for event in events if event["ph"] == "C" and event["name"][0] == "W"
    ]
    ends = [*watts, (result.run.picoseconds / PS_PER_MICROSECOND_OF_TRACE, 0.0)]
    joules = (
        sum((later - at) * level for (at, level), (later, _) in pairwise(ends)) * PS_PER_MICROSECOND_OF_TRACE * 1e-12
    )
    assert joules == pytest.approx(result.energy.value, rel=1e-6)


def test_its_slices_count_what_the_ledger_counts(pair: Pair) -> None:
    result = traced(pair)[0]
    counted: dict[str, int] = {}
    for event in slices(pair):
        for action, count in event["args"].items():
            if action != "phase":
                counted[action] = counted.get(action, 0) + count
    booked: dict[str, int] = {}
    for entry in result.entries:
        if entry.row.action != "static":
            booked[entry.row.action] = booked.get(entry.row.action, 0) + entry.row.count
    # what takes no time of any port has no slice
    assert all(count <= booked[action] for action, count in counted.items())
    assert counted["read"] == booked["read"]


def test_no_two_slices_of_a_track_overlap(pair: Pair) -> None:
    ends: dict[int, float] = {}
    for event in sorted(slices(pair), key=lambda event: event["ts"]):
        assert event["ts"] >= ends.get(event["tid"], 0.0) - 1e-6
        ends[event["tid"]] = event["ts"] + event["dur"]


def test_it_lasts_as_long_as_the_run(pair: Pair) -> None:
    last = max(event["ts"] + event["dur"] for event in slices(pair))
    assert last * PS_PER_MICROSECOND_OF_TRACE == pytest.approx(traced(pair)[0].run.picoseconds, abs=1)
