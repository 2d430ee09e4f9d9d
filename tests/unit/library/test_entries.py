"""The shipped library: every figure is whole, and layers of one path add up to what was measured."""

from collections import Counter
from math import fsum
from typing import Any, get_args

import pytest
import yaml

from archsim.config.diagnostics import InputError
from archsim.config.document import data, load
from archsim.config.shipped import library_path
from archsim.config.units import dimension_of
from archsim.config.validation import build
from archsim.model.process import nanometres
from archsim.model.reference import FIGURE_KEYS, Group, Reference
from archsim.model.site import Site
from archsim.study.checking import check_library
from archsim.study.entries import laid
from archsim.study.shelves import LIBRARY, Entry, Sort, library_entries, shipped_entry

FILES = sorted(library_path().glob("*.yaml")) + sorted(library_path().glob("figures/*.yaml"))
FIGURES = library_entries("figure")


def figure(name: str) -> Reference:
    return build(Reference, FIGURES[name].document)


def priced(entry: Entry) -> list[dict[str, Any]]:
    """Every mapping with a value, however deep."""
    found, waiting = [], [data(laid(entry))]
    while waiting:
        item = waiting.pop()
        if isinstance(item, dict):
            found += [item] if "value" in item else []
            waiting += item.values()
    return found


def refusal(path: Any) -> str:
    """What is said against a library file."""
    try:
        check_library(load(path))
    except InputError as error:
        return str(error)
    return ""


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_library_file_has_no_findings(path: Any) -> None:
    assert refusal(path) == ""


def test_there_are_as_many_entries_as_promised_and_none_is_there_twice() -> None:
    names = [*library_entries("kind"), *FIGURES]
    assert len(names) >= 120
    assert [name for name, times in Counter(names).items() if times > 1] == []


def test_an_entry_is_found_without_reading_all_the_others() -> None:
    for sort in get_args(Sort):
        for name, entry in library_entries(sort).items():
            assert shipped_entry(name, sort) == entry
        assert shipped_entry("schema", sort) is None
        assert shipped_entry("no such entry", sort) is None


@pytest.mark.parametrize("kind", get_args(Group))
def test_every_group_has_figures(kind: str) -> None:
    assert [entry for entry in FIGURES.values() if entry.figure == kind]


def test_every_figure_of_every_entry_has_range_source_boundary_and_grade() -> None:
    for name, entry in {**library_entries("kind"), **FIGURES}.items():
        figures = priced(entry)
        assert figures, f"{name} has no figure"
        for item in figures:
            share = dimension_of(str(item["value"])) is None
            assert set(FIGURE_KEYS) - set(item) <= ({"boundary"} if share else set()), name
            assert item["source"].strip(), name


def test_what_was_not_read_again_is_called_assumed() -> None:
    remembered = {
        name: item["grade"]
        for name, entry in {**library_entries("kind"), **FIGURES}.items()
        for item in priced(entry)
        if "not re-read" in item["source"] or "from memory" in item["source"].removesuffix("low from memory of a brief")
    }
    assert remembered
    assert set(remembered.values()) == {"assumed"}


def test_no_energy_comes_from_cacti_below_256_kib() -> None:
    entries = {**library_entries("kind"), **FIGURES}.items()
    taken = {name for name, entry in entries if any("CACTI" in item["source"] for item in priced(entry))}
    sizes = ("256k", "512k", "1m", "2m", "4m", "8m", "16m")
    sound = {f"sram-{size}{way}-22n" for size in sizes for way in ("", "-write")}
    assert {name for name in taken - sound if not name.startswith(("edram-", "sram-leakage-", "sram-area-"))} == set()


def test_every_node_that_is_named_is_a_length() -> None:
    nodes = {
        entry.name: data(entry.node).get("node") for entry in (*library_entries("kind").values(), *FIGURES.values())
    }
    assert not {name: node for name, node in nodes.items() if node is not None and nanometres(node) is None}


@pytest.mark.parametrize(
    ("stack", "node", "board", "whole"), [("hbm3-read", "4n", "gh200", 144.0), ("hbm2e-read", "7n", "a100", 155.3)]
)
def test_layers_of_the_gpu_path_sum_to_the_measured_whole(stack: str, node: str, board: str, whole: float) -> None:
    layers = [
        figure(name) for name in (stack, f"hbm-controller-phy-{node}", f"l2-access-{board}", f"l1-access-{board}")
    ]
    path = figure(f"whole-path-{board}")
    covered = [layer for part in layers for layer in part.covers]
    assert Counter(covered) == Counter(path.covers)  # each once: nothing is missing, nothing counted twice
    assert fsum(part.value for part in layers) == pytest.approx(path.value, rel=2e-3)
    assert path.value == whole


