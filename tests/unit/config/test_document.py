import time
from hashlib import sha256
from pathlib import Path

import pytest

from archsim.config.diagnostics import Diagnostic, InputError
from archsim.config.document import MAX_EXTENDS, data, load, position_at


def write(folder: Path, **files: str) -> Path:
    """Write NAME.yaml for each; the first is the one that is read."""
    for name, text in files.items():
        (folder / f"{name}.yaml").write_text(text)
    return folder / f"{next(iter(files))}.yaml"


def finding_of(path: Path) -> Diagnostic:
    with pytest.raises(InputError) as caught:
        load(path)
    (finding,) = caught.value.diagnostics
    assert finding.position is not None
    return finding


def test_mappings_merge_lists_replace_and_null_deletes(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        top="extends: base.yaml\nm: {b: 20, c: ~, d: {e: 1}}\nl: [3]\nx: ~\n",
        base="m: {a: 1, b: 2, c: 3, d: 4}\nl: [1, 2]\nx: {y: 1}\nz: ~\n",
    )
    assert data(load(path).root) == {"m": {"a": 1, "b": 20, "d": {"e": 1}}, "l": [3], "z": None}


def test_a_citation_of_the_library_stands_in_place_of_a_figure(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        top="extends: base.yaml\nprice: {library: one, source: mine}\npart: {library: two}\n",
        base="price: {value: 1, low: 0, high: 2}\npart: {kind: sram, library: one, count: 3}\n",
    )
    merged = {"price": {"library": "one", "source": "mine"}, "part": {"kind": "sram", "library": "two", "count": 3}}
    assert data(load(path).root) == merged


def test_null_stays_where_there_is_nothing_to_delete(tmp_path: Path) -> None:
    path = write(tmp_path, top="extends: base\nb: ~\n", base="a: 1\n")
    assert data(load(path).root) == {"a": 1, "b": None}


def test_later_bases_win_over_earlier_ones(tmp_path: Path) -> None:
    path = write(tmp_path, top="extends: [one, two]\nc: 3\n", one="a: 1\nb: 1\nc: 1\n", two="b: 2\nc: 2\n")
    assert data(load(path).root) == {"a": 1, "b": 2, "c": 3}


def test_bases_are_relative_to_their_file(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    write(tmp_path / "deep", middle="extends: ../base.yaml\n", other="{}")
    path = write(tmp_path, top="extends: deep/middle.yaml\n", base="a: 1\n")
    assert data(load(path).root) == {"a": 1}


def test_sources_are_every_file_read_with_its_digest(tmp_path: Path) -> None:
    path = write(tmp_path, top="extends: [one, two]\n", one="extends: two\na: 1\n", two="b: 2\n")
    sources = {str(file): sha256(file.read_bytes()).hexdigest() for file in tmp_path.glob("*.yaml")}
    assert dict(load(path).sources) == sources
    assert load(path).sources[0][0] == str(path)


def test_an_inherited_value_stands_in_the_file_that_wrote_it(tmp_path: Path) -> None:
    path = write(tmp_path, top="extends: base\nm:\n  b: 2\n", base="# base\nm:\n  a: 1\n")
    document = load(path)
    inherited = position_at(document, ("m", "a"))
    assert (inherited.path, inherited.line, inherited.column) == (str(tmp_path / "base.yaml"), 3, 6)
    assert position_at(document, ("m", "b")).path == str(path)


def test_a_missing_path_has_the_position_of_its_nearest_parent(tmp_path: Path) -> None:
    document = load(write(tmp_path, top="m:\n  l: [1, 2]\n"))
    assert position_at(document, ("m", "l", 1)).column == 10
    assert position_at(document, ("m", "l", 5, "x")) == position_at(document, ("m", "l"))
    key = position_at(document, ("m", "absent"), key=True)
    assert (key.line, key.column) == (1, 1)


def test_a_circle_is_found_at_the_extends_that_closes_it(tmp_path: Path) -> None:
    finding = finding_of(write(tmp_path, a="extends: b\n", b="x: 1\nextends: c\n", c="extends: a\n"))
    assert finding.position is not None
    assert (finding.position.path, finding.position.line) == (str(tmp_path / "c.yaml"), 1)
    names = [Path(name).name for name in finding.message.split(": ")[1].split(" -> ")]
    assert names == ["a.yaml", "b.yaml", "c.yaml", "a.yaml"]


def test_a_file_that_extends_itself_is_a_circle(tmp_path: Path) -> None:
    assert "circle" in finding_of(write(tmp_path, a="extends: a.yaml\n")).message


def test_a_long_chain_is_refused(tmp_path: Path) -> None:
    files = {f"f{n}": f"extends: f{n + 1}\n" for n in range(MAX_EXTENDS)} | {f"f{MAX_EXTENDS}": "a: 1\n"}
    assert "more than" in finding_of(write(tmp_path, **files)).message


def test_diamonds_of_bases_are_read_once(tmp_path: Path) -> None:
    files = {f"f{n}": f"extends: [{', '.join([f'f{n + 1}'] * 10)}]\n" for n in range(12)} | {"f12": "a: 1\n"}
    start = time.process_time()
    assert data(load(write(tmp_path, **files)).root) == {"a": 1}
    assert time.process_time() - start < 2


def test_an_unknown_base_is_found_with_the_nearest_name(tmp_path: Path) -> None:
    finding = finding_of(write(tmp_path, top="a: 1\nextends: bsae.yaml\n", base="a: 1\n"))
    assert finding.position is not None
    assert (finding.position.line, finding.position.column) == (2, 10)
    assert finding.help == "did you mean `base.yaml`?"


@pytest.mark.parametrize("value", ["{a: 1}", "5", "[a, [b]]", "~", f"[{', '.join('a' * 20)}]"])
def test_an_extends_that_names_no_file_is_refused(tmp_path: Path, value: str) -> None:
    assert finding_of(write(tmp_path, top=f"extends: {value}\n")).position is not None


def test_a_base_may_be_a_shipped_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, base="a: 1\n")
    monkeypatch.setattr("archsim.config.document.shipped", lambda _: {"h100": tmp_path / "base.yaml"})
    (tmp_path / "mine").mkdir()
    assert data(load(write(tmp_path / "mine", top="extends: h100\n"), "hw_configs").root) == {"a": 1}


def test_a_file_of_five_thousand_lines_loads_in_a_blink(tmp_path: Path) -> None:
    entry = (
        "  hbm{}:\n    kind: sram\n    capacity: 16 GiB\n    energy: {{read: 39 pJ/B, write: 39 pJ/B}}\n    count: 5\n"
    )
    path = write(tmp_path, big="components:\n" + "".join(entry.format(number) for number in range(1000)))
    start = time.process_time()
    load(path)
    assert time.process_time() - start < 2
