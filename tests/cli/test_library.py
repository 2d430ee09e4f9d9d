"""`archsim library`, figures cited at a price, and library files of a user's own."""

import fcntl
import json
import os
import pty
import struct
import subprocess
import sys
import termios
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from click.testing import Result

from tests.cli.test_imports import HEAVY, loaded

Cli = Callable[..., Result]
Run = Callable[..., Result]

OWN = """\
schema: archsim.library/1

my-hbm:
  kind: hbm_stack
  energy:
    read: {value: 30 pJ/B, low: 20 pJ/B, high: 40 pJ/B, boundary: device, grade: measured, source: my bench}
    write: {value: 30 pJ/B, low: 20 pJ/B, high: 40 pJ/B, boundary: device, grade: measured, source: my bench}

my-wire:
  {figure: link, action: move, quantity: energy per byte, value: 7 pJ/B, low: 6 pJ/B, high: 9 pJ/B,
   boundary: chip, grade: measured, source: my bench}
"""
SCHEMA = "schema: archsim.hardware/1"
WITH_OWN = (SCHEMA, f"{SCHEMA}\nlibraries: [own.yaml]")
LINK = "energy: 10 pJ/B"


@pytest.fixture
def own(small: Path) -> Path:
    path = small / "own.yaml"
    path.write_text(OWN, encoding="utf-8")
    return path


def test_the_library_is_listed_with_values_ranges_and_grades(cli: Cli) -> None:
    text = cli("library").stdout
    assert "hbm3" in text
    assert "wire-5n" in text
    assert "23.1–31.1" in text
    assert max(map(len, text.splitlines())) <= 100


@pytest.mark.parametrize(
    ("options", "all_of", "none_of"),
    [
        (("--kind", "hbm_stack"), ["hbm3", "hbm2e"], ["gpu-l2-4n", "hbm3-read"]),
        (("--kind", "wire", "--node", "5"), ["wire-5n"], ["wire-7n", "wire-14n"]),
        (("--node", "N7", "--kind", "path"), ["beyond-l2-a100"], ["beyond-l2-gh200"]),
        (("--grade", "measured", "--kind", "constant-power"), ["h100-idle"], ["h200-in-use"]),
    ],
)
def test_the_library_is_filtered(cli: Cli, options: tuple[str, ...], all_of: list[str], none_of: list[str]) -> None:
    names = [entry["name"] for entry in json.loads(cli("library", *options, "--format", "json").stdout)]
    assert set(all_of) <= set(names)
    assert not set(none_of) & set(names)


