"""A power sensor that averages over a second sees a part of a short run."""

import pytest

from archsim.study.validating.sensor import Sensor

GEMM = Sensor(repeats=30_000, idle=130, cap=692)


@pytest.mark.parametrize(
    ("microseconds", "share"),
    [(13.3, 0.15), (32, 0.45), (54, 0.68), (74, 0.76)],  # runs of 0.4 to 2.2 s, worked by hand
)
def test_a_cold_run_shows_a_part_of_its_rise(microseconds: float, share: float) -> None:
    assert GEMM.seen(microseconds * 1e-6, warmth=0) == pytest.approx(share, abs=0.02)


def test_readings_of_one_second_are_the_mean_of_eleven_steps() -> None:
    assert GEMM.risen(1.0) == pytest.approx(sum(range(11)) / 11 / 10)


def test_a_run_shorter_than_a_reading_shows_nothing() -> None:
    assert GEMM.reading(500, 1e-6, warmth=0) == 130


def test_a_warm_board_shows_all() -> None:
    assert GEMM.reading(500, 1e-6, warmth=1) == 500


def test_half_warm_lies_between() -> None:
    cold, warm = (GEMM.reading(500, 2e-5, warmth=share) for share in (0, 1))
    assert GEMM.reading(500, 2e-5, warmth=0.5) == pytest.approx((cold + warm) / 2)


def test_no_reading_is_above_the_cap() -> None:
    assert GEMM.reading(2000, 1.0, warmth=1) == 692


def test_a_long_run_shows_nearly_all() -> None:
    assert GEMM.seen(1.0, warmth=0) > 0.999
