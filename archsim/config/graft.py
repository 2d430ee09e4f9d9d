"""Putting one file's tree into another's: a model into its workload, a library entry under a component."""

from __future__ import annotations

from dataclasses import replace

from archsim.config.document import Document, KeyPath, position_at
from archsim.config.tree import Entry, MappingNode, Node


def planted(document: Document, at: KeyPath, node: Node, sources: tuple[tuple[str, str], ...] = ()) -> Document:
    """The document with `node` as the value at `at`, and the files that it was read from among its sources."""
    root = _planted(document.root, at, node, document)
    return replace(document, root=root, sources=tuple(dict.fromkeys((*document.sources, *sources))))


def _planted(root: Node, at: KeyPath, node: Node, document: Document) -> Node:
    if not at:
        return node
    if not isinstance(root, MappingNode):
        raise TypeError(f"{position_at(document, at)} is no mapping")
    key = str(at[0])
    entry = root.entries[key]
    below = _planted(entry.node, at[1:], node, document)
    return MappingNode(root.position, {**root.entries, key: Entry(entry.position, below, entry.added)})
