"""`--set PREFIX.PATH=VALUE`: documents with some of their values written anew, each where its `--set` has it."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from archsim.config import tree
from archsim.config.diagnostics import Diagnostic, InputError, Position, did_you_mean, fail, listed
from archsim.config.document import Document
from archsim.config.tree import Entry, MappingNode, Node, ScalarNode, SequenceNode

_PART = r'"[^"]*"|[^".=]+'
_SET = re.compile(rf"(?P<path>({_PART})(\.({_PART}))*)=(?P<value>.*)")


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
