import time

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from archsim.config import tree
from archsim.config.diagnostics import Diagnostic, InputError
from archsim.config.document import data
from archsim.config.tree import MAX_DEPTH, MappingNode, parse


def findings_of(text: str) -> tuple[Diagnostic, ...]:
    with pytest.raises(InputError) as caught:
        parse(text, "f.yaml")
    return caught.value.diagnostics


def place_of(finding: Diagnostic) -> tuple[int, int]:
    assert finding.position is not None
    return finding.position.line, finding.position.column


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-3", 0.001),
        ("1e3", 1000.0),
        ("-.5", -0.5),
        ("no", "no"),
        ("on", "on"),
        ("012", 12),
        ("-7", -7),
        ("0x1F", 31),
        ("0o17", 15),
        ("0b11", "0b11"),
        ("1_000", "1_000"),
        ("12:30:45", "12:30:45"),
        ("2026-01-01", "2026-01-01"),
        ("true", True),
        ("False", False),
        ("~", None),
        ("null", None),
        ('"1"', "1"),
        ("'true'", "true"),
        ('""', ""),
        ("nan", "nan"),
        ("=", "="),
        ("670 GB/s", "670 GB/s"),
    ],
)
def test_scalars_follow_the_core_schema_of_yaml_1_2(text: str, value: object) -> None:
    read = data(parse(f"a: {text}", "f.yaml"))["a"]
    assert read == value
    assert type(read) is type(value)


def test_json_is_read_as_it_is() -> None:
    assert data(parse('{"a":1,\n\t"b":[true,null,"x\\/y",1e-5]}', "f.json")) == {"a": 1, "b": [True, None, "x/y", 1e-5]}


def test_a_byte_order_mark_is_no_text() -> None:
    assert data(parse("\N{BYTE ORDER MARK}a: 1", "f.yaml")) == {"a": 1}


def test_keys_and_values_know_where_they_stand() -> None:
    root = parse("µ: 1\r\nouter:\n  inner: [10, 20 GB]\n", "f.yaml")
    assert isinstance(root, MappingNode)
    outer = root.entries["outer"].node
    assert isinstance(outer, MappingNode)
    entry = outer.entries["inner"]
    assert (entry.position.line, entry.position.column, entry.position.length) == (3, 3, 5)
    assert (entry.node.position.line, entry.node.position.column) == (3, 10)
    assert entry.node.position.text == "  inner: [10, 20 GB]"


def test_an_alias_repeats_its_anchor() -> None:
    assert data(parse("a: &x {b: 1}\nc: *x\n", "f.yaml")) == {"a": {"b": 1}, "c": {"b": 1}}


@pytest.mark.parametrize("text", ["", "\n", "# only a comment\n", "---\n", "--- # nothing\n...\n"])
def test_an_empty_document_is_a_finding(text: str) -> None:
    assert "empty" in findings_of(text)[0].message


@pytest.mark.parametrize("bracket", ["[", "{a: ", "- ", "? "])
def test_deep_nesting_is_refused_at_once(bracket: str) -> None:
    start = time.process_time()
    (finding,) = findings_of(bracket * 100_000)
    assert "nested deeper" in finding.message or "key must be" in finding.message
    assert time.process_time() - start < 1


def test_the_deepest_nesting_allowed_is_read() -> None:
    parse("[" * (MAX_DEPTH - 1) + "1" + "]" * (MAX_DEPTH - 1), "f.yaml")
    assert "nested deeper" in findings_of("[" * MAX_DEPTH + "1" + "]" * MAX_DEPTH)[0].message


def test_nesting_through_aliases_counts() -> None:
    chain = "".join(f"- &a{n} [*a{n - 1}]\n" for n in range(1, 200))
    assert "nested deeper" in findings_of(f"- &a0 [1]\n{chain}")[0].message


def test_a_billion_laughs_are_refused() -> None:
    levels = [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 10)]
    assert "more than 100000 values" in findings_of("a0: &a0 [lol]\n" + "".join(levels))[0].message


