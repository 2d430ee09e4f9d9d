"""New prices for an old run are a new run: what differs in prices only is simulated once, with the same result."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archsim.engine.simulate import simulate
from archsim.model.result import Result
from archsim.model.run import Run
from archsim.study import playing
from archsim.study.running import run

PRICES = (
    ("hardware.links.mem.energy={} pJ/B", st.integers(0, 200)),
    ("hardware.components.sm.energy.mac.bf16={} pJ/MAC", st.integers(0, 9)),
    ("hardware.components.hbm.static={} W", st.integers(1, 40)),
    ("hardware.components.l2.energy.read={} pJ/B", st.integers(1, 90)),
)
TIMES = ("hardware.components.hbm.efficiency=0.5", "hardware.links.xbar.latency=1 us", "workload.batch=2")


@st.composite
def prices(draw: st.DrawFn) -> tuple[str, ...]:
    chosen = draw(st.lists(st.sampled_from(PRICES), min_size=1, max_size=4, unique=True))
    return tuple(path.format(draw(values)) for path, values in chosen)


def result(*sets: str) -> Result:
    return run("llama-3.1-8b-decode", "h100-sxm", ("workload.output_tokens=2", *sets)).result


def told(found: Result) -> Any:
    """All that a reader sees of a result but how long it took."""
    return found.run, found.plan, found.entries, found.warnings, replace(found, wall_s=0.0).energy, found.latency


@settings(max_examples=8)
@given(prices(), prices())
def test_repriced_is_run_again(one: tuple[str, ...], other: tuple[str, ...]) -> None:
    playing.forget()
    result(*one)
    repriced = told(result(*other))
    playing.forget()
    assert told(result(*other)) == repriced


@pytest.fixture
def simulations(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """An entry for each simulation."""
    made: list[int] = []

    def counted(*args: Any, **options: Any) -> Run:
        made.append(1)
        return simulate(*args, **options)

    monkeypatch.setattr(playing, "simulate", counted)
    playing.forget()
    return made


def test_prices_are_no_reason_to_simulate_again(simulations: list[int]) -> None:
    first, second = (result(f"hardware.links.mem.energy={price} pJ/B") for price in (10, 90))
    assert len(simulations) == 1
    assert second.energy.value > first.energy.value


@pytest.mark.parametrize("change", TIMES)
def test_what_takes_time_is_simulated_again(simulations: list[int], change: str) -> None:
    first, second = result(), result(change)
    assert len(simulations) == 2
    assert second.run.picoseconds != first.run.picoseconds


def test_an_action_that_becomes_free_is_asked_again(simulations: list[int]) -> None:
    result(), result("hardware.links.mem.energy=0 pJ/B")
    assert len(simulations) == 2  # a plan may warn of what is free