def test_an_entry_is_explained_with_its_source_and_the_machines_that_use_it(cli: Cli) -> None:
    text = cli("library", "hbm3").stdout
    assert "27.1 pJ/B (23.1–31.1)" in text
    assert "channels 32, banks 16, row 1 KiB" in text
    assert "Moon, Son, Lee" in text
    assert "dgx-h100, h100-sxm" in text
    (entry,) = json.loads(cli("library", "hbm3", "--format", "json").stdout)
    assert (entry["kind"], entry["component"], entry["file"]) == ("hbm_stack", True, "dram.yaml")
    assert [figure["action"] for figure in entry["figures"]] == ["efficiency", "read", "write", "activate"]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("hbm33",), ("unknown library entry `hbm33`", "did you mean `hbm3`?", "<NAME>:1:1")),
        (("--kind", "hbm_stak"), ("unknown kind `hbm_stak`", "did you mean `hbm_stack`?", "<--kind>:1:1")),
        (("--grade", "guess"), ("unknown grade `guess`",)),
        (("--node", "6 um"), ("unknown node `6 um`",)),
    ],
)
def test_what_is_not_in_the_library_is_a_diagnostic(
    cli: Cli, arguments: tuple[str, ...], says: tuple[str, ...]
) -> None:
    result = cli("library", *arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert all(words in result.stderr for words in says), result.stderr


def test_the_library_loads_no_numerical_library() -> None:
    assert not loaded("library") & HEAVY
    assert not loaded("library", "hbm3") & HEAVY


def prices(result: Result) -> dict[str, dict[str, object]]:
    assert result.exit_code == 0, result.stderr
    listed = json.loads(result.stdout)["provenance"]["prices"]
    return {f"{price['component']} {price['action']}": price for price in listed}


def test_a_price_cites_a_figure_of_the_library(run: Run) -> None:
    cited = prices(run("machine.yaml", (LINK, "energy: {library: ucie-advanced-3n}"), args=("--format", "json")))
    assert cited["mem move"]["value"] == pytest.approx(0.29 * 8)
    assert (cited["mem move"]["grade"], cited["mem move"]["boundary"]) == ("measured", "chip")
    assert "JSSC 2026" in str(cited["mem move"]["source"])


def test_a_field_beside_a_cited_figure_overrides_it(run: Run) -> None:
    written = "energy: {library: ucie-advanced-3n, value: 3 pJ/B, source: mine}"
    cited = prices(run("machine.yaml", (LINK, written), args=("--format", "json")))
    assert (cited["mem move"]["value"], cited["mem move"]["source"]) == (3.0, "mine")


def test_a_figure_cited_in_a_file_that_extends_stands_in_place_of_the_price_there(cli: Cli, tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(f"{SCHEMA}\nextends: h100-sxm\nlinks: {{mem: {{energy: {{library: mcm-on-board}}}}}}\n")
    result = cli("run", "llama-3.1-8b-decode", path, "--set", "workload.output_tokens=1", "--format", "json")
    assert result.exit_code == 0, result.stderr
    (found,) = [price for price in json.loads(result.stdout)["provenance"]["prices"] if price["component"] == "mem"]
    assert (found["value"], found["grade"]) == (80.0, "published")


@pytest.mark.usefixtures("own")
def test_a_library_file_of_one_s_own_is_laid_under_a_machine_like_the_shipped(run: Run) -> None:
    edits = (WITH_OWN, (LINK, "energy: {library: my-wire}"))
    cited = prices(run("machine.yaml", *edits, args=("--format", "json")))
    assert (cited["mem move"]["value"], cited["mem move"]["source"]) == (7.0, "my bench")


@pytest.mark.parametrize(
    ("energy", "culprit", "says"),
    [
        ("{library: mac-int8-7n}", "{library: ^mac-int8-7n", "a unit of energy per MAC, not of energy per byte"),
        ("{library: wire-5n}", "{library: ^wire-5n", "a unit of energy per byte and length"),
        ("{library: ucie-advancd}", "{library: ^ucie-advancd", "did you mean `ucie-advanced`?"),
        ("{library: hbm3}", "{library: ^hbm3", "an entry for a component, not a single figure"),
        ("{value: 10 pJ/B, low: 11 pJ/B}", "{value: 10", "a range must hold its value"),
        ("{value: 10 pJ/B, boundary: bord}", "boundary: ^bord", "did you mean `board`?"),
        ("{value: 10 pJ/MAC}", "{value: ^10 pJ/MAC", "a unit of energy per MAC, not of energy per byte"),
    ],
)
def test_a_price_of_a_machine_is_refused_where_it_is_wrong(
    refused: Callable[..., str], energy: str, culprit: str, says: str
) -> None:
    assert says in refused("machine.yaml", (LINK, f"energy: {energy}"), culprit=culprit)


@pytest.mark.parametrize(
    ("old", "new", "culprit", "says"),
    [
        ("value: 7 pJ/B, low: 6", "value: 7 pJ/B, low: 8", "{figure: link", "a range must hold its value"),
        ("value: 7 pJ/B", "value: 7 pJ", "value: ^7 pJ,", "a unit of energy, not of energy per byte"),
        ("boundary: chip", "boundary: chop", "chop", "did you mean `chip`?"),
        ("   boundary: chip, grade: measured", "   boundary: chip", "{figure: link", "missing key `grade`"),
        ("schema: archsim.library/1", "schema: archsim.hardware/1", "schema: archsim.hardware/1", "not a library file"),
        ("my-wire:", "ucie-advanced:", "ucie-advanced", "the library has two entries `ucie-advanced`"),
    ],
)
def test_a_library_file_is_refused_where_it_is_wrong(
    refused: Callable[..., str], own: Path, old: str, new: str, culprit: str, says: str
) -> None:
    own.write_text(OWN.replace(old, new), encoding="utf-8")
    edits = (WITH_OWN, (LINK, "energy: {library: my-wire}"))
    assert says in refused("machine.yaml", *edits, culprit=culprit, of="own.yaml")


@pytest.mark.parametrize(
    ("written", "culprit", "says"),
    [
        ("own.yaml", "libraries: ^own.yaml", "must be a list"),
        ("[owm.yaml]", "[^owm.yaml", "there is no library file"),
        ("[own.yaml, own.yaml]", "", "the library has two entries `my-hbm`"),
    ],
)
def test_a_list_of_library_files_is_refused_where_it_is_wrong(
    refused: Callable[..., str], own: Path, written: str, culprit: str, says: str
) -> None:
    of, where = ("machine.yaml", culprit) if culprit else (own.name, "^my-hbm:")
    edits = ((SCHEMA, f"{SCHEMA}\nlibraries: {written}"), (LINK, "energy: {library: my-wire}"))
    assert says in refused("machine.yaml", *edits, culprit=where, of=of)


def test_a_component_s_entry_of_one_s_own_is_refused_in_its_file(refused: Callable[..., str], own: Path) -> None:
    text = own.read_text(encoding="utf-8").replace("read: {value: 30 pJ/B, low: 20", "read: {value: 30 pJ/B, low: 31")
    own.write_text(text, encoding="utf-8")
    edits = (WITH_OWN, ("    energy: {read: 39 pJ/B, write: 39 pJ/B}\n", "    library: my-hbm\n"))
    assert "a range must hold its value" in refused("machine.yaml", *edits, culprit="read: ^{value: 30", of="own.yaml")


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("low: 20 pJ/B, high: 40 pJ/B, ", "", "missing key `low`"),
        (", source: my bench}\n    write", "}\n    write", "missing key `source`"),
    ],
)
def test_a_component_s_entry_without_a_range_or_source_is_refused_where_it_is_used(
    refused: Callable[..., str], own: Path, old: str, new: str, says: str
) -> None:
    own.write_text(own.read_text(encoding="utf-8").replace(old, new, 1), encoding="utf-8")
    edits = (WITH_OWN, ("    energy: {read: 39 pJ/B, write: 39 pJ/B}\n", "    library: my-hbm\n"))
    assert says in refused("machine.yaml", *edits, culprit="read: ^{value: 30", of="own.yaml")


