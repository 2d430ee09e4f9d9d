"""Headline figures of named pairs of a workload and a machine that ship, as they were when somebody last looked.

A change of model moves them; that is no error, but nobody should overlook it. `pytest tests/golden --update-golden`
writes `figures.json` anew: read its diff, and say in the change why the figures moved.
"""

import json
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from archsim.study.running import run

FIGURES = Path(__file__).with_name("figures.json")
TOLERANCE = 1e-9
"""Platforms may differ in the last digit of a float."""


class Pair(NamedTuple):
    """A workload, a machine, and what is overridden."""

    workload: str
    hardware: str
    sets: tuple[str, ...] = ()


TP8 = ("hardware.devices=8", "hardware.mapper.tensor_parallel=8")
PAIRS = {
    "8b decode on A100": Pair("llama-3.1-8b-decode", "a100-sxm-80gb"),
    "8b decode on H100": Pair("llama-3.1-8b-decode", "h100-sxm"),
    "8b decode on H200": Pair("llama-3.1-8b-decode", "h200-sxm"),
    "8b decode on H100, batch 32": Pair("llama-3.1-8b-decode", "h100-sxm", ("workload.batch=32",)),
    "8b decode on H100, int4 weights": Pair(
        "llama-3.1-8b-decode", "h100-sxm", ("workload.dtypes.weights={dtype: int4, group: 128}",)
    ),
    "8b decode on 8 H100": Pair("llama-3.1-8b-decode", "h100-sxm", TP8),
    "8b prefill on H100": Pair("llama-3.1-8b-prefill", "h100-sxm"),
    "7b decode on A100": Pair("llama-2-7b-decode", "a100-sxm-80gb"),
    "70b decode on H100": Pair("llama-3.1-70b-decode", "h100-sxm"),
    "70b decode on 8 H200": Pair("llama-3.1-70b-decode", "h200-sxm", TP8),
    "dense 100b on ideal HBM": Pair("dense-100b-decode", "ideal-hbm"),
    "gemv on XM2": Pair("gemv-4096", "toy-xm2"),
    "gemv on TPUv4i": Pair("gemv-4096", "tpu-v4i"),
}


def figures(pair: Pair) -> dict[str, Any]:
    """What a reader of the report sees first."""
    result = run(*pair).result
    largest = max(result.operators, key=lambda line: line.time_s)
    return {
        "j_per_token": result.energy.value / result.tokens,
        "j_per_token_low": result.energy.low / result.tokens,
        "j_per_token_high": result.energy.high / result.tokens,
        "ms_per_token": result.latency.tpot_s and result.latency.tpot_s * 1e3,
        "ms_to_first_token": result.latency.ttft_s and result.latency.ttft_s * 1e3,
        "average_w": result.average_w,
        "largest_operator": largest.operator,
        "its_limiter": largest.limiter,
        "events": result.run.events,
    }


def recorded() -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = json.loads(FIGURES.read_text(encoding="utf-8"))
    return found


def difference(old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    """A line for each figure that moved."""
    return [
        f"{name}: {_text(old.get(name))} -> {_text(new.get(name))}{_change(old.get(name), new.get(name))}"
        for name in dict.fromkeys((*old, *new))
        if not _same(old.get(name), new.get(name))
    ]


def _same(old: Any, new: Any) -> bool:
    if isinstance(old, float) and isinstance(new, float):
        return new == pytest.approx(old, rel=TOLERANCE)
    return bool(old == new)


def _text(figure: Any) -> str:
    return f"{figure:.6g}" if isinstance(figure, float) else str(figure)


def _change(old: Any, new: Any) -> str:
    return f" ({new / old - 1:+.2%})" if isinstance(old, float) and isinstance(new, float) and old else ""


@pytest.mark.parametrize("name", PAIRS)
def test_figures_are_those_recorded(name: str, update: bool) -> None:
    found = figures(PAIRS[name])
    if update:
        written = json.loads(FIGURES.read_text(encoding="utf-8")) if FIGURES.is_file() else {}
        kept = {pair: found if pair == name else written.get(pair, {}) for pair in PAIRS}
        FIGURES.write_text(json.dumps(kept, indent=2) + "\n", encoding="utf-8")
    moved = difference(recorded()[name], found)
    assert not moved, "\n".join((f"{name} moved:", *(f"  {line}" for line in moved), "see the top of this file"))


def test_nothing_is_recorded_that_is_not_run() -> None:
    assert list(recorded()) == list(PAIRS)


def test_a_difference_names_the_figure_and_by_how_much_it_moved() -> None:
    old, new = {"a": 2.0, "b": "hbm io", "c": None, "d": 1.0}, {"a": 2.5, "b": "sm mac", "c": None, "d": 1.0 + 1e-12}
    assert difference(old, new) == ["a: 2 -> 2.5 (+25.00%)", "b: hbm io -> sm mac"]
