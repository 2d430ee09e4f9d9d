"""A bench says what the whole corridor says, point after point."""

from functools import cache
from typing import Any

import pytest

from archsim.model.plan import PlanError
from archsim.study.bench import Bench
from archsim.study.checking import Hardware, check_hardware
from archsim.study.files import load_pair
from archsim.study.running import run

BF16 = {"weights": "bf16", "kv": "bf16", "activations": "bf16"}
GEMM = {"kind": "gemm", "name": "gemv", "m": 1, "k": 4096, "n": 14336}
ATTENTION = {"kind": "attention", "name": "a", "context": 4096, "heads": 32, "kv_heads": 8}
STEP = {"kind": "scan", "name": "s", "heads": 512, "groups": 16}
EXCHANGE = {"kind": "collective", "name": "x", "operation": "all_to_all", "bytes": "1 MiB"}


@cache
def machine(name: str) -> Hardware:
    return check_hardware(load_pair("gemv-4096", name, ())[1])


def seconds(entry: dict[str, Any], devices: int | None = None, name: str = "h100-sxm") -> float:
    return Bench(machine(name), devices).picoseconds([entry], BF16) * 1e-12


@pytest.mark.parametrize("name", ["h100-sxm", "h200-sxm"])
@pytest.mark.parametrize("rows", [1, 4096])
def test_a_point_takes_what_a_run_of_it_takes(name: str, rows: int) -> None:
    listed = f"workload.operators=[{{kind: gemm, name: gemv, m: {rows}, k: {GEMM['k']}, n: {GEMM['n']}}}]"
    dtypes = "workload.dtypes={weights: bf16, kv: bf16, activations: bf16}"
    repeated = "hardware.power_cap.settles=0 s"
    result = run("gemv-4096", name, (listed, dtypes, repeated)).result
    target = check_hardware(load_pair("gemv-4096", name, (repeated,))[1])
    timed = Bench(target).picoseconds([{**GEMM, "m": rows}], BF16) * 1e-12
    assert timed == pytest.approx(result.latency.total_s, abs=1e-12)
    assert bool(result.slowed) == (rows > 1)


@pytest.mark.parametrize("entry", [ATTENTION, STEP])
def test_what_was_left_on_the_chip_is_read_faster(entry: dict[str, Any]) -> None:
    assert seconds({**entry, "warm": True}) < seconds(entry)


def test_what_is_left_on_the_chip_fits_there() -> None:
    large = {**ATTENTION, "context": 65536}
    assert seconds({**large, "warm": True}) == seconds(large)


def test_groups_of_devices_exchange_side_by_side() -> None:
    assert seconds({**EXCHANGE, "devices": 2}, 8) == seconds(EXCHANGE, 2)


@pytest.mark.parametrize(("group", "devices"), [(None, 1), (8, 4), (3, 8)])
def test_groups_that_the_devices_do_not_fill_are_refused(group: int | None, devices: int) -> None:
    with pytest.raises(PlanError, match="joins groups of"):
        seconds({**EXCHANGE, "devices": group}, devices)
