from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

import pytest
from pydantic import BaseModel, ConfigDict, Field, PositiveInt, ValidationInfo, field_validator, model_validator

from archsim.config.diagnostics import Diagnostic, InputError, Position, UnplacedError
from archsim.config.document import Document
from archsim.config.settings import apply_sets
from archsim.config.tree import parse
from archsim.config.units import Bandwidth, Bytes
from archsim.config.validation import build, unknown_choice


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Energy(Strict):
    read: float = Field(ge=0)
    write: float = Field(default=0, ge=0)
    scale: float = 1


class Memory(Strict):
    kind: Literal["memory"] = "memory"
    capacity: Bytes
    bandwidth: Bandwidth = 1
    energy: Energy | None = None
    count: PositiveInt = 1


class Link(Strict):
    kind: Literal["link"]
    width: int


class Machine(Strict):
    name: str = "machine"
    mode: Literal["switch", "ring"] = "ring"
    shared: bool = False
    ratio: float | None = None
    memories: dict[str, Memory] = {}
    parts: list[Annotated[Memory | Link, Field(discriminator="kind")]] = []
    size: int | Energy = 1
    sides: tuple[int, ...] = ()

    @field_validator("name")
    @classmethod
    def _known(cls, name: str, info: ValidationInfo) -> str:
        if info.context and name in info.context.get("taken", ()):
            raise ValueError(f"`{name}` is taken")
        return name

    @model_validator(mode="before")
    @classmethod
    def _any_shape(cls, raw: Any) -> Any:
        return raw

    @model_validator(mode="after")
    def _few_parts(self) -> Self:
        if len(self.parts) > 2:
            raise UnplacedError("too many parts", "leave one out", at=("parts", 2))
        return self


def document(text: str) -> Document:
    return Document("hw.yaml", parse(text, "hw.yaml"), ())


def findings_of(text: str, context: Mapping[str, Any] | None = None) -> tuple[Diagnostic, ...]:
    with pytest.raises(InputError) as caught:
        build(Machine, document(text), context=context)
    return caught.value.diagnostics


def finding_of(text: str) -> tuple[str, tuple[int, int], str]:
    """Message, line and column, help of the only finding."""
    (finding,) = findings_of(text)
    assert finding.position is not None
    return finding.message, (finding.position.line, finding.position.column), finding.help


def test_a_valid_document_becomes_a_model() -> None:
    machine = build(Machine, document("memories: {hbm: {capacity: 1 KiB, energy: {read: 39}}}\nsides: [1, 2]\n"))
    assert machine.memories["hbm"].capacity == 1024
    assert machine.memories["hbm"].energy == Energy(read=39)
    assert machine.sides == (1, 2)


def test_a_part_of_a_document_becomes_a_model() -> None:
    assert build(Memory, document("a: {b: [{capacity: 8 B}]}"), ("a", "b", 0)).capacity == 8


def test_a_part_that_is_absent_is_found_at_its_parent() -> None:
    with pytest.raises(InputError) as caught:
        build(Memory, document("a:\n  b: 1\n"), ("a", "c"))
    (finding,) = caught.value.diagnostics
    assert finding.message == "missing key `c`"
    assert finding.position is not None
    assert (finding.position.line, finding.position.column) == (1, 1)


def test_the_context_reaches_validators() -> None:
    (finding,) = findings_of("name: gpu", {"taken": ["gpu"]})
    assert finding.message == "`gpu` is taken"


def test_an_unknown_key_is_found_at_the_key_with_the_nearest_field() -> None:
    assert finding_of("memories:\n  hbm: {capacity: 1 B, bandwith: 1 B/s}") == (
        "unknown key `bandwith`",
        (2, 24),
        "did you mean `bandwidth`?",
    )


def test_an_unknown_key_in_an_optional_model_is_compared_with_its_fields() -> None:
    message, _, way_out = finding_of("memories: {hbm: {capacity: 1 B, energy: {read: 1, wriet: 2}}}")
    assert (message, way_out) == ("unknown key `wriet`", "did you mean `write`?")


def test_an_unknown_key_in_a_union_is_compared_with_the_fields_of_its_kind() -> None:
    assert finding_of("parts:\n- {kind: link, width: 1, wdith: 2}")[2] == "known keys: kind, width"
    assert "unknown key `wdith`" in {finding.message for finding in findings_of("parts: [{kind: link, wdith: 2}]")}
    assert "did you mean `width`?" in {finding.help for finding in findings_of("parts: [{kind: link, wdith: 2}]")}


