"""The component library: entries of the shipped files and of a user's own, laid under what names them.

An entry with a `kind` is laid under a component or link that says `library: NAME`; one with a `figure` is a single
figure, which a price cites in the same way. There is one format and one way of reading it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from pydantic import BaseModel

from archsim.config.diagnostics import MAX_FINDINGS, Diagnostic, InputError, Position, fail
from archsim.config.document import Document, data, merge, node_at
from archsim.config.graft import planted
from archsim.config.tree import Entry as Key
from archsim.config.tree import MappingNode, Node, ScalarNode, SequenceNode
from archsim.config.validation import build, mistakes, unknown_choice
from archsim.model.reference import FIGURE_KEYS, NUMBERS, Reference
from archsim.study.shelves import Entry, Sort, Sources, library_entries, own_entries, put, shipped_entry

SpecOf = Callable[[str, Position], type[BaseModel]]

_PRICED = ("energy", "static", "through")
"""Keys of a component below which everything is a price."""


@dataclass(frozen=True, slots=True)
class _Read:
    """What was read on the way: files, and the layers of a byte's way that figures in the place of prices cover."""

    sources: list[tuple[str, str]] = field(default_factory=list)
    layers: list[Node] = field(default_factory=list)


def with_library(document: Document) -> Document:
    """The machine with each component, link and price laid upon the library entry that it names."""
    own = own_entries(document)
    for section in ("components", "links"):
        node = node_at(document, (section,))
        if isinstance(node, MappingNode):
            for name, key in node.entries.items():
                whole, sources = _laid(key.node, own)
                if whole is not key.node:
                    document = planted(document, (section, name), whole, sources)
    return document


def laid(entry: Entry) -> MappingNode:
    """A shipped entry with the figures that it cites in their places."""
    node, _ = _laid(entry.node, {})
    return node if isinstance(node, MappingNode) else entry.node


def _laid(node: Node, own: Mapping[str, Entry]) -> tuple[Node, Sources]:
    """A component upon its entry, each of its prices upon the figure that it cites; and the files read for that."""
    if not isinstance(node, MappingNode):
        return node, ()
    read = _Read()
    named = _named(node)
    if named is None:
        return _covering(_with_citations(node, own, read), read.layers), tuple(read.sources)
    entry = _entry(named, own, "kind")
    _refuse_other_kind(node, entry, named)
    read.sources.extend(entry.sources)
    base, over = (_with_citations(part, own, read) for part in (entry.node, node))
    if entry.name in own and (findings := list(_bare(base, priced=False))):
        raise InputError(findings[:MAX_FINDINGS])
    return _covering(_marked(base, merge_mappings(base, over), named), read.layers), tuple(read.sources)


def _covering(node: MappingNode, layers: Sequence[Node]) -> MappingNode:
    """A component that covers those layers too: a figure in the place of a price brings what it holds."""
    told = node.entries.get("covers")
    items = told.node.items if told and isinstance(told.node, SequenceNode) else ()
    known = [data(item) for item in items]
    more = {data(layer): layer for layer in layers if data(layer) not in known}
    if not more:
        return node
    key = told or Key(node.position, node)
    both = SequenceNode(key.position, (*items, *more.values()))
    return MappingNode(node.position, {**node.entries, "covers": replace(key, node=both)})


def _with_citations(node: MappingNode, own: Mapping[str, Entry], read: _Read) -> MappingNode:
    """A component with each figure that it cites in its place; the very node where it cites none."""
    cited = {name: _cited(key, own, read) for name, key in node.entries.items()}
    same = all(cited[name] is key for name, key in node.entries.items())
    return node if same else MappingNode(node.position, cited)


def _marked(base: MappingNode, laid: MappingNode, named: ScalarNode, *, priced: bool = False) -> MappingNode:
    """A component laid upon its entry, with the entry's name at each price whose numbers are still the entry's."""
    if "value" in base.entries:
        same = all(_written(base, number) == _written(laid, number) for number in NUMBERS)
        mark = {"entry": Key(named.position, named)} if priced and same else {}
        return MappingNode(laid.position, {**laid.entries, **mark})
    marked = dict(laid.entries)
    for name, key in base.entries.items():
        over = laid.entries.get(name)
        if over is not None and isinstance(key.node, MappingNode) and isinstance(over.node, MappingNode):
            below = _marked(key.node, over.node, named, priced=priced or name in _PRICED)
            marked[name] = replace(over, node=below)
    return MappingNode(laid.position, marked)


def _written(price: MappingNode, number: str) -> object:
    key = price.entries.get(number)
    return data(key.node) if key is not None else None