def test_what_lies_beyond_l2_is_the_stack_and_its_controller() -> None:
    parts = [figure("hbm3-read"), figure("hbm-controller-phy-4n")]
    beyond = figure("beyond-l2-gh200")
    assert Counter(layer for part in parts for layer in part.covers) == Counter(beyond.covers)
    assert fsum(part.value for part in parts) == pytest.approx(beyond.value, rel=1e-3)


def test_hbm2_is_the_sum_of_its_parts() -> None:
    parts = [figure(name).value for name in ("hbm2-activate-stream", "hbm2-datapath", "hbm2-io")]
    read = figure("hbm2-read")
    assert read.low <= fsum(parts) <= read.high  # what is missing is error correction


INT8 = {
    "figure": "arithmetic",
    "action": "mac",
    "quantity": "energy per MAC",
    "value": "0.1 pJ/MAC",
    "low": "0.05 pJ/MAC",
    "high": "0.2 pJ/MAC",
    "boundary": "device",
    "grade": "derived",
    "source": "a paper",
}
HBM = {
    "kind": "hbm_stack",
    "energy": {
        "read": {key: INT8[key] for key in FIGURE_KEYS} | {"value": "28 pJ/B", "low": "24 pJ/B", "high": "32 pJ/B"}
    },
}


def findings(tmp_path: Any, entry: Any) -> str:
    path = tmp_path / "own.yaml"
    path.write_text(yaml.safe_dump({"schema": LIBRARY, "own": entry}, sort_keys=False), encoding="utf-8")
    return refusal(path)


@pytest.mark.parametrize("entry", [INT8, HBM])
def test_a_whole_entry_is_accepted(tmp_path: Any, entry: Any) -> None:
    assert findings(tmp_path, entry) == ""


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"low": "0.3 pJ/MAC"}, "a range must hold its value"),
        ({"high": "0.01 pJ/MAC"}, "a range must hold its value"),
        ({"value": "0.1 pJ/B"}, "a unit of energy per byte, not of energy per MAC"),
        ({"value": 0.1}, "a bare number where a unit belongs"),
        ({"boundary": "bord"}, "did you mean `board`?"),
        ({"grade": "guessed"}, "must be one of measured"),
        ({"figure": "arithmetics"}, "did you mean `arithmetic`?"),
        ({"quantity": "energy per Mac"}, "did you mean `energy per MAC`?"),
        ({"covers": ["l3"]}, "must be one of dram core"),
        ({"source": ""}, "must have at least 1 characters"),
        *(({key: None}, f"missing key `{key}`") for key in FIGURE_KEYS),
    ],
)
def test_a_figure_is_refused_where_it_is_wrong(tmp_path: Any, change: dict[str, Any], says: str) -> None:
    entry = {key: value for key, value in (INT8 | change).items() if value is not None}
    found = findings(tmp_path, entry)
    assert says in found
    assert f"{tmp_path / 'own.yaml'}:" in found


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"low": "30 pJ/B"}, "a range must hold its value"),
        ({"value": "28 pJ/MAC"}, "a unit of energy per MAC, not of energy per byte"),
        ({"boundary": "bord"}, "did you mean `board`?"),
        *(({key: None}, f"missing key `{key}`") for key in FIGURE_KEYS if key != "value"),
    ],
)
def test_a_component_s_entry_is_refused_where_it_is_wrong(tmp_path: Any, change: dict[str, Any], says: str) -> None:
    read = {key: value for key, value in (HBM["energy"]["read"] | change).items() if value is not None}  # type: ignore[index] # a mapping
    found = findings(tmp_path, {"kind": "hbm_stack", "energy": {"read": read}})
    assert says in found
    assert f"{tmp_path / 'own.yaml'}:" in found


def test_a_bare_price_in_the_library_is_refused(tmp_path: Any) -> None:
    assert "a mapping with its range" in findings(tmp_path, {"kind": "hbm_stack", "energy": {"read": "28 pJ/B"}})


def test_an_entry_that_is_neither_is_refused(tmp_path: Any) -> None:
    assert "neither a `kind` of component nor a `figure`" in findings(tmp_path, {"energy": "1 pJ/B"})


@pytest.mark.parametrize(
    ("setting", "name"),
    [
        ("regulators", "regulator-efficiency"),
        ("server", "server-factor"),
        ("pue", "pue"),
        ("water", "water"),
        ("carbon", "grid-carbon"),
        ("electricity", "electricity"),
    ],
)
def test_what_a_site_takes_by_default_is_what_the_library_has(setting: str, name: str) -> None:
    told, listed = getattr(Site(), setting), figure(name)
    fields = ("value", "low", "high", "boundary", "grade")
    assert [getattr(told, field) for field in fields] == [getattr(listed, field) for field in fields]
