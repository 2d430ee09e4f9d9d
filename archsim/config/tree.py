"""YAML text as a tree in which every key and every value knows its position.

Scalars follow the YAML 1.2 core schema (`1e-3` is a number, `no` is text, `012` is twelve). The text is hostile: the
tree is composed from parser events, so depth and size are bounded before anything is built, aliases included.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import isfinite
from typing import Any

import yaml

from archsim.config.diagnostics import MAX_FINDINGS, Diagnostic, InputError, Position, UnplacedError, did_you_mean, fail
from archsim.config.source import split_lines
from archsim.config.syntax import way_out

MAX_DEPTH = 64
MAX_NODES = 100_000
MAX_DIGITS = 60

Scalar = str | int | float | bool | None

_NULL = frozenset({"", "~", "null", "Null", "NULL"})
_BOOLEAN = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_DECIMAL = re.compile(r"[-+]?[0-9]+")
_BASED = re.compile(r"0o[0-7]+|0x[0-9a-fA-F]+")
_NOT_FINITE = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_NUMBER = re.compile("|".join(f"({kind.pattern})" for kind in (_DECIMAL, _BASED, _FLOAT, _NOT_FINITE)))
_UNPRINTABLE = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
# the C parser is seven times faster; a PyYAML built without it parses the same
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True, slots=True)
class ScalarNode:
    """A text, a number, a truth value or nothing."""

    position: Position
    value: Scalar


@dataclass(frozen=True, slots=True)
class SequenceNode:
    """A list of nodes."""

    position: Position
    items: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class Entry:
    """One key of a mapping and its value; `added` where a `--set` made a key that no file has."""

    position: Position
    node: "Node"
    added: bool = False


@dataclass(frozen=True, slots=True)
class MappingNode:
    """Entries by key, in the order of the file."""

    position: Position
    entries: Mapping[str, Entry]


Node = ScalarNode | SequenceNode | MappingNode
_NodeEvent = yaml.AliasEvent | yaml.ScalarEvent | yaml.SequenceStartEvent | yaml.MappingStartEvent


def parse(text: str, name: str, shown: str | None = None) -> Node:
    """The tree of the one document in `text`; raise `InputError` with every finding.

    Positions bear the path `name`. `shown` replaces the source line in positions, for a text that is part of a line.
    """
    text = text.removeprefix("\N{BYTE ORDER MARK}")
    lines = [shown] if shown is not None else split_lines(text)
    composer = _Composer(name, lines)
    bad = _UNPRINTABLE.search(text)
    if bad is not None:
        before = split_lines(text[: bad.start()])
        fail(f"character U+{ord(bad.group()):04X} is not allowed", composer.at(len(before) - 1, len(before[-1])))
    try:
        node = composer.document(yaml.parse(text, Loader=_LOADER))
    except yaml.MarkedYAMLError as error:
        reason = " ".join(part for part in (error.problem, error.context) if part)
        where = composer.mark(error.problem_mark or error.context_mark)
        fail(f"not valid YAML: {reason}", where, way_out(error, composer.lines))
    if composer.findings:
        raise InputError(composer.findings)
    return node


class _Composer:
    """Builds nodes from the events of one document, and counts what it builds."""

    def __init__(self, name: str, lines: list[str]) -> None:
        self.name = name
        self.lines = lines
        self.count = 0
        self.anchors: dict[str, Node | None] = {}  # None while the anchored node is still open
        self.findings: list[Diagnostic] = []
        self.events: Iterator[Any] = iter(())

    def at(self, line: int, column: int, length: int = 1) -> Position:
        """The position of a zero-based line and column; the end of the text belongs to its last line."""
        if line >= len(self.lines):
            line = len(self.lines) - 1
            column = len(self.lines[line])
        return Position(self.name, line + 1, column + 1, length, self.lines[line])

    def mark(self, mark: yaml.Mark | None) -> Position:
        """The position of a mark of the parser."""
        return self.at(mark.line, mark.column) if mark is not None else self.at(0, 0)

    def span(self, event: yaml.Event) -> Position:
        """Where the event stands, as far as its first line goes."""
        start, end = event.start_mark, event.end_mark
        if start is None or end is None:  # the stubs allow it, the parsers never do it
            return self.at(0, 0)
        length = end.column - start.column if end.line == start.line else len(self.lines[start.line]) - start.column
        return self.at(start.line, start.column, max(1, length))

    def find(self, message: str, event: yaml.Event, way_out: str = "") -> None:
        """Remember a finding that doesn't stop the parse, until there are many."""
        self.findings.append(Diagnostic(message, self.span(event), way_out))
        if len(self.findings) == MAX_FINDINGS:
            raise InputError(self.findings)

    def document(self, events: Iterator[Any]) -> Node:
        """The root of the only document."""
        self.events = events
        next(events)  # the stream starts
        if isinstance(next(events), yaml.StreamEndEvent):
            fail("the document is empty", self.at(0, 0))
        first = next(events)
        if isinstance(first, yaml.ScalarEvent) and not first.value and not first.style:
            fail("the document is empty", self.span(first))
        node = self.node(first, 1)
        next(events)  # the document ends
        following = next(events)
        if not isinstance(following, yaml.StreamEndEvent):
            fail("a second document starts here; a file holds one", self.span(following))
        return node

    def node(self, event: _NodeEvent, depth: int) -> Node:
        """The node that starts with this event, `depth` levels below the top."""
        self.bound(1, depth, event)
        if isinstance(event, yaml.AliasEvent):
            return self.alias(event, depth)
        if event.tag is not None:
            self.find(f"tag `{event.tag}` is not allowed", event, "a text is quoted; everything else needs no tag")
        if event.anchor is not None:
            self.anchors[event.anchor] = None
        if isinstance(event, yaml.MappingStartEvent):
            node: Node = self.mapping(event, depth)
        elif isinstance(event, yaml.SequenceStartEvent):
            node = self.sequence(event, depth)
        else:
            node = self.scalar(event)
        if event.anchor is not None:
            self.anchors[event.anchor] = node
        return node

    def bound(self, nodes: int, depth: int, event: yaml.Event) -> None:
        """Stop where the document grows too large, aliases expanded."""
        self.count += nodes
        if depth > MAX_DEPTH:
            fail(f"nested deeper than {MAX_DEPTH} levels", self.span(event))
        if self.count > MAX_NODES:
            fail(f"more than {MAX_NODES} values, aliases expanded", self.span(event))

    def alias(self, event: yaml.AliasEvent, depth: int) -> Node:
        """The node that the alias repeats."""
        name = event.anchor or ""
        if name not in self.anchors:
            near = did_you_mean(name, self.anchors)
            fail(f"there is no anchor `&{name}` before this alias", self.span(event), near)
        node = self.anchors[name]
        if node is None:
            fail(f"the alias `*{name}` stands within what it repeats", self.span(event))
        size, height = _extent(node)
        self.bound(size - 1, depth + height - 1, event)
        return node

    def mapping(self, start: yaml.MappingStartEvent, depth: int) -> MappingNode:
        """The mapping, each key once."""
        entries: dict[str, Entry] = {}
        while not isinstance(event := next(self.events), yaml.MappingEndEvent):
            if not isinstance(event, yaml.ScalarEvent):
                fail("a key must be a plain text, not a list, a mapping or an alias", self.span(event))
            key = event.value
            entry = Entry(self.span(event), self.node(next(self.events), depth + 1))
            if key in entries:
                first = entries[key].position
                self.find(f"key `{key}` is there twice", event, f"the first stands in line {first.line}")
            elif event.tag is not None or event.anchor is not None:
                self.find(f"key `{key}` must not bear a tag or an anchor", event)
            entries.setdefault(key, entry)
        return MappingNode(self.span(start), entries)

    def sequence(self, start: yaml.SequenceStartEvent, depth: int) -> SequenceNode:
        """The list."""
        items: list[Node] = []
        while not isinstance(event := next(self.events), yaml.SequenceEndEvent):
            items.append(self.node(event, depth + 1))
        return SequenceNode(self.span(start), tuple(items))

    def scalar(self, event: yaml.ScalarEvent) -> ScalarNode:
        """The scalar; a quoted one is always text."""
        if event.style:
            return ScalarNode(self.span(event), event.value)
        try:
            return ScalarNode(self.span(event), scalar(event.value))
        except UnplacedError as error:
            self.find(str(error), event, error.help)
            return ScalarNode(self.span(event), event.value)


