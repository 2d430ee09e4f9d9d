"""A file together with everything it extends, in which each value knows where it was written."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from archsim.config import tree
from archsim.config.diagnostics import Position, did_you_mean, fail
from archsim.config.shipped import SUFFIXES, is_file, shipped
from archsim.config.source import digest, read_source
from archsim.config.tree import Entry, MappingNode, Node, ScalarNode, SequenceNode

MAX_EXTENDS = 16  # files in a chain, and files that one file extends

KeyPath = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Document:
    """A tree, the name of its file, (path, SHA-256) of every file read for it, and the keys that a `--set` changed."""

    name: str
    root: Node
    sources: tuple[tuple[str, str], ...]
    edited: frozenset[str] = frozenset()


def load(path: Path, *folders: str) -> Document:
    """Read a file and what it `extends`; raise `InputError`.

    A base is a path relative to the file, or the name of a file beside it, or of a shipped one in one of `folders`.
    """
    loader = _Loader(folders)
    root = loader.read(path, ())
    return Document(str(path), root, tuple(loader.sources.items()))


def data(node: Node) -> Any:
    """The node as plain Python: dicts, lists and scalars."""
    if isinstance(node, MappingNode):
        return {key: data(entry.node) for key, entry in node.entries.items()}
    if isinstance(node, SequenceNode):
        return [data(item) for item in node.items]
    return node.value


def position_at(document: Document, path: KeyPath, *, key: bool = False) -> Position:
    """Where the value of a path is written, or its nearest existing parent; with `key`, where its key is."""
    node, position = document.root, document.root.position
    for part in path:
        found = child(node, part)
        if found is None:
            return position
        node = found.node
        position = found.position if key else node.position
    return position


def node_at(document: Document, path: KeyPath) -> Node | None:
    """The node of a path, None where there is none."""
    node: Node | None = document.root
    for part in path:
        found = child(node, part) if node is not None else None
        node = found.node if found is not None else None
    return node


def child(node: Node, part: str | int) -> Entry | None:
    """The entry of a mapping or the item of a list (an item's position serves as its key's), None where absent."""
    if isinstance(node, MappingNode):
        return node.entries.get(str(part))
    if isinstance(node, SequenceNode) and isinstance(part, int) and 0 <= part < len(node.items):
        return Entry(node.items[part].position, node.items[part])
    return None


def merge(base: Node, over: Node) -> Node:
    """`over` laid upon `base`: mappings merge key by key, `~` deletes a key of the base, all else replaces.

    A citation of the library replaces a figure (what has a `value`): merged, its numbers would win over those cited.
    """
    if not (isinstance(base, MappingNode) and isinstance(over, MappingNode)):
        return over
    if "library" in over.entries and "value" in base.entries:
        return over
    entries = dict(base.entries)
    for key, entry in over.entries.items():
        if key not in entries:
            entries[key] = replace(entry, added=True)
        elif isinstance(entry.node, ScalarNode) and entry.node.value is None:
            _refuse_unwritten(entry, key)
            del entries[key]
        else:
            entries[key] = Entry(entry.position, merge(entries[key].node, entry.node), entry.added)
    return MappingNode(over.position, entries)


def _refuse_unwritten(entry: Entry, key: str) -> None:
    """Say that nothing is written where a `~` would delete: more likely what stood there was commented out."""
    position = entry.node.position
    if position.text[position.column - 1 :][:1] not in {"~", "n", "N", "&", "*"}:
        way_out = "`~` deletes what the extended file has there; leave the key out to keep it"
        fail(f"nothing is written at `{key}`", entry.position, way_out)


class _Loader:
    """Reads each file once, however often it is extended."""

    def __init__(self, folders: tuple[str, ...]) -> None:
        self.folders = folders
        self.sources: dict[str, str] = {}
        self.roots: dict[Path, Node] = {}

    def read(self, path: Path, chain: tuple[Path, ...]) -> Node:
        """The tree of a file upon its bases; `chain` is how it was reached."""
        identity = path.resolve()
        if identity not in self.roots:
            text = read_source(path)
            self.sources[str(path)] = digest(text)
            self.roots[identity] = self.extended(tree.parse(text, str(path)), path, (*chain, path))
        return self.roots[identity]

    def extended(self, root: Node, path: Path, chain: tuple[Path, ...]) -> Node:
        """The tree with its `extends` resolved."""
        if not isinstance(root, MappingNode) or "extends" not in root.entries:
            return root
        own = MappingNode(root.position, {key: entry for key, entry in root.entries.items() if key != "extends"})
        merged: Node | None = None
        for name in _names(root.entries["extends"].node):
            base = self.read(self.resolve(name, path, chain), chain)
            merged = base if merged is None else merge(merged, base)
        return own if merged is None else merge(merged, own)

    def resolve(self, name: ScalarNode, path: Path, chain: tuple[Path, ...]) -> Path:
        """The file that an `extends` names; a cycle, a long chain and an unknown name are findings."""
        wanted = str(name.value)
        beside = path.parent / wanted
        known = shipped(*self.folders)
        choices = [Path(f"{beside}{suffix}") for suffix in ("", *SUFFIXES)]
        found = next((choice for choice in choices if is_file(choice)), known.get(wanted))
        if found is None:
            near = did_you_mean(wanted, {*known, *(file.name for file in path.parent.glob("*.yaml"))} - {path.name})
            fail(f"cannot extend `{wanted}`: there is no such file", name.position, near)
        if found.resolve() in {file.resolve() for file in chain}:
            fail(f"`extends` runs in a circle: {' -> '.join(map(str, (*chain, found)))}", name.position)
        if len(chain) >= MAX_EXTENDS:
            fail(f"`extends` runs through more than {MAX_EXTENDS} files", name.position)
        return found


def _names(node: Node) -> tuple[ScalarNode, ...]:
    """The names in an `extends`: one text, or a list of them."""
    names = node.items if isinstance(node, SequenceNode) else (node,)
    if len(names) > MAX_EXTENDS:
        fail(f"more than {MAX_EXTENDS} files extended", node.position)
    wrong = next((name for name in names if not (isinstance(name, ScalarNode) and isinstance(name.value, str))), None)
    if wrong is not None:
        fail("`extends` must be the name of a file, or a list of them", wrong.position)
    return tuple(name for name in names if isinstance(name, ScalarNode))
