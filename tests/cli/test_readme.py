"""Every block of the README does what it says."""

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BASH, MAKE = (shutil.which(name) or name for name in ("bash", "make"))
_FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_NAME = re.compile(r"# (\S+\.ya?ml)\n")


@dataclass(frozen=True)
class Block:
    kind: str
    text: str


BLOCKS = [Block(*match.groups()) for match in _FENCE.finditer((ROOT / "README.md").read_text(encoding="utf-8"))]


def trimmed(text: str) -> list[str]:
    return [line.rstrip() for line in text.splitlines()]


def shell(script: str, folder: Path) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"]))
    environment = {**os.environ, "PATH": path, "COLUMNS": "100"}
    command = [BASH, "-euo", "pipefail", "-c", script]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def test_it_names_exactly_two_commands_that_set_up() -> None:
    lines = [line for block in BLOCKS if block.kind == "sh" for line in block.text.splitlines()]
    assert [line for line in lines if line.startswith("make")] == ["make demo", "make test"]


@pytest.mark.parametrize("target", ["demo", "test"])
def test_the_set_up_commands_exist(target: str) -> None:
    assert subprocess.run([MAKE, "-n", target], cwd=ROOT, capture_output=True, check=False).returncode == 0


def test_its_blocks_run_in_order_and_print_what_it_shows(tmp_path: Path) -> None:
    printed = ""
    for block in BLOCKS:
        if block.kind == "yaml":
            name = _NAME.match(block.text)
            assert name is not None, f"a file without a name: {block.text[:40]}"
            (tmp_path / name.group(1)).write_text(block.text, encoding="utf-8")
        elif block.kind == "sh" and not block.text.startswith("make"):
            done = shell(block.text, tmp_path)
            assert done.returncode == 0, done.stderr
            printed = done.stdout
        elif block.kind == "text":
            assert trimmed(block.text) == trimmed(printed)


def test_the_wires_of_its_edited_machine_are_cheaper_as_its_name_says(tmp_path: Path) -> None:
    edited = next(block.text for block in BLOCKS if block.kind == "yaml" and "extends: h100-sxm" in block.text)
    (tmp_path / "my-gpu.yaml").write_text(edited, encoding="utf-8")
    runs = [shell(f"archsim run gemv-4096 {name} --format json", tmp_path) for name in ("h100-sxm", "my-gpu.yaml")]
    before, after = (json.loads(run.stdout)["energy"]["by_component"]["mem"] for run in runs)
    assert after < before


def test_its_links_lead_somewhere() -> None:
    targets = re.findall(r"\]\(([^)#]+)\)", (ROOT / "README.md").read_text(encoding="utf-8"))
    local = [target for target in targets if "://" not in target]
    assert local
    assert all((ROOT / target).exists() for target in local)


def test_its_picture_is_current(tmp_path: Path) -> None:
    assert shell("archsim show h100-sxm --svg now.svg >/dev/null", tmp_path).returncode == 0
    assert (tmp_path / "now.svg").read_bytes() == (ROOT / "docs" / "h100-sxm.svg").read_bytes()
