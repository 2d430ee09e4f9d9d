"""What the component library holds: to list, to filter, to explain."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import NamedTuple, get_args

from archsim.config import units
from archsim.config.diagnostics import InputError, of_option
from archsim.config.document import data, load
from archsim.config.shipped import shipped
from archsim.config.tree import MappingNode, Node
from archsim.config.validation import build, unknown_choice
from archsim.model.price import Grade
from archsim.model.process import nanometres
from archsim.model.reference import Reference
from archsim.reports.shelf import Listed, Stated
from archsim.study.entries import laid
from archsim.study.files import HARDWARE_FOLDER
from archsim.study.shelves import Entry, library_entries

_ABOUT = ("kind", "node", "covers", "note")


class Filter(NamedTuple):
    """Which entries to show; None: of any."""

    kind: str | None = None
    node: str | None = None
    grade: str | None = None


def entries(wanted: Filter) -> tuple[Listed, ...]:
    """The entries that pass, those for components first; raise `InputError` for what no entry could be."""
    everything = [_listed(entry, {}, {}) for entry in _all()]
    kinds = dict.fromkeys(entry.kind for entry in everything)
    _known("--kind", "kind", wanted.kind, kinds)
    _known("--grade", "grade", wanted.grade, get_args(Grade))
    _known("--node", "node", wanted.node, dict.fromkeys(entry.node for entry in everything if entry.node), _same_node)
    return tuple(entry for entry in everything if _passes(entry, wanted))


def entry(name: str) -> tuple[Listed]:
    """The one entry, with the shipped machines that name it; raise `InputError` for an unknown one."""
    found = {item.name: item for item in _all()}
    if name not in found:
        raise InputError([unknown_choice("library entry", name, found, of_option("NAME", name))])
    return (_listed(found[name], _machines(), _entries()),)


def _all() -> Iterable[Entry]:
    return chain(library_entries("kind").values(), library_entries("figure").values())


def _known(
    option: str,
    what: str,
    given: str | None,
    choices: Iterable[str],
    same: Callable[[str, str], bool] = str.__eq__,
) -> None:
    known = list(choices)
    if given is not None and not any(same(given, choice) for choice in known):
        raise InputError([unknown_choice(what, given, known, of_option(option, given))])


def _same_node(given: str, node: str) -> bool:
    """`5`, `5 nm` and `N5` mean the same; so does what reads the same."""
    length = nanometres(f"{given} nm" if given.isdecimal() else given)
    return given.casefold() == node.casefold() or (length is not None and length == nanometres(node))


def _passes(listed: Listed, wanted: Filter) -> bool:
    return (
        wanted.kind in (None, listed.kind)
        and (wanted.node is None or (listed.node is not None and _same_node(wanted.node, listed.node)))
        and (wanted.grade is None or any(stated.grade == wanted.grade for stated in listed.figures))
    )


Uses = Mapping[str, list[str]]


def _machines() -> Uses:
    """Shipped machines by the entries that they name."""
    documents = {name: load(path, HARDWARE_FOLDER) for name, path in shipped(HARDWARE_FOLDER).items()}
    return _users({name: document.root for name, document in documents.items()})


def _entries() -> Uses:
    """Entries for components by the single figures that they cite."""
    return _users({name: entry.node for name, entry in library_entries("kind").items()})


def _users(users: Mapping[str, Node]) -> Uses:
    found: dict[str, list[str]] = {}
    for name, node in users.items():
        for used in dict.fromkeys(_named(node)):
            found.setdefault(used, []).append(name)
    return found


def _named(node: Node) -> Iterator[str]:
    if isinstance(node, MappingNode):
        for key, item in node.entries.items():
            if key == "library":
                yield str(data(item.node))
            else:
                yield from _named(item.node)


def _listed(entry: Entry, machines: Uses, citing: Uses) -> Listed:
    node = laid(entry)
    written = data(node)
    figures = tuple(_stated(node, ()))
    given = {key: _plain(item) for key, item in written.items() if key not in _ABOUT}
    return Listed(
        name=entry.name,
        kind=entry.kind or entry.figure or "",
        component=entry.kind is not None,
        node=written.get("node"),
        figures=(_single(entry),) if entry.figure else figures,
        covers=tuple(written.get("covers", ())),
        gives=() if entry.figure else tuple((key, text) for key, text in given.items() if text),
        note=written.get("note"),
        machines=tuple(machines.get(entry.name, ())),
        entries=tuple(citing.get(entry.name, ())),
        file=Path(entry.position.path).name,
        line=entry.position.line,
    )


def _plain(item: object) -> str:
    """A value that is no figure, or a mapping of such values, as text; nothing for what holds figures."""
    if not isinstance(item, dict):
        return str(item)
    if "value" in item or any(isinstance(below, dict | list) for below in item.values()):
        return ""
    return ", ".join(f"{key} {below}" for key, below in item.items())


def _single(entry: Entry) -> Stated:
    found = build(Reference, entry.document)
    unit = found.dimension.canonical if found.dimension else ""
    numbers = (found.value, found.low, found.high)
    return Stated(found.action, *numbers, unit, found.boundary, found.grade, found.source)


def _stated(node: Node, path: Sequence[str]) -> Iterator[Stated]:
    """The figures of an entry for a component, each named by its path."""
    if not isinstance(node, MappingNode):
        return
    if "value" in node.entries:
        yield _figure(data(node), path)
        return
    for key, item in node.entries.items():
        yield from _stated(item.node, (*path, key))


def _figure(written: dict[str, str], path: Sequence[str]) -> Stated:
    label = " ".join(part for part in path if part != "energy") or "move"
    dimension = units.dimension_of(str(written["value"]))
    numbers = (
        float(written[key]) if dimension is None else float(units.parse(written[key], dimension))
        for key in ("value", "low", "high")
    )
    value, low, high = numbers
    unit = dimension.canonical if dimension else ""
    boundary, grade = written.get("boundary"), written["grade"]
    return Stated(label, value, low, high, unit, boundary, grade, written["source"])  # type: ignore[arg-type] # checked by a test of the whole library