def test_a_key_that_resembles_none_gets_the_known_ones() -> None:
    assert (
        finding_of("memories: {hbm: {capacity: 1 B, energy: {read: 1, colour: red}}}")[2]
        == "known keys: read, write, scale"
    )


def test_a_missing_key_is_found_at_its_parents_key() -> None:
    assert finding_of("memories:\n  hbm: {count: 1}") == ("missing key `capacity`", (2, 3), "")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("count: 0", "must be greater than 0"),
        ("count: 1.5", "must be a whole number"),
        ("count: many", "must be a whole number"),
        ("count: true", "must be a number"),
        ('count: "8"', "must be a number, not text"),
        ("energy: 5", "must be a mapping (`key: value`)"),
        ("energy: {read: -1}", "must be at least 0"),
        ("energy: {read: 1, scale: nan}", "must be a number, not text"),
        ("energy: {read: [1]}", "must be a number"),
        ("bandwidth: 670", "a bare number where a unit belongs: `670`"),
    ],
)
def test_a_wrong_value_is_found_at_the_value_in_plain_words(text: str, message: str) -> None:
    found, (line, column), _ = finding_of(f"memories:\n  hbm:\n    capacity: 1 B\n    {text}\n")
    assert found == message
    assert (line, column) == (4, text.rindex(text.rsplit(maxsplit=1)[-1].strip("}")) + 5)


@pytest.mark.parametrize(
    ("text", "message", "way_out"),
    [
        ("name: 8", "must be text", ""),
        ("name: ~", "must be text", ""),
        ("shared: no", "must be true or false", ""),
        ("shared: 1", "must be true or false", ""),
        ("mode: swich", "must be one of switch, ring", "did you mean `switch`?"),
        ("memories: [1]", "must be a mapping (`key: value`)", ""),
        ("sides: {a: 1}", "must be a list", ""),
        ("size: x", "must be a whole number or a mapping (`key: value`)", ""),
        ("parts: [{kind: lnik}]", "unknown kind `lnik`; known: memory, link", "did you mean `link`?"),
        ("parts: [{width: 1}]", "missing key `kind`", ""),
        ("[1]", "must be a mapping (`key: value`)", ""),
    ],
)
def test_findings_are_short_and_plain(text: str, message: str, way_out: str) -> None:
    found, _, found_way_out = finding_of(text)
    assert (found, found_way_out) == (message, way_out)


def test_the_help_of_a_quantity_is_kept() -> None:
    assert finding_of("memories: {hbm: {capacity: 80}}")[2] == "write it with its unit, e.g. `80 GiB`"


def test_a_validator_may_point_below_what_it_validates() -> None:
    part = "{kind: link, width: 1}"
    assert finding_of(f"parts:\n- {part}\n- {part}\n- {part}\n") == ("too many parts", (4, 3), "leave one out")


def test_all_findings_come_at_once_in_the_order_of_the_file() -> None:
    findings = findings_of("shared: 3\nmode: x\nmemories:\n  a: {capacity: 1}\n  b: {}\nnmae: y\n")
    assert [finding.position.line for finding in findings if finding.position] == [1, 2, 4, 5, 6]


def test_thousands_of_findings_are_cut_and_counted() -> None:
    findings = findings_of("".join(f"key{number}: 1\n" for number in range(5000)))
    assert findings[-1].message == "and 4950 more"
    assert len(findings) == 51


def test_a_key_made_by_a_set_is_compared_with_its_siblings() -> None:
    given = document("memories: {hbm: {capacity: 1 B}}")
    changed = apply_sets({"hardware": given}, ["hardware.memories.hmb.bandwidth=1 GB/s"])["hardware"]
    with pytest.raises(InputError) as caught:
        build(Machine, changed)
    (finding,) = caught.value.diagnostics
    assert finding.message == "missing key `capacity`"
    assert finding.help == "did you mean `hbm`?"
    assert finding.position is not None
    assert finding.position.path == "<--set #1>"


def test_an_unknown_choice_names_the_known_and_the_nearest() -> None:
    position = Position("f", 1, 1, 4, "tlie")
    assert unknown_choice("component kind", "tlie", ["sram", "tile"], position) == Diagnostic(
        "unknown component kind `tlie`; known: sram, tile", position, "did you mean `tile`?"
    )
