"""From a document to a validated model; every finding bears the position of what it is about."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from types import UnionType
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from archsim.config.diagnostics import (
    MAX_FINDINGS,
    Diagnostic,
    InputError,
    Position,
    UnplacedError,
    did_you_mean,
    listed,
)
from archsim.config.document import Document, KeyPath, child, data, node_at, position_at
from archsim.config.tree import MappingNode, Node, ScalarNode, SequenceNode

_WORDS = {
    "must be a whole number": ("int_type", "int_parsing", "int_from_float", "int_parsing_size"),
    "must be a number": ("float_type", "float_parsing", "finite_number"),
    "must be true or false": ("bool_type", "bool_parsing"),
    "must be text": ("string_type",),
    "must be a mapping (`key: value`)": ("dict_type", "mapping_type", "model_type", "model_attributes_type"),
    "must be a list": ("list_type", "tuple_type", "set_type", "frozen_set_type"),
    "must be greater than {gt}": ("greater_than",),
    "must be at least {ge}": ("greater_than_equal",),
    "must be less than {lt}": ("less_than",),
    "must be at most {le}": ("less_than_equal",),
    "must be a multiple of {multiple_of}": ("multiple_of",),
    "must have at least {min_length} items": ("too_short",),
    "must have at most {max_length} items": ("too_long",),
    "must have at least {min_length} characters": ("string_too_short",),
    "must have at most {max_length} characters": ("string_too_long",),
    "must match the pattern `{pattern}`": ("string_pattern_mismatch",),
    "{error}": ("value_error", "assertion_error"),
}
_MESSAGES = {kind: message for message, kinds in _WORDS.items() for kind in kinds}

Model = TypeVar("Model", bound=BaseModel)


def build(model: type[Model], document: Document, at: KeyPath = (), context: Mapping[str, Any] | None = None) -> Model:
    """The model of what the document holds at `at`; raise `InputError` with every finding, in the order of the file."""
    node = node_at(document, at)
    if node is None:
        raise InputError([missing_key(document, at)])
    try:
        built = model.model_validate(data(node), context=dict(context or {}))
    except ValidationError as error:
        details = [item for item in error.errors(include_url=False) if item["type"] != "default_factory_not_called"]
        findings = [_finding(model, document, at, detail) for detail in details[:MAX_FINDINGS]]
        rest = [Diagnostic(f"and {len(details) - MAX_FINDINGS} more")] if len(details) > MAX_FINDINGS else []
        raise InputError([*sorted(_joined(findings), key=_place), *rest]) from None
    coerced = list(_coerced(built, node))
    if coerced:
        raise InputError(coerced)
    return built


def mistakes(model: type[BaseModel], document: Document, at: KeyPath = ()) -> tuple[Diagnostic, ...]:
    """What is wrong with the part of a model that is written at `at`; keys that are missing are not."""
    node = node_at(document, at)
    if node is None:
        return ()
    try:
        model.model_validate(data(node))
    except ValidationError as error:
        details = [item for item in error.errors(include_url=False) if item["type"] != "missing"]
        findings = [_finding(model, document, at, detail) for detail in details[:MAX_FINDINGS]]
        return tuple(sorted(_joined(findings), key=_place))
    return ()


def missing_key(document: Document, at: KeyPath) -> Diagnostic:
    """The finding that nothing is written at `at`, placed at the nearest parent."""
    message = f"missing key `{at[-1]}`" if at else "nothing is written here"
    return Diagnostic(message, position_at(document, at[:-1], key=True), _renamed(document, at[:-1]))


def unknown_choice(what: str, value: str, choices: Iterable[str], position: Position | None = None) -> Diagnostic:
    """The finding that `value` is none of the choices for `what`."""
    known = list(choices)
    return Diagnostic(f"unknown {what} `{value}`; known: {listed(known)}", position, did_you_mean(value, known))


def _finding(model: type[BaseModel], document: Document, at: KeyPath, error: ErrorDetails) -> Diagnostic:
    """One pydantic error as a finding."""
    kind, context = error["type"], error.get("ctx", {})
    on_key = error["loc"][-1:] == ("[key]",)
    path = (*at, *_path(node_at(document, at), error["loc"]))
    if kind == "missing":
        return _missing(document, path, error["loc"][-1])
    if kind == "extra_forbidden":
        return _unknown_key(model, document, path, error["loc"])
    if kind in {"union_tag_not_found", "union_tag_invalid"}:
        tag = context["discriminator"].strip("'")
        if kind == "union_tag_not_found":
            return missing_key(document, (*path, tag))
        return unknown_choice(
            tag, context["tag"], _quoted(context["expected_tags"]), position_at(document, (*path, tag))
        )
    if kind in {"literal_error", "enum"} and (known := _quoted(context["expected"])):
        near = did_you_mean(str(error["input"]), known)
        return Diagnostic(f"must be one of {listed(known)}", position_at(document, path, key=on_key), near)
    cause, way_out = context.get("error"), _renamed(document, path) or _in_digits(error["input"])
    if isinstance(cause, UnplacedError):
        path, way_out = (*path, *cause.at), cause.help or way_out
    return Diagnostic(_message(error), position_at(document, path, key=on_key), way_out)


def _missing(document: Document, path: KeyPath, part: str | int) -> Diagnostic:
    """A key that a mapping lacks, or an item that a list lacks."""
    if isinstance(part, str):
        return missing_key(document, (*path, part))
    return Diagnostic(f"must have at least {part + 1} items", position_at(document, path))


def _unknown_key(model: type[BaseModel], document: Document, path: KeyPath, loc: KeyPath) -> Diagnostic:
    present = node_at(document, path[:-1])
    written = present.entries if isinstance(present, MappingNode) else {}
    known = list(_field_names(model, loc[:-1]))
    added = str(path[-1]) in written and written[str(path[-1])].added  # meant a key of the base, present or not
    candidates = known if added else [name for name in known if name not in written]
    near = _unspaced(str(path[-1]), known) or did_you_mean(str(path[-1]), candidates)
    way_out = near or f"known keys: {listed(known)}"
    return Diagnostic(f"unknown key `{path[-1]}`", position_at(document, path, key=True), way_out)


def _unspaced(key: str, known: Iterable[str]) -> str:
    """What to write for a key that is no key for want of a space, or because YAML 1.1 alone knows it; '' elsewhere."""
    name, _, value = key.partition(":")
    if key == "<<":
        return "`<<` merges nothing here: write the keys, or put them in a file and extend it"
    return f"a space belongs after the colon: `{name}: {value}`" if value and name in known else ""


def _path(node: Node | None, loc: KeyPath) -> KeyPath:
    """The parts of a pydantic location that are written in the file: no union tags, no names of validators."""
    path: list[str | int] = []
    for part in loc:
        found = child(node, part) if node is not None else None
        if found is not None:
            path.append(part)
            node = found.node
    return tuple(path)


def _renamed(document: Document, path: KeyPath) -> str:
    """A "did you mean" where a `--set` or a file that extends made a key beside a key that is nearly the same."""
    node = document.root
    for part in path:
        found = child(node, part)
        if found is None:
            break
        if found.added and isinstance(node, MappingNode):
            near = did_you_mean(str(part), [key for key, entry in node.entries.items() if not entry.added])
            if near:
                return near
        node = found.node
    return ""


def _message(error: ErrorDetails) -> str:
    context = {key: str(value).removesuffix(".0") for key, value in error.get("ctx", {}).items()}
    if error["type"] in _MESSAGES:
        return _MESSAGES[error["type"]].format_map(context)
    message = error["msg"].replace("Input should", "must")
    return message[:1].lower() + message[1:]


def _quoted(text: str) -> list[str]:
    """The names in pydantic's list of choices: 'a', 'b' or 'c'."""
    return re.findall("'([^']*)'", text)


