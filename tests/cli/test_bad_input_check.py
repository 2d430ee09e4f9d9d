"""`archsim check`: findings are an answer, so they exit with 1."""

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from archsim.config.shipped import shipped

Cli = Callable[..., Result]
SHIPPED = [(folder, name) for folder in ("hw_configs", "workloads") for name in shipped(folder)]


@pytest.mark.parametrize(("folder", "name"), SHIPPED)
def test_every_shipped_file_is_clean_by_name_and_by_path(cli: Cli, folder: str, name: str) -> None:
    result = cli("check", name, shipped(folder)[name])
    assert (result.exit_code, result.stdout) == (0, ""), result.stderr


def test_sound_files_exit_with_0_and_print_no_data(cli: Cli, small: Path) -> None:
    result = cli("check", small / "machine.yaml", small / "workload.yaml")
    assert (result.exit_code, result.stdout) == (0, "")


def test_findings_of_all_files_come_at_once_and_exit_with_1(cli: Cli, small: Path) -> None:
    machine, workload = small / "machine.yaml", small / "workload.yaml"
    machine.write_text(machine.read_text().replace("count: 16", "count: 0").replace("stack: ideal", "stack: none"))
    workload.write_text(workload.read_text().replace("batch: 2", "batch: two"))
    result = cli("check", machine, workload, small / "missing.yaml")
    assert (result.exit_code, result.stdout) == (1, "")
    for place in (f"{machine}:6:8", f"{machine}:24:12", f"{workload}:5:8", f"{small / 'missing.yaml'}:1:1"):
        assert f"--> {place}\n" in result.stderr


@pytest.mark.parametrize(
    ("text", "place", "says"),
    [
        ("name: x\n", "1:1", "missing key `schema`"),
        ("schema: archsim.hardwear/1\n", "1:9", "did you mean `archsim.hardware/1`?"),
        ("", "1:1", "the document is empty"),
    ],
)
def test_a_file_of_no_known_sort_is_a_finding(cli: Cli, tmp_path: Path, text: str, place: str, says: str) -> None:
    path = tmp_path / "file.yaml"
    path.write_text(text)
    result = cli("check", path)
    assert result.exit_code == 1
    assert f"--> {path}:{place}\n" in result.stderr
    assert says in result.stderr


def test_check_without_files_is_wrong_usage(cli: Cli) -> None:
    assert cli("check").exit_code == 2
