"""Sequences are in flight as a server admits them."""

import runpy
from pathlib import Path

import pytest

REPLAY = runpy.run_path(str(Path(__file__).parents[4] / "validation" / "replay_served.py"))


def test_all_places_are_taken_while_the_cache_has_room() -> None:
    assert REPLAY["in_flight"]([100, 300, 200, 50, 400, 100], 3) == pytest.approx(3)


def test_a_full_cache_takes_the_youngest_out() -> None:
    # two long answers fill the cache at 200,000 tokens each: one waits until the other has its 300,000
    assert REPLAY["in_flight"]([300_000] * 3, 2) == pytest.approx(5 / 3, rel=0.05)
