"""Runs that would take too long, or too much memory: `--max-events`, and what is refused before it starts."""

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from click.testing import Result

from archsim.study import bounds

Run = Callable[..., Result]

ENDLESS = ("max_context: 4096\n", "")
ROOM = ("--set", "hardware.components.hbm.capacity=unlimited")


@pytest.mark.parametrize("number", ["0", "-3", "many", "1.5"])
def test_a_bound_is_a_positive_number(run: Run, number: str) -> None:
    done = run(args=("--max-events", number))
    assert (done.exit_code, done.stdout) == (2, "")
    assert "Invalid value for '--max-events'" in done.stderr


def test_a_run_stops_at_its_bound_and_writes_nothing(run: Run, small: Path) -> None:
    done = run(args=("--max-events", "7", "-o", small / "out"))
    assert (done.exit_code, done.stdout) == (2, "")
    assert "error: stopped after 7 events" in done.stderr
    assert "--> <--max-events>:1:1" in done.stderr
    assert not (small / "out").exists()


def test_a_bound_that_is_not_reached_changes_nothing(run: Run) -> None:
    bounded, free = (run(args=("--format", "csv", *given)).stdout for given in (("--max-events", "5000"), ()))
    assert bounded == free


def test_more_memory_than_there_is_is_refused_before_the_start(
    run: Run, small: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bounds, "_memory", lambda: 10**8)
    done = run("model.yaml", ENDLESS, args=("--set", "workload.output_tokens=2000000", *ROOM, "-o", small / "out"))
    assert (done.exit_code, done.stdout) == (2, "")
    assert "2,000,000 output tokens would take about" in done.stderr
    assert "GB of memory, and there are 0.1 GB" in done.stderr
    assert not (small / "out").exists()


def test_layers_that_are_drawn_each_by_itself_are_projected_sooner(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounds, "_memory", lambda: 10**7)
    devices = ("--set", "hardware.devices=2", "--set", "hardware.mapper.tensor_parallel=2")
    asked = (*devices, "--set", "workload.output_tokens=1200", "--set", "hardware.mapper.variation=0.1")
    alike, drawn = (run(args=(*asked, *more)) for more in (("--set", "hardware.mapper.variation=0"), ()))
    assert alike.exit_code == 0
    assert (drawn.exit_code, drawn.stdout) == (2, "")
    assert "1,200 output tokens would take about" in drawn.stderr


def test_more_events_than_anybody_waits_for_are_refused_before_the_start(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bounds, "MOST_EVENTS", 10**6)
    done = run("model.yaml", ENDLESS, args=("--set", "workload.output_tokens=2000000", *ROOM))
    assert (done.exit_code, done.stdout) == (2, "")
    assert "events; 1,000,000 are the bound" in done.stderr


def test_a_run_of_fewer_tokens_is_judged_too_where_one_is_heavy(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounds, "MOST_EVENTS", 10**3)
    monkeypatch.setattr(bounds, "_EASY", 10**3)
    done = run("model.yaml", ENDLESS, args=("--set", "workload.output_tokens=3000", *ROOM))
    assert (done.exit_code, done.stdout) == (2, "")
    assert "3,000 output tokens would take about" in done.stderr


@pytest.mark.parametrize("fewer", [1, 8])
def test_the_projection_is_close_however_few_tokens_it_is_made_of(fewer: int) -> None:
    def corridor(part: Any) -> Any:
        return SimpleNamespace(events=100 + 7 * part.output_tokens)

    asked: Any = SimpleNamespace(
        output_tokens=5000, model_copy=lambda update: SimpleNamespace(output_tokens=update["output_tokens"])
    )
    assert bounds.projected(corridor, asked, fewer).events == pytest.approx(100 + 7 * 5000, rel=0.01)


def test_what_does_not_fit_in_the_end_is_told_before_anything_is_projected(run: Run) -> None:
    done = run("model.yaml", ENDLESS, args=("--set", "workload.output_tokens=2000000"))
    assert (done.exit_code, done.stdout) == (2, "")
    assert "the model does not fit" in done.stderr