def test_more_values_than_the_limit_are_refused() -> None:
    assert "more than 100000 values" in findings_of("- 1\n" * 100_001)[0].message


def test_an_alias_within_what_it_repeats_is_refused() -> None:
    (finding,) = findings_of("a: &a\n  b: *a\n")
    assert place_of(finding) == (2, 6)


def test_an_unknown_alias_is_refused_with_the_nearest_anchor() -> None:
    (finding,) = findings_of("a: &stack 1\nb: *stak\n")
    assert place_of(finding) == (2, 4)
    assert "did you mean `stack`?" in finding.help


@pytest.mark.parametrize("text", ["a: !!python/object/apply:os.system [ls]", "a: !!str 1", "a: !x {b: 1}", "!!map {}"])
def test_tags_are_refused(text: str) -> None:
    assert "tag" in findings_of(text)[0].message


def test_a_second_document_is_refused_where_it_starts() -> None:
    (finding,) = findings_of("a: 1\n---\nb: 2\n")
    assert place_of(finding) == (2, 1)


@pytest.mark.parametrize("text", ["? [a]\n: 1", "{[a, b]: 1}", "x: &x k\n*x : 1", "? {a: 1}\n: 2"])
def test_a_key_that_is_no_scalar_is_refused(text: str) -> None:
    assert "key must be" in findings_of(text)[0].message


def test_a_duplicate_key_is_found_at_its_second_place() -> None:
    (finding,) = findings_of("a: 1\nb: 2\na: 3\n")
    assert "`a` is there twice" in finding.message
    assert place_of(finding) == (3, 1)


@pytest.mark.parametrize("text", [".nan", ".NaN", ".inf", "-.inf", "+.INF", "1e999"])
def test_numbers_that_are_not_finite_are_refused(text: str) -> None:
    (finding,) = findings_of(f"a: {text}")
    assert place_of(finding) == (1, 4)


@pytest.mark.parametrize("digits", ["9" * 5000, "0x" + "f" * 5000, "1." + "0" * 5000])
def test_numbers_of_thousands_of_digits_are_refused(digits: str) -> None:
    (finding,) = findings_of(f"a: {digits}")
    assert "characters" in finding.message


def test_all_findings_come_at_once() -> None:
    assert [place_of(finding)[0] for finding in findings_of("a: .nan\na: 1\nb: !x 2\n")] == [1, 2, 3]


@pytest.mark.parametrize(
    ("text", "line"), [("a: [1, 2\nb: 3\n", 2), ("a: b: c\n", 1), ("a:\n\t- 1\n", 2), ('a: "x\n', 2), ("a: @x\n", 1)]
)
def test_a_syntax_error_is_found_where_it_stands(text: str, line: int) -> None:
    (finding,) = findings_of(text)
    assert "not valid YAML" in finding.message
    assert place_of(finding)[0] == line


def test_a_control_character_is_found_where_it_stands() -> None:
    (finding,) = findings_of("a: 1\nb: x\x07y\n")
    assert place_of(finding) == (2, 5)
    assert "U+0007" in finding.message


@given(
    st.text() | st.text(alphabet="ab:-?[]{},&*!|>'\"%@#~ \n\t0.") | st.binary().map(lambda raw: raw.decode("latin-1"))
)
def test_any_text_is_a_tree_or_a_finding(text: str) -> None:
    try:
        data(parse(text, "f.yaml"))
    except InputError as error:
        assert all(finding.position is not None for finding in error.diagnostics)  # noqa: PT017 - either way is right


def test_without_the_c_parser_the_tree_is_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "a: &x {b: [1, 'two', 3 GB/s]}\nc:\n  - *x\n  - |\n    more\n  - 1e-3\nd: no\n"
    in_c = parse(text, "f.yaml")
    monkeypatch.setattr(tree, "_LOADER", yaml.SafeLoader)
    assert data(parse(text, "f.yaml")) == data(in_c)
    assert "nested deeper" in findings_of("[" * 100_000)[0].message