def _place(finding: Diagnostic) -> tuple[str, int, int]:
    position = finding.position
    return (position.path, position.line, position.column) if position is not None else ("", 0, 0)


def _joined(findings: Iterable[Diagnostic]) -> list[Diagnostic]:
    """The findings with those of the branches of a union made one: "must be a number or text"."""
    joined: dict[object, Diagnostic] = {}
    for finding in findings:
        alternative = finding.message.startswith("must be ")
        key = (finding.position, finding.help, alternative or finding.message)
        before = joined.setdefault(key, finding)
        if finding.message not in before.message:
            message = f"{before.message} or {finding.message.removeprefix('must be ')}"
            joined[key] = replace(before, message=message)
    return list(joined.values())


def _field_names(model: type[BaseModel], loc: KeyPath) -> Iterator[str]:
    """The keys that the model may have at a pydantic location."""
    candidates: list[Any] = [model]
    for part in loc:
        below = [found for candidate in candidates for found in _below(candidate, part)]
        tagged = [candidate for candidate in candidates if _bears(candidate, part)]
        candidates = below or tagged or candidates
    for candidate in candidates:
        if isinstance(candidate, type) and issubclass(candidate, BaseModel):
            yield from (field.alias or name for name, field in candidate.model_fields.items())


def _below(annotation: Any, part: str | int) -> list[Any]:
    """The types that an annotation gives to its key or index `part`."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        fields = annotation.model_fields.items()
        return [kind for name, field in fields if part in (name, field.alias) for kind in _branches(field.annotation)]
    arguments = get_args(annotation)
    if not arguments or get_origin(annotation) is Literal:
        return []
    return _branches(arguments[-1] if isinstance(part, str) else arguments[0])


def _branches(annotation: Any) -> list[Any]:
    """The members of a union, or the annotation itself, without its metadata."""
    if get_origin(annotation) is Annotated:
        return _branches(get_args(annotation)[0])
    if get_origin(annotation) in (Union, UnionType):
        return [branch for member in get_args(annotation) for branch in _branches(member)]
    return [annotation]


def _bears(annotation: Any, tag: str | int) -> bool:
    """Whether a union's tag in a location means this model."""
    if not (isinstance(annotation, type) and issubclass(annotation, BaseModel)):
        return False
    literals = (get_args(field.annotation) for field in annotation.model_fields.values())
    return annotation.__name__ == tag or any(tag in values for values in literals)


