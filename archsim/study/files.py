"""Files that belong together, as one document: a workload with its model, a machine and its stack."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from archsim.config.checked import Checked
from archsim.config.diagnostics import Diagnostic, InputError, fail
from archsim.config.document import Document, load, node_at, position_at
from archsim.config.graft import planted
from archsim.config.settings import apply_sets
from archsim.config.shipped import find, is_file, library_path, shipped
from archsim.config.source import digest, read_source
from archsim.config.table import parse_table
from archsim.config.tree import MappingNode, Node, ScalarNode
from archsim.config.validation import build, unknown_choice

HARDWARE_FOLDER = "hw_configs"
WORKLOAD_FOLDER = "workloads"
MODEL_FOLDER = "workloads/models"
SUITE_FOLDER = "validation"

Sort = Literal["workload", "hardware"]

FOLDERS = (WORKLOAD_FOLDER, HARDWARE_FOLDER)
"""Where shipped files are that a file may extend; of which sort it is, its content says."""

_SORTS: dict[str, Sort] = {WORKLOAD_FOLDER: "workload", HARDWARE_FOLDER: "hardware"}

RESOLVED = "archsim.resolved/1"

PLACES: dict[Sort, str] = {
    "workload": "a workload is the first argument of `run`, and follows `--workload` of `compare`",
    "hardware": "a machine is the second argument of `run`, and follows `--hardware` of `compare`",
}
"""Where a file of each sort goes."""


def load_pair(workload: str, hardware: str, sets: Sequence[str] = ()) -> tuple[Document, Document]:
    """A workload and a machine by path or shipped name, with every `--set` applied; raise `InputError`."""
    documents: dict[str, Document] = {}
    findings: list[Diagnostic] = []
    for kind, name, folder in (("workload", workload, WORKLOAD_FOLDER), ("hardware", hardware, HARDWARE_FOLDER)):
        try:
            documents[kind] = sought_document(name, folder)
        except InputError as error:
            findings += error.diagnostics
    if findings:
        raise InputError(findings)
    if any(text.startswith("workload.model.") for text in sets):
        documents["workload"] = with_model(documents["workload"])
    changed = apply_sets(documents, sets)
    return changed["workload"], changed["hardware"]


class ResolvedFile(Checked):
    """Both files of a run in one; `edited` are keys of the machine that differed from the file of its name."""

    schema_name: Literal["archsim.resolved/1"] = Field(alias="schema")
    edited: tuple[str, ...] = ()
    workload: Mapping[str, Any]
    hardware: Mapping[str, Any]


def sought_document(argument: str, folder: str) -> Document:
    """The file that an argument means, with what it extends; of a `resolved.yaml` the part; raise `InputError`."""
    document = load(sought(argument, folder), *FOLDERS)
    return part(document, _SORTS[folder]) if is_resolved(document) else document


def is_resolved(document: Document) -> bool:
    """Whether the document holds both files of a run."""
    node = node_at(document, ("schema",))
    return isinstance(node, ScalarNode) and node.value == RESOLVED


def holds_both(argument: str) -> bool:
    """Whether an argument is a file with both files of a run; raise `InputError` where it can't be read."""
    path = Path(argument)
    return is_file(path) and is_resolved(load(path, *FOLDERS))


def part(document: Document, name: Sort) -> Document:
    """One of the two files of a run; raise `InputError` where they are not whole."""
    whole, node = build(ResolvedFile, document), node_at(document, (name,))
    return document if node is None else replace(document, root=node, edited=frozenset(whole.edited))


def sought(argument: str, folder: str) -> Path:
    """The file that an argument means; raise `InputError`, which says so where arguments are swapped."""
    other = next(name for name in _SORTS if name != folder)
    asked, given = _SORTS[folder], _SORTS[other]
    if argument in shipped(other) and argument not in shipped(folder) and not is_file(Path(argument)):
        fail(f"`{argument}` names a shipped {given} file, and a {asked} file is asked for", help=PLACES[given])
    return find(argument, folder)


def with_model(document: Document) -> Document:
    """The workload with its model, its table of operators and its routing trace in place of the names of the files."""
    for at, read in ((("model",), _model), (("operators",), _table), (("routing", "file"), _table)):
        node = node_at(document, at)
        if isinstance(node, ScalarNode) and isinstance(node.value, str):
            found, sources = read(node.value, node, document)
            document = planted(document, at, found, sources)
    return document


def _model(name: str, node: ScalarNode, document: Document) -> tuple[Node, tuple[tuple[str, str], ...]]:
    path = _beside(name, document)
    stem = Path(name).stem if name.startswith("models/") else name
    path = path if is_file(path) else shipped(MODEL_FOLDER).get(stem, path)
    if not is_file(path):
        known = shipped(MODEL_FOLDER)
        fail(f"there is no model file `{name}`", node.position, unknown_choice("model", stem, known).help)
    loaded = load(path, MODEL_FOLDER)
    return loaded.root, loaded.sources


def _table(name: str, node: ScalarNode, document: Document) -> tuple[Node, tuple[tuple[str, str], ...]]:
    """A CSV: a mapping per row, empty cells left out."""
    path = _beside(name, document)
    if not is_file(path):
        fail(f"there is no table `{name}`", node.position)
    text = read_source(path)
    return parse_table(text, str(path)), ((str(path), digest(text)),)


def _beside(name: str, document: Document) -> Path:
    """A path is relative to the file that names it, or to the working folder where a `--set` does."""
    relative = Path(document.name).parent / name
    return relative if is_file(relative) else Path(name)


def shipped_stacks() -> dict[str, Path]:
    """Files of the shipped stacks by name."""
    return dict(sorted((path.stem, path) for path in (library_path() / "stacks").glob("*.yaml")))


def load_stack(name: str, document: Document) -> Document:
    """The stack that a machine names, or the one that stands in its file."""
    node = node_at(document, ("stack",))
    if isinstance(node, MappingNode):
        return replace(document, root=node)
    known = shipped_stacks()
    if name not in known:
        finding = unknown_choice("stack", name, known, position_at(document, ("stack",)))
        fail(finding.message, finding.position, finding.help)
    return load(known[name])
