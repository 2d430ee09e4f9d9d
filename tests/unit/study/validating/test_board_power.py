"""Board power at a given time: counts over that time, beside what runs with the clock."""

import pytest

from archsim.study.running import run
from archsim.study.validating.kinds import board_power
from archsim.study.validating.kinds.board_power import BoardPowerSettings

SETS = ("workload.dtypes={weights: bf16, kv: bf16, activations: bf16}", "workload.operators.0.m=$m")
PLAIN = {"workload": "gemv-4096", "hardware": "h200-sxm", "sets": SETS, "latency": "$ms"}


def watts(row: dict[str, float], **more: object) -> float:
    return board_power.predict(BoardPowerSettings.model_validate({**PLAIN, **more}), row).value


@pytest.fixture(scope="module")
def simulated_ms() -> float:
    sets = (SETS[0], "workload.operators.0.m=16")
    return run("gemv-4096", "h200-sxm", sets).result.latency.total_s * 1e3


def test_at_the_simulated_time_it_is_the_simulated_power(simulated_ms: float) -> None:
    result = run("gemv-4096", "h200-sxm", (SETS[0], "workload.operators.0.m=16")).result
    assert watts({"m": 16, "ms": simulated_ms, "measured": 1}) == pytest.approx(result.average_w)


def test_twice_the_time_halves_what_is_counted_and_not_what_is_on(simulated_ms: float) -> None:
    once, twice, thrice = (watts({"m": 16, "ms": times * simulated_ms, "measured": 1}) for times in (1, 2, 3))
    on = 2 * twice - once
    assert thrice - on == pytest.approx((once - on) / 3)
    assert 100 < on < 140


def test_where_warmth_is_unknown_the_nearest_end_of_the_bracket_stands(simulated_ms: float) -> None:
    sensor = {"repeats": 5000, "idle": 130, "cap": 692}
    readings = [
        watts({"m": 16, "ms": simulated_ms, "measured": measured}, sensor=sensor) for measured in (1.0, 200.0, 1e4)
    ]
    assert readings[0] == pytest.approx(130, abs=1)
    assert readings[1] == 200
    assert readings[2] == pytest.approx(watts({"m": 16, "ms": simulated_ms, "measured": 1}))
