import json
from dataclasses import replace
from math import fsum, inf

import pytest

from archsim.model.result import Result
from archsim.reports import json as json_report
from archsim.reports.document import document

KEYS = {
    "workload": ["name", "family", "batch", "prompt_tokens", "output_tokens", "dtypes"],
    "hardware": ["name", "class", "devices", "parallel", "stack", "boundary"],
    "latency": ["ttft_s", "tpot_s", "tpot_p50_s", "tpot_p99_s", "total_s"],
    "throughput": ["tokens_per_s_per_user", "tokens_per_s", "sequences_in_flight"],
    "energy": [
        *("per_token_j", "low_j", "high_j", "p05_j", "p95_j", "total_j"),
        *("decode_j_per_output_token", "prefill_j_per_input_token"),
        *("by_component", "by_action", "by_operator", "by_tensor", "by_phase", "by_kind", "dominant"),
        *("activity", "low_activity_j"),
    ],
    "power": ["average_w", "per_device_w", "tdp_limited", "cap_w", "slowed"],
    "per_million_tokens": ["kwh", "water_l", "carbon_kg", "electricity_usd", "hire_usd", "total_usd", "site"],
    "simulation": ["events", "wall_s", "fidelity", "seed"],
    "provenance": ["inputs", "command", "prices", "validated"],
}
TOP = [
    *("schema", "archsim_version", "workload", "hardware", "latency", "throughput", "energy", "power"),
    *("per_million_tokens", "utilization"),
    *("traffic_bytes_per_token", "operators", "capacity", "counts", "simulation", "warnings", "provenance"),
]
OPERATOR = ["operator", "phase", "time_s", "share", "limiter", "second_limiter", "achieved", "peak", "unit", "bound_s"]
COUNT = ["component", "action", "operator", "phase", "tensor", "count", "unit", "price_pj", "low_pj", "high_pj"]
PRICE = ["component", "action", "value", "unit", "boundary", "grade", "source", "scaled"]


def test_the_object_has_the_keys_of_its_schema_in_their_order(result: Result) -> None:
    found = document(result)
    assert list(found) == TOP
    assert {name: list(found[name]) for name in KEYS} == KEYS
    assert all(list(row) == OPERATOR for row in found["operators"])
    assert all(list(row) == COUNT for row in found["counts"])
    assert all(list(row) == PRICE for row in found["provenance"]["prices"])
    assert all(list(memory) == ["used_bytes", "total_bytes"] for memory in found["capacity"].values())


@pytest.mark.parametrize("column", ["component", "action", "operator", "tensor", "phase", "kind"])
@pytest.mark.parametrize("which", ["result", "prefilled"])
def test_every_breakdown_adds_up_to_the_joules_of_a_token(
    which: str, column: str, request: pytest.FixtureRequest
) -> None:
    energy = document(request.getfixturevalue(which))["energy"]
    assert fsum(energy[f"by_{column}"].values()) == pytest.approx(energy["per_token_j"], rel=1e-9)


def test_rows_times_prices_are_the_total(result: Result) -> None:
    found = document(result)
    picojoules = fsum(row["count"] * row["price_pj"] for row in found["counts"])
    assert picojoules / 1e12 == pytest.approx(found["energy"]["total_j"], rel=1e-12)
    assert found["energy"]["total_j"] == pytest.approx(4 * found["energy"]["per_token_j"])
    assert found["energy"]["low_j"] < found["energy"]["per_token_j"] < found["energy"]["high_j"]


def test_the_band_lies_in_the_interval_and_names_what_spans_it(result: Result) -> None:
    energy = document(result)["energy"]
    assert energy["low_j"] < energy["p05_j"] < energy["p95_j"] < energy["high_j"]
    first, *others = energy["dominant"]
    assert (first["component"], first["action"]) == ("mem", "move")
    assert first["share"] > 0.8
    assert sum(item["share"] for item in energy["dominant"]) == pytest.approx(1.0)
    assert {item["component"] for item in others} == {"hbm"}


@pytest.mark.parametrize("which", ["result", "prefilled"])
def test_all_time_is_accounted_for(which: str, request: pytest.FixtureRequest) -> None:
    found = document(request.getfixturevalue(which))
    assert fsum(row["share"] for row in found["operators"]) == pytest.approx(1)
    assert fsum(row["time_s"] for row in found["operators"]) == pytest.approx(found["latency"]["total_s"])


def test_power_is_joules_over_seconds(result: Result) -> None:
    found = document(result)
    assert found["power"]["average_w"] == pytest.approx(found["energy"]["total_j"] / 16e-6)
    assert found["power"]["tdp_limited"] is False


def test_a_cached_prompt_has_neither_first_token_nor_prefill(result: Result) -> None:
    found = document(result)
    assert found["latency"]["ttft_s"] is None
    assert found["energy"]["prefill_j_per_input_token"] is None
    assert found["throughput"]["tokens_per_s_per_user"] == pytest.approx(250_000)


def test_a_simulated_prompt_is_told_apart_from_decoding(prefilled: Result) -> None:
    found = document(prefilled)
    energy = found["energy"]
    assert found["latency"]["ttft_s"] == pytest.approx(9.2e-6)
    assert found["latency"]["tpot_s"] == pytest.approx(4e-6)
    parts = energy["prefill_j_per_input_token"] * 2048 + energy["decode_j_per_output_token"] * 3
    idle = energy["by_phase"]["(static)"] * 4
    assert parts + idle == pytest.approx(energy["total_j"])


def test_a_run_without_decoding_has_no_pace_but_a_rate(prompt_only: Result) -> None:
    found = document(prompt_only)
    assert found["latency"]["tpot_s"] is None
    assert found["throughput"]["tokens_per_s_per_user"] is None
    assert found["throughput"]["tokens_per_s"] == pytest.approx(1 / 9.2e-6)
    assert found["energy"]["decode_j_per_output_token"] is None


def test_all_sequences_share_a_step(result: Result) -> None:
    workload = result.workload.model_copy(update={"batch": 8})
    rates = document(replace(result, workload=workload))["throughput"]
    assert (rates["tokens_per_s_per_user"], rates["tokens_per_s"]) == pytest.approx((250_000, 2_000_000))


def test_static_power_is_priced_in_watts(result: Result) -> None:
    prices = {(price["component"], price["action"]): price for price in document(result)["provenance"]["prices"]}
    assert prices["sm", "static"]["unit"] == "W"
    assert prices["mem", "move"] == {
        "component": "mem",
        "action": "move",
        "value": 65.0,
        "unit": "pJ/B",
        "boundary": "chip",
        "grade": "derived",
        "source": "gpu.yaml",
        "scaled": None,
    }


def test_json_reads_back_as_the_object_with_its_integers(result: Result) -> None:
    read = json.loads(json_report.render(result))
    assert read == document(result)
    assert all(isinstance(row["count"], int) for row in read["counts"])
    assert all(isinstance(memory["used_bytes"], int) for memory in read["capacity"].values())


def test_json_refuses_what_is_no_number(result: Result) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        json_report.render(replace(result, wall_s=inf))


def test_an_unlimited_memory_has_no_total(result: Result) -> None:
    unlimited = result.machine.components["hbm"].model_copy(update={"capacity": None})
    machine = replace(result.machine, components={**result.machine.components, "hbm": unlimited})
    capacity = document(replace(result, machine=machine))["capacity"]
    assert capacity["hbm"] == {"used_bytes": 12_000_000, "total_bytes": None}
