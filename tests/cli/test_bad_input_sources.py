"""Files that can't be read at all, or that attack whoever reads them."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

Cli = Callable[..., Result]
LAUGHS = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{name}: &{name} [{', '.join([f'*{before}'] * 9)}]\n" for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)

HOSTILE = {
    "empty": (b"", 1, 1, "the document is empty"),
    "only a comment": (b"# nothing\n", 1, 1, "the document is empty"),
    "binary": (b"\x7fELF\x02\x01\x01\0\xff\xfe", 1, 9, "not UTF-8 text"),
    "NUL": (b"name: a\nclass: \0\n", 2, 8, "NUL"),
    "Latin-1": ("schema: archsim.hardware/1\nname: café\n".encode("latin-1"), 2, 10, "not UTF-8 text: byte 0xe9"),
    "UTF-16": ("schema: x\n".encode("utf-16-le"), 1, 2, "NUL"),
    "oversized": (b"# " + b"x" * 8_000_000, 1, 1, "larger than 8 MB"),
    "brackets": (b"[" * 100_000, 1, 65, "nested deeper than 64 levels"),
    "mappings": (b"a: " + b"{b: " * 100_000, 1, 3 + 4 * 63 + 1, "nested deeper than 64 levels"),
    "billion laughs": (LAUGHS.encode(), 6, None, "more than 100000 values, aliases expanded"),
    "an alias of itself": (b"a: &a [*a]\n", 1, 8, "stands within what it repeats"),
    "a tag": (b'!!python/object/apply:os.system ["true"]\n', 1, 1, "is not allowed"),
    "two documents": (b"a: 1\n---\nb: 2\n", 2, 1, "a second document starts here"),
    "no YAML": (b"a: [1, 2\nb: 3\n", 2, 2, "not valid YAML"),
    "a tab": (b"a:\n\tb: 1\n", 2, 1, "not valid YAML"),
    "thousands of digits": (b"a: " + b"9" * 5000, 1, 4, "a number of 5000 characters"),
    "a list": (b"[1, 2]\n", 1, 1, "must be a mapping"),
    "an escape sequence": (b"name: \x1b[31mred\n", 1, 7, "character U+001B is not allowed"),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_a_hostile_machine_is_refused_in_no_time(cli: Cli, small: Path, case: str) -> None:
    content, line, column, says = HOSTILE[case]
    path = small / "machine.yaml"
    path.write_bytes(content)
    start = time.perf_counter()
    result = cli("run", small / "workload.yaml", path, "-o", small / "out")
    assert time.perf_counter() - start < 5
    assert (result.exit_code, result.stdout) == (2, "")
    assert says in result.stderr
    assert f"  --> {path}:{line}:{column or ''}" in result.stderr
    assert "^" in result.stderr
    assert not (small / "out").exists()


@pytest.mark.parametrize("name", ["missing.yaml", "no-folder/missing.yaml", "machine.yaml/below"])
def test_a_file_that_is_not_there_is_named(cli: Cli, small: Path, name: str) -> None:
    result = cli("run", small / "workload.yaml", small / name)
    assert (result.exit_code, result.stdout) == (2, "")
    assert "cannot read the file" in result.stderr
    assert f"  --> {small / name}:1:1" in result.stderr


def test_a_folder_is_no_file(cli: Cli, small: Path) -> None:
    result = cli("run", small / "workload.yaml", small)
    assert result.exit_code == 2
    assert "is a directory" in result.stderr
    assert f"  --> {small}:1:1" in result.stderr


def test_a_name_that_is_not_shipped_gets_the_nearest(cli: Cli) -> None:
    result = cli("run", "llama-3.1-8b-decod", "h100-sxn")
    assert result.exit_code == 2
    assert "did you mean `llama-3.1-8b-decode`?" in result.stderr
    assert "did you mean `h100-sxm`?" in result.stderr


def test_no_file_can_write_to_the_terminal(cli: Cli, small: Path) -> None:
    path = small / "machine.yaml"
    path.write_text('name: 1\n"\\e[2J\\a": 1\n')
    result = cli("run", small / "workload.yaml", path)
    assert "\N{REPLACEMENT CHARACTER}[2J" in result.stderr
    assert result.stderr.replace("\n", "").isprintable()


def test_extends_in_a_circle_shows_the_circle(cli: Cli, small: Path) -> None:
    (small / "a.yaml").write_text("name: a\nextends: b.yaml\n")
    (small / "b.yaml").write_text("extends: [machine.yaml, a.yaml]\n")
    result = cli("run", small / "workload.yaml", small / "a.yaml")
    assert result.exit_code == 2
    assert f"circle: {small / 'a.yaml'} -> {small / 'b.yaml'} -> {small / 'a.yaml'}" in result.stderr
    assert f"  --> {small / 'b.yaml'}:1:25" in result.stderr


def test_extends_of_a_missing_file_gets_the_nearest(cli: Cli, small: Path) -> None:
    (small / "a.yaml").write_text("extends: machin.yaml\n")
    result = cli("run", small / "workload.yaml", small / "a.yaml")
    assert result.exit_code == 2
    assert f"  --> {small / 'a.yaml'}:1:10" in result.stderr
    assert "did you mean `machine.yaml`?" in result.stderr


@pytest.mark.parametrize(
    ("text", "at", "way_out"),
    [
        ("component:\n  hbm: {count: 3}\n", "2:1", "did you mean `components`?"),
        ("components:\n  hbm: {bandwith: 4 TB/s}\n", "3:9", "did you mean `bandwidth`?"),
        ("components:\n  hbn: {bandwidth: 4 TB/s}\n", "3:3", "did you mean `hbm`?"),
    ],
)
def test_a_key_that_is_nearly_one_of_the_base_gets_it(
    cli: Cli, tmp_path: Path, text: str, at: str, way_out: str
) -> None:
    path = tmp_path / "own.yaml"
    path.write_text(f"extends: h100-sxm\n{text}", encoding="utf-8")
    result = cli("check", path)
    assert result.exit_code == 1
    assert f"  --> {path}:{at}\n" in result.stderr
    assert f"  = help: {way_out}" in result.stderr


@pytest.mark.parametrize(
    ("text", "at", "says"),
    [
        ("components:\n  hbm: 6\n", "3:8", "must be a mapping"),
        ("components:\n  hbm: [count, 6]\n", "3:8", "must be a mapping"),
        ("components:\n  hbm:\n", "3:3", "`~` deletes what the extended file has there; leave the key out to keep it"),
        ("components:\n  hbm: # count: 6\n", "3:3", "nothing is written at `hbm`"),
        ("components:\n  hbm: {count:6}\n", "3:9", "a space belongs after the colon: `count: 6`"),
        ("components:\n  hbm: {<<: x}\n", "3:9", "`<<` merges nothing here"),
        ("components:\n  hbm: {count: 1,000}\n", "3:18", "unknown key `000`"),
        ("devices: 1_000\n", "2:10", "write `1000`"),
        ("devices: 2k\n", "2:10", "write all digits"),
        ("components:\n\thbm: {count: 6}\n", "3:1", "indent with spaces, not with tabs"),
        ("components:\n  hbm: {count: 6\nname: x\n", "4:5", "a `}` or a comma is missing: the bracket opens in line 3"),
        ("name: 'x\n", "3:1", "the quote that opens in line 2 is not closed"),
        ("name: a: b\n", "2:8", "a text with `: ` in it is quoted"),
        ("name: @x\n", "2:7", "a text that begins with `@` is quoted"),
        ("name: *x y\n", "2:7", "there is no anchor"),
        ("components:\n   hbm: {count: 6}\n  sm: {count: 6}\n", "4:3", "keys of one mapping begin in the same column"),
    ],
)
def test_a_slip_in_a_file_that_extends_gets_a_way_out(cli: Cli, tmp_path: Path, text: str, at: str, says: str) -> None:
    path = tmp_path / "own.yaml"
    path.write_text(f"extends: h100-sxm\n{text}", encoding="utf-8")
    result = cli("check", path)
    assert result.exit_code == 1
    assert f"  --> {path}:{at}\n" in result.stderr
    assert says in result.stderr


@pytest.mark.parametrize(
    "text",
    ["links: {nvlink: &none ~}\npower_cap: *none\n", "links: {nvlink: ~}\n", "power_cap: ~\nlinks: {nvlink: ~}\n"],
)
def test_what_is_deleted_needs_no_source_any_more(cli: Cli, tmp_path: Path, text: str) -> None:
    path = tmp_path / "own.yaml"
    path.write_text(f"extends: h100-sxm\nname: alone\n{text}", encoding="utf-8")
    assert cli("check", path).exit_code == 0
    assert cli("run", "llama-3.1-8b-decode", "h100-sxm", "--set", "hardware.links.nvlink=~").exit_code == 0


def test_a_source_of_nothing_is_told_where_it_is_written(cli: Cli, tmp_path: Path) -> None:
    path = tmp_path / "own.yaml"
    path.write_text("extends: h100-sxm\nname: x\nsources: {components.hbn.count: mine}\n", encoding="utf-8")
    assert "is the path of no value" in cli("check", path).stderr


def test_a_workload_that_extends_a_shipped_one_is_checked(cli: Cli, tmp_path: Path) -> None:
    path = tmp_path / "own.yaml"
    path.write_text("extends: llama-3.1-8b-decode\nbatch: 2\n", encoding="utf-8")
    assert cli("check", path).exit_code == 0


def test_swapped_files_that_extend_are_told(cli: Cli, small: Path) -> None:
    (small / "own.yaml").write_text("extends: h100-sxm\n", encoding="utf-8")
    assert "a workload file is asked for" in cli("run", small / "own.yaml", small / "machine.yaml").stderr


@pytest.mark.parametrize("name", ["hot.yaml", "cool.yaml", "machine.yml"])
def test_a_file_that_is_not_there_gets_the_nearest(cli: Cli, small: Path, name: str) -> None:
    found = "did you mean" in cli("check", small / name).stderr
    assert found == (name == "machine.yml")


def test_a_folder_in_place_of_a_name_is_called_that(cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "results").mkdir()
    monkeypatch.chdir(tmp_path)
    assert "`results` is a folder, and a file is asked for" in cli("show", "results").stderr


@pytest.mark.parametrize("content", [b"\x7fELF\x02\x01\x01\0secret\xff", "schema: secret\n".encode("utf-16-le")])
def test_a_binary_file_is_named_and_not_shown(cli: Cli, tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "machine.yaml"
    path.write_bytes(content)
    result = cli("check", path)
    assert (result.exit_code, result.stdout) == (1, "")
    assert f"  --> {path}:1:" in result.stderr
    assert "secret" not in result.stderr.replace("\N{REPLACEMENT CHARACTER}", "")


def test_swapped_arguments_are_told(cli: Cli, small: Path) -> None:
    for pair in (("h100-sxm", "llama-3.1-8b-decode"), (small / "machine.yaml", small / "workload.yaml")):
        result = cli("run", *pair)
        assert result.exit_code == 2
        assert result.stderr.count("a workload file is asked for\n") == 1
        assert result.stderr.count("a hardware file is asked for\n") == 1
        assert result.stderr.count("  = help: a machine is the second argument of `run`") == 1
        assert result.stderr.count("  = help: a workload is the first argument of `run`") == 1


def test_swapped_files_without_a_schema_are_told_by_what_they_hold(cli: Cli, small: Path) -> None:
    for name in ("machine.yaml", "workload.yaml"):
        text = (small / name).read_text(encoding="utf-8")
        (small / name).write_text("".join(line for line in text.splitlines(True) if not line.startswith("schema:")))
    result = cli("run", small / "machine.yaml", small / "workload.yaml")
    assert result.exit_code == 2
    assert "this is a hardware file: it has `components`" in result.stderr
    assert "this is a workload file: it has `family`" in result.stderr
    assert result.stderr.count("error:") == 2