def test_check_knows_library_files(cli: Cli, own: Path) -> None:
    assert cli("check", own).exit_code == 0
    own.write_text(OWN.replace("low: 20 pJ/B, high: 40 pJ/B, boundary: device", "low: 50 pJ/B", 1), encoding="utf-8")
    result = cli("check", own)
    assert result.exit_code == 1
    assert f"{own}:6:11" in result.stderr


def test_a_component_of_another_kind_is_not_laid_under(refused: Callable[..., str]) -> None:
    edit = ("    count: 2\n", "    count: 2\n    library: gpu-l2-4n\n")
    assert "an entry for a `sram`, and this is a `hbm_stack`" in refused("machine.yaml", edit, culprit="gpu-l2-4n")


def test_a_layer_that_is_counted_twice_is_said_where_a_machine_is_shown(cli: Cli, tmp_path: Path) -> None:
    machine = tmp_path / "twice.yaml"
    machine.write_text("extends: h100-sxm\nlinks: {mem: {covers: [phy, dram io]}}\n", encoding="utf-8")
    text = " ".join(cli("show", machine).stdout.split())
    assert "WARNING: dram io counted twice: hbm and mem" in text
    assert "counted twice" not in cli("show", "h100-sxm").stdout


def test_layers_that_a_cited_figure_holds_are_not_counted_twice_in_silence(cli: Cli, tmp_path: Path) -> None:
    """A whole path from HBM to L2 as the price of the link, beside the price of HBM."""
    machine = tmp_path / "twice.yaml"
    machine.write_text("extends: h100-sxm\nlinks: {mem: {energy: {library: beyond-l2-gh200}}}\n", encoding="utf-8")
    assert "dram core counted twice: hbm and mem" in " ".join(cli("show", machine).stdout.split())
    warned = json.loads(cli("run", "llama-3.1-8b-decode", machine, "--format", "json").stdout)["warnings"]
    assert "counted twice, by hbm and mem: dram core, tsv, dram io" in warned
    plain = json.loads(cli("run", "llama-3.1-8b-decode", "h100-sxm", "--format", "json").stdout)["warnings"]
    assert not [text for text in plain if "counted twice" in text]


