import json
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from click.testing import Result

from archsim.config.shipped import shipped

Cli = Callable[..., Result]


@pytest.mark.parametrize("name", shipped("hw_configs"))
def test_every_shipped_machine_can_be_shown_and_drawn(cli: Cli, name: str, tmp_path: Path) -> None:
    picture = tmp_path / "machine.svg"
    result = cli("show", name, "--svg", picture)
    assert result.exit_code == 0, result.stderr
    assert max(map(len, result.stdout.splitlines())) <= 100
    assert ET.parse(picture).getroot().tag.endswith("svg")  # noqa: S314 - the project's own drawing


def test_an_h100_moves_a_byte_from_stack_to_tile_at_the_energy_that_its_file_says(cli: Cli) -> None:
    text = cli("show", "h100-sxm").stdout
    assert "75.0 pJ/B" in text
    assert "constant power" in text
    assert "110 W" in text


def test_settings_change_what_is_shown(cli: Cli) -> None:
    text = cli("show", "h100-sxm", "--set", "hardware.components.hbm.count=6", "--set", "hardware.name=six").stdout
    assert text.startswith("six\n")
    assert "hbm × 6" in text


@pytest.mark.parametrize("columns", ["0", "1", "99999999999", "wide"])
def test_no_width_that_is_asked_for_is_a_defect(cli: Cli, monkeypatch: pytest.MonkeyPatch, columns: str) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    assert cli("show", "h100-sxm").exit_code == 0


def test_devices_that_are_not_alike_are_shown(cli: Cli) -> None:
    slow = "hardware.mapper.stragglers={count: 2, slowdown: 1.1, parts: [sm, l2]}"
    text = cli("show", "dgx-h100", "--set", slow, "--set", "hardware.mapper.variation=0.03").stdout
    assert "2 stragglers at 1.1× in sm and l2, variation 0.03" in " ".join(text.split())


def test_what_is_wrong_with_a_machine_is_a_diagnostic(cli: Cli, tmp_path: Path) -> None:
    broken = tmp_path / "broken.yaml"
    broken.write_text("extends: h100-sxm\ncomponents: {hbm: {cuont: 5}}\n", encoding="utf-8")
    result = cli("show", broken, "--svg", tmp_path / "no.svg")
    assert result.exit_code == 2
    assert "unknown key `cuont`" in result.stderr
    assert not (tmp_path / "no.svg").exists()


def test_a_workload_in_place_of_a_machine_is_called_that(cli: Cli) -> None:
    result = cli("show", "llama-3.1-8b-decode")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "`llama-3.1-8b-decode` names a shipped workload file, and a hardware file is asked for" in result.stderr


@pytest.mark.parametrize(("columns", "longest"), [("60", 80), ("140", 140), ("many", 100), ("", 100)])
def test_what_another_program_reads_is_as_wide_as_it_asks(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, columns: str, longest: int
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    assert max(map(len, cli("show", "h100-sxm").stdout.splitlines())) == longest


def test_a_mesh_of_tiles_can_be_shown(cli: Cli, tmp_path: Path) -> None:
    mesh = tmp_path / "mesh.yaml"
    mesh.write_text(
        "extends: h100-sxm\n"
        "components: {sm: {count: 16}}\n"
        "links: {noc: {between: [sm, sm], topology: mesh, shape: [4, 4], bandwidth: 1 TB/s, energy: 1 pJ/B}}\n",
        encoding="utf-8",
    )
    result = cli("show", mesh)
    assert result.exit_code == 0, result.stderr
    assert "mesh 4 × 4" in result.stdout


@pytest.mark.parametrize("kind", ["hardware", "workload"])
def test_a_schema_is_printed_as_json(cli: Cli, kind: str) -> None:
    result = cli("schema", kind)
    assert result.exit_code == 0
    assert json.loads(result.stdout)["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert result.stdout.endswith("}\n")


@pytest.mark.parametrize(
    ("what", "name"),
    [
        *(
            ("hardware", "h100-sxm"),
            ("workloads", "llama-3.1-8b-decode"),
            ("stacks", "gpt-fast"),
            ("suites", "decode-steps"),
        ),
        *(("components", "sram"), ("mappers", "temporal")),
    ],
)
def test_lists_name_what_there_is_in_order(cli: Cli, what: str, name: str) -> None:
    names = [line.split()[0] for line in cli("list", what).stdout.splitlines()]
    assert name in names
    assert names == sorted(names)