def _coerced(value: object, node: Node) -> Iterator[Diagnostic]:
    """Findings where pydantic read a scalar too kindly: `true` as 1, "8" as 8, `no` as false, `nan` as a number."""
    if isinstance(node, MappingNode) and isinstance(value, BaseModel | Mapping):
        held = {str(key): item for key, item in (value.items() if isinstance(value, Mapping) else value)}
        for key, entry in node.entries.items():
            if key in held:
                yield from _coerced(held[key], entry.node)
    elif isinstance(node, SequenceNode) and isinstance(value, list | tuple):
        for item, below in zip(value, node.items, strict=False):
            yield from _coerced(item, below)
    elif isinstance(node, ScalarNode) and isinstance(value, int | float):
        if isinstance(value, bool) != isinstance(node.value, bool):
            yield Diagnostic("must be true or false" if isinstance(value, bool) else "must be a number", node.position)
        elif isinstance(node.value, str) and _is_number(node.value):
            help = _in_digits(node.value) or "leave the quotes out"
            yield Diagnostic("must be a number, not text", node.position, help)


def _in_digits(value: object) -> str:
    """How to write a number that has marks between its digits, or a multiple after them; '' for anything else."""
    text = str(value) if isinstance(value, str) else ""
    plain = re.sub(r"(?<=[0-9])[_,' ](?=[0-9])", "", text)
    if plain != text and plain.isdecimal():
        return f"write `{plain}`"
    return "write all digits, e.g. `16384`" if re.fullmatch(r"[0-9]+(\.[0-9]+)? ?[kKmM]", text) else ""


def _is_number(text: str) -> bool:
    """Whether Python reads the text as a number; no quantity is one, for want of a unit."""
    try:
        float(text)
    except ValueError:
        return False
    return True
