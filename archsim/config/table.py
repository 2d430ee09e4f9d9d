"""CSV tables as trees, in which each cell knows where it was written."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence

from archsim.config.diagnostics import Diagnostic, InputError, Position, UnplacedError, fail
from archsim.config.source import split_lines
from archsim.config.tree import Entry, MappingNode, ScalarNode, SequenceNode, scalar


def parse_table(text: str, name: str) -> SequenceNode:
    """A mapping for each row below the header, empty cells left out; raise `InputError` with every finding.

    Cells are read as plain YAML scalars. Quotes and line breaks within a cell move no position of another row.
    """
    lines = split_lines(text.removeprefix("\N{BYTE ORDER MARK}"))
    table = _rows(lines, name)
    header, rows = table[:1], table[1:]
    findings: list[Diagnostic] = []
    names = [entry.value for entry in header[0][1]] if header else []
    for position, cells in header:
        findings += _twice(cells) + ([] if cells else [Diagnostic("the table has no header", position)])
    items = []
    for position, cells in rows:
        entries = {}
        for index, cell in enumerate(cells):
            if index >= len(names):
                findings.append(Diagnostic(f"a row has {len(cells)} cells under {len(names)} headings", cell.position))
                break
            try:
                entries |= _entry(str(names[index]), cell)
            except UnplacedError as error:
                findings.append(Diagnostic(str(error), cell.position, error.help))
        items.append(MappingNode(position, entries))
    if findings:
        raise InputError(findings)
    return SequenceNode(Position(name, 1, 1, 1, lines[0]), tuple(items))