def scalar(text: str) -> Scalar:
    """What a plain scalar means in the YAML 1.2 core schema; raise `UnplacedError` for no finite number."""
    if text in _NULL:
        return None
    if text in _BOOLEAN:
        return _BOOLEAN[text]
    if text[0] not in "+-.0123456789" or not _NUMBER.fullmatch(text):
        return text
    if _NOT_FINITE.fullmatch(text):
        raise UnplacedError(f"`{text}` is not a finite number", "where nothing limits, write `unlimited`")
    if len(text) > MAX_DIGITS:
        raise UnplacedError(f"a number of {len(text)} characters; at most {MAX_DIGITS} are read")
    if _DECIMAL.fullmatch(text):
        return int(text)
    if _BASED.fullmatch(text):
        return int(text, base=0)
    number = float(text)
    if not isfinite(number):
        raise UnplacedError(f"`{text}` is too large for a number")
    return number


def _extent(node: Node) -> tuple[int, int]:
    """How many nodes there are and how many levels, aliases expanded."""
    if isinstance(node, ScalarNode):
        return 1, 1
    children = [entry.node for entry in node.entries.values()] if isinstance(node, MappingNode) else node.items
    extents = [_extent(child) for child in children]
    return 1 + sum(size for size, _ in extents), 1 + max((height for _, height in extents), default=0)
