"""Rows of DRAM: what a pattern opens, and what the timing leaves of the bandwidth."""

import importlib.util
import sys
from fractions import Fraction
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from pydantic import ValidationError

from archsim.components.dram_conflicts import kept
from archsim.components.dram_rows import DramRows
from archsim.components.hbm_stack import HbmStack

HBM3: dict[str, Any] = {
    "channels": 32, "banks": 16, "row": "1 KiB", "burst": "32 B",
    "cl": "12.5 ns", "rcd": "19.4 ns", "rp": "16.25 ns", "rc": "45.05 ns", "rrd": "2.5 ns", "faw": "15 ns",
}  # fmt: skip
PEAK = 819_200_000_000  # 32 channels x 32 B / 1.25 ns
STACK = {"kind": "hbm_stack", "capacity": "16 GiB", "bandwidth": "819.2 GB/s", "static": "1 W"}
ENERGY = {"read": "27 pJ/B", "write": "27 pJ/B", "activate": "909 pJ/op"}


def rows(**changed: Any) -> DramRows:
    return DramRows.model_validate(HBM3 | changed)


def script() -> ModuleType:
    path = Path(__file__).parents[3] / "benchmarks" / "dram_bursts.py"
    spec = importlib.util.spec_from_file_location("dram_bursts", path)
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules["dram_bursts"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_hits_misses_and_conflicts_take_what_the_commands_take() -> None:
    found = rows()
    assert (found.hit, found.miss, found.conflict) == (12_500, 31_900, 48_150)


def test_a_stream_opens_each_row_once_and_keeps_its_bandwidth() -> None:
    assert rows().opened(None) == Fraction(1, 1024)
    assert rows().hits(None) == pytest.approx(31 / 32)
    assert rows().share(None, PEAK) == 1


def test_refresh_takes_its_share_of_a_stream() -> None:
    assert rows(rfc="350 ns", refi="3900 ns").share(None, PEAK) == 1 - Fraction(350, 3900)


def test_single_bursts_go_by_the_activate_window() -> None:
    # 4 rows in 15 ns are one 32 B burst in 3.75 ns, against 1.25 ns of the data bus: a third, if banks never collide
    assert rows(banks=64, rc="36 ns").share(32, PEAK) == pytest.approx(1 / 3, rel=0.01)
    assert rows().opened(32) * 32 == 1


def test_few_banks_bind_before_the_window() -> None:
    # 45.05 ns for each of 4 banks: a burst in 11.26 ns at best
    best = 1.25 / (45.05 / 4)
    assert 0.9 * best < float(rows(banks=4).share(32, PEAK)) <= best


def test_a_run_opens_the_rows_that_it_crosses() -> None:
    assert rows().opened(1024) * 1024 == 1 + Fraction(992, 1024)  # begins anywhere: nearly two rows
    assert rows().opened(1 << 20) == pytest.approx(float(rows().opened(None)), rel=0.001)


def test_few_accesses_to_choose_from_wait_for_bank_groups() -> None:
    # 1.25 ns of the data bus for each burst, 2.5 ns in its group: four groups are at half load
    grouped = {"groups": 4, "ccd_l": "2.5 ns", "queue": 1}
    assert rows(**grouped).share(1024, PEAK) < rows(queue=1).share(1024, PEAK)
    assert rows(**grouped | {"queue": 32}).share(1024, PEAK) == rows().share(1024, PEAK)


def test_one_group_passes_its_columns_at_tccd_l() -> None:
    assert rows(groups=1, ccd_l="2.5 ns").share(1 << 20, PEAK) == pytest.approx(0.5, rel=1e-3)


def test_a_bandwidth_that_bank_groups_cannot_pass_is_refused() -> None:
    # 32 channels x 4 groups x 32 B in 2.5 ns
    assert rows(groups=4, ccd_l="2.5 ns").most == 1_638_400_000_000
    HbmStack.model_validate(STACK | {"rows": HBM3 | {"groups": 4, "ccd_l": "2.5 ns"}, "energy": ENERGY})
    with pytest.raises(ValidationError, match=r"819.2 GB/s are more than its bank groups pass, 409.6 GB/s"):
        HbmStack.model_validate(
            STACK | {"rows": HBM3 | {"channels": 8, "groups": 4, "ccd_l": "2.5 ns"}, "energy": ENERGY}
        )


def test_less_than_a_burst_wastes_the_rest_of_it() -> None:
    assert rows().share(8, PEAK) == rows().share(32, PEAK) / 4


@pytest.mark.parametrize("run", [32, 64, 256, 1024, 4096, 1 << 16])
def test_longer_runs_are_never_slower(run: int) -> None:
    assert rows().share(run, PEAK) <= rows().share(2 * run, PEAK) <= rows().share(None, PEAK)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"rc": "30 ns"}, "tRC of 30000 ps is less than tRCD"),
        ({"faw": "2 ns"}, "tFAW of 2000 ps is less than tRRD"),
        ({"rfc": "4 us", "refi": "3.9 us"}, "nothing is left"),
        ({"row": "1000 B"}, "no whole number of bursts"),
        ({"groups": 3}, "16 banks don't divide into 3 groups"),
        ({"channels": 0}, "greater than 0"),
        ({"banks": 0}, "greater than 0"),
    ],
)
def test_timings_that_contradict_each_other_are_refused(changed: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        rows(**changed)


@pytest.mark.parametrize(("banks", "queue", "load"), [(4, 1, 0.6), (16, 32, 0.8), (32, 8, 0.5), (64, 16, 1.5)])
def test_the_table_is_what_the_burst_level_model_says(banks: int, queue: int, load: float) -> None:
    model = script()
    again = model.kept(model.Channel(banks, queue, load * banks), seed=1)
    assert float(kept(Fraction(load), banks, queue)) == pytest.approx(again, abs=0.015)


def test_between_entries_the_table_is_close_to_the_model() -> None:
    model = script()
    for banks, queue, load in ((24, 24, 0.85), (12, 6, 0.35), (48, 48, 1.1)):
        again = model.kept(model.Channel(banks, queue, load * banks))
        assert float(kept(Fraction(load), banks, queue)) == pytest.approx(again, abs=0.05)


@pytest.mark.parametrize(("queue", "run", "within"), [(4, 128, 0.04), (8, 64, 0.02), (32, 64, 0.01)])
def test_the_scarcer_of_banks_and_groups_decides_as_in_the_burst_level_model(
    queue: int, run: int, within: float
) -> None:
    lpddr5 = {"channels": 1, "row": "2 KiB", "rcd": "18.75 ns", "rp": "18.75 ns", "rc": "61.25 ns", "rrd": "5 ns"}
    known = rows(**lpddr5, faw="20 ns", groups=4, ccd_l="5 ns", queue=queue)
    moved = Fraction(10**12, 12_800_000_000) / known.opened(run)
    pace = max(moved, Fraction(known.rrd))
    model = script()
    occupied, in_group = max(Fraction(known.rc), known.rcd + moved + known.rp), moved * 2
    channel = model.Channel(16, queue, float(occupied / pace), 4, float(in_group / pace))
    again = model.kept(channel, seed=1) * float(moved / pace) / channel.bound
    assert float(known.share(run, 12_800_000_000)) == pytest.approx(again, rel=within)


def test_one_thing_derates_a_stack_and_patterns_are_relative_to_it() -> None:
    timed = HbmStack.model_validate(STACK | {"rows": HBM3 | {"rfc": "350 ns", "refi": "3900 ns"}, "energy": ENERGY})
    measured = timed.model_copy(update={"efficiency": HbmStack.model_validate(
        STACK | {"efficiency": 0.895, "energy": {"read": "28 pJ/B", "write": "28 pJ/B"}}
    ).efficiency})  # fmt: skip
    assert timed.actions()["read"].rate == int(PEAK * (1 - Fraction(350, 3900)))
    assert measured.actions()["read"].rate == int(PEAK * 0.895)
    assert measured.touch(None) == timed.touch(None)
    short = measured.touch(32)
    assert short is not None
    assert short.slower == pytest.approx(3, rel=0.05)


def test_rows_need_a_price_and_a_price_rows() -> None:
    unpriced = {"read": "28 pJ/B", "write": "28 pJ/B"}
    with pytest.raises(ValidationError, match="needs the price of opening one"):
        HbmStack.model_validate(STACK | {"rows": HBM3, "energy": unpriced})
    with pytest.raises(ValidationError, match="but no `rows`"):
        HbmStack.model_validate(STACK | {"energy": ENERGY})
