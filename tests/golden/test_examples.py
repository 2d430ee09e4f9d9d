"""The examples under reports/ are what `make examples` makes today."""

import json
from pathlib import Path
from typing import Any

from archsim.study.comparing.compare import Question, compare, matrix
from archsim.study.comparing.publishing import publish

COMMITTED = Path(__file__).parents[2] / "reports"
EXAMPLE = Question(
    workloads=("llama-3.1-8b-decode", "qwen3-30b-a3b-decode", "mamba-2-2.7b-decode"),
    hardware=("h100-sxm", "wse-3", "northpole-x16", "hardwired-generic"),
    fit=True,
)


def untimed(path: Path) -> Any:
    """A result without what differs from run to run."""
    read = json.loads(path.read_text(encoding="utf-8"))
    for cell in read["results"]:
        cell.get("simulation", {}).pop("wall_s", None)
    return read


def test_the_examples_are_current(tmp_path: Path) -> None:
    publish(compare(matrix(EXAMPLE)), tmp_path)
    assert (tmp_path / "report.md").read_text(encoding="utf-8") == (COMMITTED / "report.md").read_text(encoding="utf-8")
    assert untimed(tmp_path / "results.json") == untimed(COMMITTED / "results.json")
