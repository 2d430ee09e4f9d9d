from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archsim.config.diagnostics import Diagnostic, InputError
from archsim.config.document import Document, data, load, position_at
from archsim.config.settings import apply_sets
from archsim.config.tree import parse

HARDWARE = "name: gpu\ncomponents:\n  hbm: {count: 5, bandwidth: 670 GB/s}\n  l2: {count: 1}\nlist: [10, 20, 30, 40]\n"


def documents() -> dict[str, Document]:
    return {
        "hardware": Document("hw.yaml", parse(HARDWARE, "hw.yaml"), ()),
        "workload": Document("wl.yaml", parse("batch: 1\n", "wl.yaml"), ()),
    }


def hardware_with(*sets: str) -> object:
    return data(apply_sets(documents(), sets)["hardware"].root)


def findings_of(*sets: str) -> tuple[Diagnostic, ...]:
    with pytest.raises(InputError) as caught:
        apply_sets(documents(), sets)
    return caught.value.diagnostics


def column_of(finding: Diagnostic) -> int:
    assert finding.position is not None
    return finding.position.column


def test_the_prefix_selects_the_document() -> None:
    changed = apply_sets(documents(), ["workload.batch=8", "hardware.components.hbm.count=6"])
    assert data(changed["workload"].root) == {"batch": 8}
    assert data(changed["hardware"].root)["components"]["hbm"]["count"] == 6


def test_the_given_documents_stay_as_they_are() -> None:
    given_documents = documents()
    apply_sets(given_documents, ["workload.batch=8"])
    assert data(given_documents["workload"].root) == {"batch": 1}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("4.8TB/s", "4.8TB/s"),
        ("8", 8),
        ("true", True),
        ("1e-3", 0.001),
        ("no", "no"),
        ("{a: 1}", {"a": 1}),
        ("[1, x]", [1, "x"]),
        ("a=b", "a=b"),
        ('""', ""),
        ("'8'", "8"),
    ],
)
def test_the_value_is_read_as_yaml(text: str, value: object) -> None:
    assert data(apply_sets(documents(), [f"workload.batch={text}"])["workload"].root) == {"batch": value}


def test_a_null_deletes() -> None:
    assert "l2" not in data(apply_sets(documents(), ["hardware.components.l2=~"])["hardware"].root)["components"]


def test_lists_index_by_number_as_they_were() -> None:
    assert hardware_with("hardware.list.0=~", "hardware.list.2=~", "hardware.list.3=99") == {
        **data(parse(HARDWARE, "")),
        "list": [20, 99],
    }


def test_missing_mappings_are_made() -> None:
    changed = apply_sets(documents(), ["workload.dtypes.kv=fp8"])
    assert data(changed["workload"].root) == {"batch": 1, "dtypes": {"kv": "fp8"}}


def test_a_key_with_dots_is_quoted() -> None:
    changed = apply_sets(documents(), ['workload.sources."a.b"=table'])
    assert data(changed["workload"].root)["sources"] == {"a.b": "table"}


def test_a_set_value_stands_in_its_set() -> None:
    changed = apply_sets(documents(), ["workload.batch=1", "hardware.components.hbm.bandwidth=4.8TB/s"])
    position = position_at(changed["hardware"], ("components", "hbm", "bandwidth"))
    assert (position.path, position.line, position.column, position.length) == ("<--set #2>", 1, 35, 7)
    assert position.text == "hardware.components.hbm.bandwidth=4.8TB/s"


def test_an_unknown_prefix_is_found_with_the_nearest() -> None:
    (finding,) = findings_of("hardwre.name=x")
    assert column_of(finding) == 1
    assert finding.help == "did you mean `hardware`?"


def test_nothing_is_set_below_a_scalar() -> None:
    (finding,) = findings_of("hardware.name.first=x")
    assert "`hardware.name` is `gpu`" in finding.message
    assert column_of(finding) == len("hardware.name.") + 1


@pytest.mark.parametrize("index", ["4", "-1", "x", "00", "9" * 5000])
def test_a_list_has_only_its_indices(index: str) -> None:
    (finding,) = findings_of(f"hardware.list.{index}=1")
    assert "no index" in finding.message


def test_deleting_what_is_not_there_is_found_with_the_nearest() -> None:
    (finding,) = findings_of("hardware.components.hmb=~")
    assert finding.help == "did you mean `hbm`?"


def test_setting_below_what_another_deletes_is_found() -> None:
    for sets in (
        ("hardware.components=~", "hardware.components.x=1"),
        ("hardware.components.x=1", "hardware.components=~"),
    ):
        (finding,) = findings_of(*sets)
        assert "deleted by another" in finding.message


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "=",
        "hardware",
        "hardware=1",
        "hardware.=1",
        "hardware.a=",
        "hardware.a= ",
        "hardware.a=[1",
        "hardware.a=!x 1",
        "hardware.a=1\nb: 2",
        "hardware" + ".a" * 100 + "=1",
        "hardware.a=" + "[" * 100_000,
        "hardware.a=\x1b",
        "hardware.a=\udc80",
    ],
)
def test_a_set_that_says_nothing_is_found_in_its_set(text: str) -> None:
    (finding,) = findings_of(text)
    assert finding.position is not None
    assert finding.position.path == "<--set #1>"
    assert finding.position.text == text


def test_all_findings_come_at_once() -> None:
    assert len(findings_of("x.a=1", "hardware.name.b=1", "workload", "workload.batch=[")) == 4


def test_of_two_for_one_path_the_last_counts() -> None:
    changed = apply_sets(documents(), ["workload.batch=~", "workload.batch=2", "workload.batch=3"])
    assert data(changed["workload"].root) == {"batch": 3}


PATHS = [
    "list",
    "list.0",
    "list.1",
    "list.3",
    "name",
    "components.hbm",
    "components.hbm.count",
    "components.new",
    "new.a",
    "new.b",
]
VALUES = st.sampled_from(["1", "~", "{a: 1}", "[1, 2, 3, 4]", "text"])


@given(st.data(), st.lists(st.tuples(st.sampled_from(PATHS), VALUES), max_size=5, unique_by=lambda pair: pair[0]))
def test_the_order_of_sets_of_different_paths_does_not_matter(
    draws: st.DataObject, pairs: list[tuple[str, str]]
) -> None:
    def outcome(texts: list[str]) -> object:
        try:
            return repr(data(apply_sets(documents(), texts)["hardware"].root))
        except InputError as error:
            return sorted(finding.message for finding in error.diagnostics)

    texts = [f"hardware.{path}={value}" for path, value in pairs]
    assert outcome(draws.draw(st.permutations(texts))) == outcome(texts)


def test_sets_apply_over_what_a_file_extends(tmp_path: Path) -> None:
    (tmp_path / "base.yaml").write_text("a: {b: 1, c: 2}\n")
    (tmp_path / "top.yaml").write_text("extends: base\n")
    changed = apply_sets({"hardware": load(tmp_path / "top.yaml")}, ["hardware.a.b=5"])
    assert data(changed["hardware"].root) == {"a": {"b": 5, "c": 2}}
