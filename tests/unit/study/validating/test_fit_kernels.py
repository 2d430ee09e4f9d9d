"""Constants of a stack come back from times that were made with them."""

import csv
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml

from archsim.config.document import load
from archsim.config.shipped import find
from archsim.study.bench import Bench
from archsim.study.checking import check_hardware
from archsim.study.files import HARDWARE_FOLDER
from archsim.study.validating.kinds.kernel import KernelSettings, timing

SCRIPT = Path(__file__).parents[4] / "validation" / "fit_kernels.py"
BF16 = {"weights": "bf16", "kv": "bf16", "activations": "bf16"}
SUITE: dict[str, Any] = {
    "sample": {"where": "m > 0", "cells": ["m", "n", "k", "us"]},
    "settings": {
        "hardware": "a100-sxm-80gb",
        "dtypes": BF16,
        "entry": {"kind": "gemm", "name": "gemm", "m": "$m", "n": "$n", "k": "$k"},
    },
    "cross_validated": {"free": ["gemm.wave", "gemm.split_cost"]},
    "columns": ["m", "n", "k", "measured"],
}
SHAPES = [(m, n, k) for m in (1, 16, 256) for n in (1024, 4096, 16384) for k in (1024, 4096, 8192)]


def test_it_finds_the_constants_that_a_table_was_made_with(tmp_path: Path) -> None:
    target = check_hardware(load(find("a100-sxm-80gb", HARDWARE_FOLDER), HARDWARE_FOLDER))
    kernels = target.stack.gemm.model_copy(update={"wave": 5_000_000, "split_cost": 4_000_000})
    bench = Bench(replace(target, stack=target.stack.model_copy(update={"gemm": kernels})))
    with (tmp_path / "table.csv").open("w", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(("m", "n", "k", "us"))
        for m, n, k in SHAPES:
            entry = {"kind": "gemm", "name": "gemm", "m": m, "n": n, "k": k}
            table.writerow((m, n, k, bench.picoseconds([entry], BF16) * 1e-6))
    (tmp_path / "suite.yaml").write_text(yaml.safe_dump(SUITE), encoding="utf-8")
    command = [sys.executable, str(SCRIPT), str(tmp_path / "suite.yaml"), str(tmp_path / "table.csv")]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    constants = told[1].split()
    assert constants[:2] == ["all", "27"]
    assert abs(float(constants[6]) / 5e6 - 1) < 0.01
    assert abs(float(constants[8]) / 4e6 - 1) < 0.02
    assert told[-1].split()[:8] == ["left", "out", "in", "turn", "27", "rows", "0.0%", "0.0%"]


def test_machines_are_changed_and_joined_as_the_suite_says(tmp_path: Path) -> None:
    changed = {"sets": ["hardware.components.hbm.bandwidth=100 GB/s"], "devices": 2}
    settings = KernelSettings.model_validate({**SUITE["settings"], **changed})
    with (tmp_path / "table.csv").open("w", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(("m", "n", "k", "us"))
        for m, n, k in SHAPES[:10]:
            table.writerow((m, n, k, timing(settings, {"m": m, "n": n, "k": k}).picoseconds * 1e-6))
    suite = {**SUITE, "settings": {**SUITE["settings"], **changed}}
    (tmp_path / "suite.yaml").write_text(yaml.safe_dump(suite), encoding="utf-8")
    command = [sys.executable, str(SCRIPT), str(tmp_path / "suite.yaml"), str(tmp_path / "table.csv"), "gemm.wave"]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    assert told[0].split()[:5] == ["stack", "10", "rows", "0.0%", "0.0%"]
