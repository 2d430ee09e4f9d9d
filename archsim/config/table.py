"""CSV tables as trees, in which each cell knows where it was written."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator

from archsim.config.diagnostics import MAX_FINDINGS, Diagnostic, InputError, Position, UnplacedError, fail
from archsim.config.source import split_lines
from archsim.config.tree import Entry, MappingNode, ScalarNode, SequenceNode, scalar

_CELL = re.compile(r'\s*("(?:[^"]|"")*"|[^,]*)(?:,|$)')

Cells = tuple[ScalarNode, ...]


def parse_table(text: str, name: str) -> SequenceNode:
    """A mapping for each row below the header, empty cells left out; raise `InputError` with every finding.

    Cells are read as YAML reads plain scalars. Positions bear the path `name`; the table stands where its header does.
    """
    lines = split_lines(text.removeprefix("\N{BYTE ORDER MARK}"))
    start = Position(name, 1, 1, 1, lines[0])
    header, *rows = _rows(lines, name) or fail("the table is empty", start)
    findings = [*_twice(header), *(finding for row in rows for finding in _overlong(row, header))]
    items = []
    for row in rows:
        entries = {}
        for heading, cell in zip(header, row, strict=False):
            try:
                value = scalar(str(cell.value))
            except UnplacedError as error:
                findings.append(Diagnostic(str(error), cell.position, error.help))
                continue
            if heading.value and value is not None:
                entries[str(heading.value)] = Entry(cell.position, ScalarNode(cell.position, value))
        items.append(MappingNode(row[0].position, entries))
    if findings:
        raise InputError(findings[:MAX_FINDINGS])
    return SequenceNode(header[0].position, tuple(items))


def _rows(lines: list[str], name: str) -> list[Cells]:
    """The cells of each row that is not blank, as texts."""
    reader = csv.reader((f"{line}\n" for line in lines), skipinitialspace=True, strict=True)
    found, last = [], 0
    try:
        for texts in reader:
            if any(text.strip() for text in texts):
                positions = _positions(Position(name, last + 1, 1, 1, lines[last]), len(texts))
                cells = zip(positions, texts, strict=True)
                found.append(tuple(ScalarNode(position, text.strip()) for position, text in cells))
            last = reader.line_num
    except csv.Error as error:
        fail(f"not valid CSV: {error}", Position(name, last + 1, 1, 1, lines[min(last, len(lines) - 1)]))
    return found


def _positions(row: Position, cells: int) -> list[Position]:
    """Where each cell stands; the start of the row for all of them where one runs over several lines."""
    spans = [match.span(1) for match in _CELL.finditer(row.text)][:cells]
    if len(spans) < cells or row.text.count('"') % 2:
        return [row] * cells
    return [Position(row.path, row.line, start + 1, max(1, end - start), row.text) for start, end in spans]


def _twice(header: Cells) -> Iterator[Diagnostic]:
    seen: set[object] = set()
    for cell in header:
        if cell.value and cell.value in seen:
            yield Diagnostic(f"column `{cell.value}` is there twice", cell.position)
        seen.add(cell.value)


def _overlong(row: Cells, header: Cells) -> Iterator[Diagnostic]:
    if len(row) > len(header):
        yield Diagnostic(f"a row of {len(row)} cells under {len(header)} headings", row[len(header)].position)
