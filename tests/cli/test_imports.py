"""Start-up: what a command does not need, it does not load."""

import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = {"jinja2", "networkx", "numpy", "pandas", "plotly", "simpy"}
MACHINE = str(Path(__file__).parent / "data" / "machine.yaml")
WORKLOAD = str(Path(__file__).parent / "data" / "workload.yaml")

PROBE = """
import sys
from archsim.cli import main

try:
    main()
finally:
    print(*(name for name in sys.modules if "." not in name), file=sys.stderr)
"""


def loaded(*arguments: str) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", PROBE, *arguments], capture_output=True, text=True, check=True, timeout=60
    )
    return set(done.stderr.splitlines()[-1].split())


def test_help_and_version_load_nothing_but_click() -> None:
    assert not loaded("--help") & {*HEAVY, "pydantic", "rich", "yaml"}
    assert not loaded("--version") & {*HEAVY, "pydantic", "rich", "yaml"}
    assert not loaded("run", "--help") & {*HEAVY, "pydantic", "rich", "yaml"}


@pytest.mark.parametrize("path", [MACHINE, WORKLOAD])
def test_check_loads_no_numerical_library(path: str) -> None:
    assert not loaded("check", path) & HEAVY


@pytest.mark.parametrize("kind", ["table", "csv", "json"])
def test_a_run_loads_no_drawing_and_no_data_frames(kind: str) -> None:
    modules = loaded("run", WORKLOAD, MACHINE, "--format", kind)
    assert not modules & {"jinja2", "pandas", "plotly"}
    assert {"networkx", "simpy"} <= modules
    assert ("numpy" in modules) == (kind == "json"), "the band of an energy is drawn with it, and only where it is told"