NODE = ("    kind: tile\n", "    kind: tile\n    node: 7 nm\n")


def test_a_machine_at_another_node_says_what_was_scaled(run: Run) -> None:
    asked = ("--set", "hardware.scale_to=5 nm", "--format", "json")
    found = json.loads(run("machine.yaml", NODE, args=asked).stdout)
    sm = next(price for price in found["provenance"]["prices"] if price["action"] == "mac_bf16")
    assert sm["value"] == pytest.approx(0.7 * 0.8)
    assert sm["scaled"]["factor"] == pytest.approx(0.7)
    assert (sm["scaled"]["start_nm"], sm["scaled"]["end_nm"], sm["scaled"]["far"]) == (7, 5, False)
    assert "at another node: l2 stays as it is: it states no node" in found["warnings"]
    assert any(text.startswith("at another node: sm mac bf16, mac int8, vector, 7 to 5") for text in found["warnings"])


def test_a_shipped_chip_is_shown_at_another_node(cli: Cli) -> None:
    text = " ".join(cli("show", "h100-sxm", "--set", "hardware.scale_to=N3").stdout.split())
    assert "At another node" in text
    assert "l2 read, write, 5 to 3 nm: sram x 0.9 (0.8 to 1), far from the anchor at 7 nm" in text
    assert "At another node" not in cli("show", "h100-sxm").stdout


@pytest.mark.parametrize(
    ("line", "culprit", "says"),
    [
        ("    scale_to: 3 nm\n", "scale_to: ^3 nm", "`sm` can't be scaled to 3 nm: it states no `node`"),
        ("    node: 45 nm\n    scale_to: 3 nm\n", "scale_to: ^3 nm", "its node is 45 nm"),
        ("    node: 7 nm\n    scale_to: small\n", "scale_to: ^small", "names no process node"),
        ("    node: 7 nm\n    scale_to: 45 nm\n", "scale_to: ^45 nm", "rules hold from 16 to 2 nm"),
        ("    node: 7 nm\n    scale_to: 1 nm\n", "scale_to: ^1 nm", "rules hold from 16 to 2 nm"),
    ],
)
def test_a_node_that_nothing_is_scaled_to_is_refused(
    refused: Callable[..., str], line: str, culprit: str, says: str
) -> None:
    assert says in refused("machine.yaml", ("    kind: tile\n", f"    kind: tile\n{line}"), culprit=culprit)


def test_power_that_only_the_software_prices_is_listed_at_another_node_too(cli: Cli) -> None:
    result = cli("run", "llama-3.1-8b-decode", "h100-sxm", "--set", "hardware.scale_to=3 nm", "--format", "json")
    found = json.loads(result.stdout)
    active = next(price for price in found["provenance"]["prices"] if price["action"] == "active")
    assert active["scaled"]["scale"] == "static"
    assert "3 nm: static x 1" in active["source"]
    assert any("sm active, static power, 5 to 3 nm: static x 1" in text for text in found["warnings"])


def test_a_terminal_s_width_is_the_page_s() -> None:
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    command = [sys.executable, "-c", "from archsim.cli import main; main()", "library", "hbm3"]
    environment = {name: value for name, value in os.environ.items() if name != "COLUMNS"}
    with subprocess.Popen(command, stdout=theirs, env=environment | {"NO_COLOR": "1"}) as process:
        os.close(theirs)
        page = "".join(iter(partial(read, ours), ""))
    assert process.returncode == 0
    assert max(map(len, page.splitlines())) == 80


def read(terminal: int) -> str:
    """What a terminal shows next; nothing at its end, which Linux tells as an error."""
    try:
        return os.read(terminal, 1 << 16).decode()
    except OSError:
        return ""
