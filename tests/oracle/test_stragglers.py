"""A token of 70B on eight devices that are not alike, against closed forms and against draws that know no events."""

import runpy
from collections.abc import Iterator
from functools import cache
from math import fsum
from pathlib import Path

import numpy as np
import pytest

from archsim.model.devices import device_times
from archsim.model.result import Result
from archsim.study.running import run

DEVICES = 8
FOLDER = Path(__file__).parents[2] / "docs" / "findings"


@cache
def token(*sets: str) -> Result:
    """One token of 70B on eight H100s."""
    settings = ("workload.output_tokens=1", *(f"hardware.mapper.{text}" for text in sets))
    return run("llama-3.1-70b-decode", "dgx-h100", settings).result


def between_meetings() -> Iterator[tuple[list[int], int]]:
    """Picoseconds of the kernels of a device from one meeting of all to the next, and how often in a token."""
    kernels: list[int] = []
    for segment in token().plan.graph.segments:
        for task in segment.tasks:
            if task.device is None and kernels:
                yield kernels, segment.times
                kernels = []
            elif task.device is not None:
                kernels.append(task.alone)
    if kernels:
        yield kernels, 1


def kernels_and_the_rest() -> tuple[int, int]:
    alone = sum(sum(kernels) * times for kernels, times in between_meetings())
    return alone, token().run.picoseconds - alone


def test_each_device_by_itself_takes_the_time_and_joules_of_folded_ones() -> None:
    one, each = token(), token("explicit=true")
    assert each.run.picoseconds == one.run.picoseconds
    assert each.run.counts == one.run.counts
    assert each.energy.value == pytest.approx(one.energy.value, rel=1e-12)
    assert each.utilization == one.utilization
    assert [(line.operator, line.limiter, line.time_s) for line in each.operators] == [
        (line.operator, line.limiter, line.time_s) for line in one.operators
    ]


def test_a_limit_of_power_holds_each_device_as_it_holds_folded_ones() -> None:
    sets = ("hardware.devices=4", "hardware.mapper.tensor_parallel=4", "hardware.power_cap.settles=1 ms")
    one, each = (
        run("llama-3.1-8b-prefill", "mi300x", (*sets, f"hardware.mapper.explicit={told}")).result
        for told in ("false", "true")
    )
    assert each.slowed == one.slowed != ()
    assert each.run.picoseconds == one.run.picoseconds
    assert each.energy.value == pytest.approx(one.energy.value, rel=1e-12)


@pytest.mark.parametrize("slowdown", [1.1, 1.5, 3.0])
@pytest.mark.parametrize("count", [1, 8])
def test_the_slowest_device_sets_the_time_of_all_kernels(slowdown: float, count: int) -> None:
    kernels, rest = kernels_and_the_rest()
    found = token(f"stragglers={{count: {count}, slowdown: {slowdown}}}").run.picoseconds
    assert found == pytest.approx(rest + slowdown * kernels, rel=1e-7)


def test_a_slow_link_holds_up_what_all_exchange() -> None:
    sent, collectives = 7 * 8192, 2 * 80  # one-shot: the hidden values, a byte each, to every other device
    slow, sustained = 450e9 / 101, 287e9
    found = token("stragglers={slowdown: 101, parts: [nvlink]}").run.picoseconds - token().run.picoseconds
    assert found / 1e12 == pytest.approx(collectives * sent * (1 / slow - 1 / sustained), rel=1e-3)


def test_the_others_wait_and_their_static_power_goes_on() -> None:
    kernels, rest = kernels_and_the_rest()
    alike, behind = token("explicit=true"), token("stragglers={count: 1, slowdown: 1.1}")
    assert behind.plan.apart is not None
    waits = [item.waits for item in device_times(behind.plan.graph, behind.run, behind.plan.apart)]
    assert waits == pytest.approx([0, *[0.1 * kernels] * 7], rel=1e-6)
    static = behind.by("action")["static"] / alike.by("action")["static"]
    assert static == pytest.approx((rest + 1.1 * kernels) / (rest + kernels), rel=1e-7)


@pytest.mark.parametrize("variation", [0.01, 0.03, 0.1])
def test_variation_costs_what_the_maximum_over_devices_of_sums_of_draws_costs(variation: float) -> None:
    draw, excess = np.random.default_rng(0), []
    for kernels, times in between_meetings():
        varied = 1 + variation * draw.standard_normal((2000, DEVICES, len(kernels)))
        slowest = (varied * np.array(kernels)).sum(axis=2).max(axis=1).mean()
        excess.append(times * (slowest - sum(kernels)))
    found = token(f"variation={variation}").run.picoseconds - token().run.picoseconds
    assert found == pytest.approx(fsum(excess), rel=0.1)


def test_the_page_is_what_make_findings_writes() -> None:
    study = runpy.run_path(str(FOLDER / "stragglers.py"))
    assert (FOLDER / "stragglers.md").read_text(encoding="utf-8") == study["page"]()