def _cited(key: Key, own: Mapping[str, Entry], read: _Read) -> Key:
    """A value with each figure that is cited within it in its place."""
    node = key.node
    if not isinstance(node, MappingNode):
        return key
    named = _named(node)
    if named is None:
        below = {name: _cited(item, own, read) for name, item in node.entries.items()}
        unchanged = all(below[name] is item for name, item in node.entries.items())
        return key if unchanged else replace(key, node=MappingNode(node.position, below))
    entry = _entry(named, own, "figure")
    build(Reference, entry.document)
    read.sources.extend(entry.sources)
    held = entry.node.entries.get("covers")
    read.layers.extend(held.node.items if held and isinstance(held.node, SequenceNode) else ())
    taken = {
        name: Key(named.position, ScalarNode(named.position, getattr(entry.node.entries[name].node, "value", None)))
        for name in FIGURE_KEYS
    }
    beside = MappingNode(node.position, {name: item for name, item in node.entries.items() if name != "library"})
    return replace(key, node=merge_mappings(MappingNode(node.position, taken), beside))


def merge_mappings(base: MappingNode, over: MappingNode) -> MappingNode:
    """One mapping laid upon another."""
    merged = merge(base, over)
    return merged if isinstance(merged, MappingNode) else over


def _named(node: MappingNode) -> ScalarNode | None:
    key = node.entries.get("library")
    return key.node if key is not None and isinstance(key.node, ScalarNode) else None


def _entry(named: ScalarNode, own: Mapping[str, Entry], sort: Sort) -> Entry:
    wanted = str(named.value)
    entry = shipped_entry(wanted, sort) or own.get(wanted)
    if entry is None or not getattr(entry, sort):
        known = (*library_entries(sort), *(name for name, item in own.items() if getattr(item, sort)))
        unknown = unknown_choice("library entry", wanted, known, named.position)
        raise InputError([_unfit(wanted, named.position, own, sort) or unknown])
    return entry


def _unfit(wanted: str, position: Position, own: Mapping[str, Entry], sort: Sort) -> Diagnostic | None:
    """The finding that an entry is of the other sort; None where there is none of that name."""
    if wanted not in own and wanted not in library_entries("figure" if sort == "kind" else "kind"):
        return None
    if sort == "kind":
        message = f"`{wanted}` is a single figure, not a component"
        return Diagnostic(message, position, f"cite it where a price stands: `energy: {{library: {wanted}}}`")
    message = f"`{wanted}` is an entry for a component, not a single figure"
    return Diagnostic(message, position, "name it beside the component's `kind`")


def _refuse_other_kind(node: MappingNode, entry: Entry, named: ScalarNode) -> None:
    own = node.entries.get("kind")
    if own is not None and isinstance(own.node, ScalarNode) and own.node.value != entry.kind:
        fail(f"`{entry.name}` is an entry for a `{entry.kind}`, and this is a `{own.node.value}`", named.position)


def flaws(document: Document, spec_of: SpecOf) -> list[Diagnostic]:
    """What is wrong with the entries of a library file; `spec_of` gives the model of a kind, or raises `InputError`."""
    found: dict[str, Entry] = {}
    put(document, found)
    findings = [finding for entry in found.values() for finding in _flaws(entry, spec_of)]
    return findings[:MAX_FINDINGS]


def _flaws(entry: Entry, spec_of: SpecOf) -> Iterator[Diagnostic]:
    try:
        if entry.figure is not None:
            build(Reference, entry.document)
        elif entry.kind is not None:
            spec = spec_of(entry.kind, entry.node.entries["kind"].node.position)
            whole = laid(entry)
            yield from mistakes(spec, replace(entry.document, root=whole))
            yield from _bare(whole, priced=False)
        else:
            yield Diagnostic(f"`{entry.name}` names neither a `kind` of component nor a `figure`", entry.position)
    except InputError as error:
        yield from error.diagnostics


def _bare(node: Node, *, priced: bool) -> Iterator[Diagnostic]:
    """Figures without a range or a source: what the library is for."""
    if not isinstance(node, MappingNode):
        if priced:
            yield Diagnostic(
                "a price of the library is a mapping with its range, boundary, grade and source", node.position
            )
    elif "value" in node.entries:
        value = node.entries["value"].node
        share = isinstance(value, ScalarNode) and not isinstance(value.value, str)
        lacking = [key for key in FIGURE_KEYS if key not in node.entries and not (share and key == "boundary")]
        yield from (Diagnostic(f"missing key `{key}`", node.position) for key in lacking)
        source = node.entries.get("source")
        if source is not None and isinstance(source.node, ScalarNode) and not source.node.value:
            yield Diagnostic("a figure of the library has a source", source.node.position)
    else:
        for name, key in node.entries.items():
            yield from _bare(key.node, priced=priced or name in _PRICED)
