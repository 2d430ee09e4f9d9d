"""Reading the component library: of the shipped files those that hold what a run names, and a user's own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Literal

from archsim.config.diagnostics import Position, fail
from archsim.config.document import Document, load, node_at
from archsim.config.shipped import is_file, library_path
from archsim.config.tree import MappingNode, ScalarNode, SequenceNode

LIBRARY = "archsim.library/1"

Sources = tuple[tuple[str, str], ...]
Sort = Literal["kind", "figure"]

_FOLDERS: Mapping[Sort, str] = {"kind": "", "figure": "figures"}


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry: what is written, where its name stands, and the file that it was read from."""

    name: str
    node: MappingNode
    position: Position
    sources: Sources

    @property
    def kind(self) -> str | None:
        """The kind of component that takes it; None of a single figure."""
        return self._text("kind")

    @property
    def figure(self) -> str | None:
        """What a single figure is about; None of an entry for a component."""
        return self._text("figure")

    @property
    def document(self) -> Document:
        """The entry as a document of its own."""
        return Document(self.position.path, self.node, self.sources)

    def _text(self, key: str) -> str | None:
        found = self.node.entries.get(key)
        return str(found.node.value) if found is not None and isinstance(found.node, ScalarNode) else None


@cache
def library_entries(sort: Sort = "kind") -> Mapping[str, Entry]:
    """Shipped entries by name: those for components, or single figures."""
    found: dict[str, Entry] = {}
    for path in _texts(sort):
        put(load(path), found)
    return MappingProxyType(found)


def shipped_entry(name: str, sort: Sort) -> Entry | None:
    """A shipped entry; only the files are parsed in which its name starts a line."""
    for path, text in _texts(sort).items():
        if f"\n{name}:" in text and (entry := _read(path).get(name)):
            return entry
    return None


@cache
def _texts(sort: Sort) -> Mapping[Path, str]:
    folder = library_path() / _FOLDERS[sort]
    return {path: path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.yaml"))}


@cache
def _read(path: Path) -> Mapping[str, Entry]:
    found: dict[str, Entry] = {}
    put(load(path), found)
    return found


def own_entries(document: Document) -> Mapping[str, Entry]:
    """Entries of the files that a machine names under `libraries`; none may bear the name of a shipped one."""
    named = node_at(document, ("libraries",))
    if named is None:
        return {}
    if not isinstance(named, SequenceNode):
        fail("must be a list", named.position, "libraries: [own.yaml]")
    shipped = {**library_entries("kind"), **library_entries("figure")}
    found = dict(shipped)
    for item in named.items:
        path = Path(item.position.path).parent / str(getattr(item, "value", ""))
        if not is_file(path):
            fail(f"there is no library file `{path}`", item.position)
        put(load(path), found)
    return {name: entry for name, entry in found.items() if name not in shipped}


def put(document: Document, found: dict[str, Entry]) -> None:
    """Put the entries of a library file beside others; raise `InputError` where it is none, or repeats a name."""
    schema = node_at(document, ("schema",))
    if not (isinstance(document.root, MappingNode) and isinstance(schema, ScalarNode) and schema.value == LIBRARY):
        fail(f"not a library file: it must say `schema: {LIBRARY}`", document.root.position)
    for name, key in document.root.entries.items():
        if name == "schema":
            continue
        if not isinstance(key.node, MappingNode):
            fail(f"the entry `{name}` must be a mapping (`key: value`)", key.node.position)
        if name in found:
            fail(
                f"the library has two entries `{name}`",
                key.position,
                f"the first stands in {found[name].position.path}",
            )
        found[name] = Entry(name, key.node, key.position, document.sources)
