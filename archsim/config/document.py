"""A file together with everything it extends and every `--set`, in which each value knows where it was written."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from archsim.config import tree
from archsim.config.diagnostics import Diagnostic, InputError, Position, did_you_mean, fail, listed
from archsim.config.shipped import SUFFIXES, is_file, shipped
from archsim.config.source import digest, read_source
from archsim.config.tree import Entry, MappingNode, Node, ScalarNode, SequenceNode

MAX_EXTENDS = 16  # files in a chain, and files that one file extends

KeyPath = tuple[str | int, ...]

_PART = r'"[^"]*"|[^".=]+'
_SET = re.compile(rf"(?P<path>({_PART})(\.({_PART}))*)=(?P<value>.*)")


@dataclass(frozen=True, slots=True)
class Document:
    """A tree, the name of its file, (path, SHA-256) of every file read for it, and the keys that a `--set` changed."""

    name: str
    root: Node
    sources: tuple[tuple[str, str], ...]
    edited: frozenset[str] = frozenset()


def load(path: Path, folder: str = "") -> Document:
    """Read a file and what it `extends`; raise `InputError`.

    A base is a path relative to the file, or the name of a file beside it, or of a shipped one in `folder`.
    """
    loader = _Loader(folder)
    root = loader.read(path, ())
    return Document(str(path), root, tuple(loader.sources.items()))


def apply_sets(documents: Mapping[str, Document], sets: Sequence[str]) -> dict[str, Document]:
    """The documents with every `PREFIX.PATH.TO.KEY=VALUE` applied; the prefix selects the document.

    The order of `sets` matters only between two of the same path, where the last one counts. `~` deletes; lists index
    by number as they were before anything was deleted; a key with dots is written in double quotes.
    """
    settings: dict[tuple[str, ...], _Setting] = {}
    findings: list[Diagnostic] = []
    for number, text in enumerate(sets, start=1):
        try:
            setting = _read_setting(text, f"<--set #{number}>", documents)
            settings[setting.prefix, *setting.path] = setting
        except InputError as error:
            findings += error.diagnostics
    changed = dict(documents)
    for setting in sorted(settings.values(), key=_turn):
        try:
            _refuse_below_deleted(setting, settings)
            root = _placed(changed[setting.prefix].root, setting, 0)
            before = changed[setting.prefix]
            changed[setting.prefix] = replace(before, root=root, edited=before.edited | {setting.path[0]})
        except InputError as error:
            findings += error.diagnostics
    if findings:
        raise InputError(findings)
    return changed


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
    """`over` laid upon `base`: mappings merge key by key, `~` deletes a key of the base, all else replaces."""
    if not (isinstance(base, MappingNode) and isinstance(over, MappingNode)):
        return over
    entries = dict(base.entries)
    for key, entry in over.entries.items():
        if key not in entries:
            entries[key] = replace(entry, added=True)
        elif isinstance(entry.node, ScalarNode) and entry.node.value is None:
            del entries[key]
        else:
            entries[key] = Entry(entry.position, merge(entries[key].node, entry.node), entry.added)
    return MappingNode(over.position, entries)


class _Loader:
    """Reads each file once, however often it is extended."""

    def __init__(self, folder: str) -> None:
        self.folder = folder
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
        known = shipped(self.folder) if self.folder else {}
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


@dataclass(frozen=True, slots=True)
class _Setting:
    """One `--set`: where it goes, what it sets, and where each part of its path is written."""

    prefix: str
    path: tuple[str, ...]
    node: Node
    parts: tuple[Position, ...]

    @property
    def deletes(self) -> bool:
        return isinstance(self.node, ScalarNode) and self.node.value is None


def _read_setting(text: str, name: str, documents: Mapping[str, Document]) -> _Setting:
    match = _SET.fullmatch(text)
    if match is None:
        fail("a setting is written KEY=VALUE", Position(name, 1, 1, len(text), text), _example(documents))
    found = list(re.finditer(_PART, match["path"]))
    prefix, *path = (part.group().strip().strip('"') for part in found)
    parts = [Position(name, 1, part.start() + 1, len(part.group()), text) for part in found]
    if prefix not in documents:
        near = did_you_mean(prefix, documents)
        fail(f"unknown prefix `{prefix}`; known: {listed(documents)}", parts[0], near or _example(documents))
    if not path or len(path) > tree.MAX_DEPTH:
        fail(f"a path has 1 to {tree.MAX_DEPTH} keys below its prefix", parts[0], _example(documents))
    if not match["value"].strip():
        fail(
            "there is no value after `=`",
            Position(name, 1, len(text), 1, text),
            '`~` deletes a key, `""` is an empty text',
        )
    node = tree.parse(" " * match.start("value") + match["value"], name, shown=text)
    return _Setting(prefix, tuple(path), node, tuple(parts[1:]))


def _example(documents: Mapping[str, Document]) -> str:
    return f"e.g. `{next(iter(documents), 'workload')}.path.to.key=VALUE`"


def _turn(setting: _Setting) -> tuple[bool, int, list[tuple[int, str]]]:
    """When a setting's turn is: parents before children, then deletions from the last index to the first."""
    if setting.deletes:
        return True, 0, [(-int(part) if part.isdecimal() else 0, part) for part in setting.path]
    return False, len(setting.path), [(0, part) for part in setting.path]


def _refuse_below_deleted(setting: _Setting, settings: Mapping[tuple[str, ...], _Setting]) -> None:
    for depth in range(1, len(setting.path)):
        above = settings.get((setting.prefix, *setting.path[:depth]))
        if above is not None and above.deletes:
            fail(f"`{_dotted(setting, depth)}` is deleted by another --set", setting.parts[depth - 1])


def _placed(node: Node | None, setting: _Setting, depth: int) -> Node:
    """The node with the setting's value at the rest of its path."""
    if depth == len(setting.path):
        return setting.node
    if isinstance(node, SequenceNode):
        return _placed_in_list(node, setting, depth)
    if isinstance(node, ScalarNode) and node.value is not None:
        fail(f"`{_dotted(setting, depth)}` is `{node.value}`: there is nothing below it", setting.parts[depth])
    part, last = setting.path[depth], depth + 1 == len(setting.path)
    entries = dict(node.entries) if isinstance(node, MappingNode) else {}
    known = entries.get(part)
    if setting.deletes and known is None:
        fail(
            f"there is no `{_dotted(setting, depth + 1)}` to delete", setting.parts[depth], did_you_mean(part, entries)
        )
    if setting.deletes and last:
        del entries[part]
    elif known is None or last:  # what is set is written in the setting, and so is the key that it is set at
        entries[part] = Entry(setting.parts[depth], _placed(None, setting, depth + 1), known is None or known.added)
    else:
        entries[part] = replace(known, node=_placed(known.node, setting, depth + 1))
    return MappingNode(node.position if node is not None else setting.parts[depth - 1], entries)


def _placed_in_list(node: SequenceNode, setting: _Setting, depth: int) -> SequenceNode:
    part, last = setting.path[depth], depth + 1 == len(setting.path)
    if not re.fullmatch("0|[1-9][0-9]{0,5}", part) or int(part) >= len(node.items):
        message = f"`{part}` is no index of `{_dotted(setting, depth)}`, a list of {len(node.items)} (from 0)"
        fail(message, setting.parts[depth])
    index = int(part)
    replacement = () if setting.deletes and last else (_placed(node.items[index], setting, depth + 1),)
    return replace(node, items=(*node.items[:index], *replacement, *node.items[index + 1 :]))


def _dotted(setting: _Setting, depth: int) -> str:
    return ".".join((setting.prefix, *setting.path[:depth]))
