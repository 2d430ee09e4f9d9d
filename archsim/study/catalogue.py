"""What there is to name: shipped files, and kinds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from archsim.config.document import data, load, node_at
from archsim.config.registry import Family
from archsim.config.shipped import shipped
from archsim.study.checking import COMPONENTS, MAPPERS
from archsim.study.files import HARDWARE_FOLDER, SUITE_FOLDER, WORKLOAD_FOLDER, shipped_stacks

_FOLDERS = {"hardware": HARDWARE_FOLDER, "workloads": WORKLOAD_FOLDER}
_TEXTS = {"stacks": "source", "suites": "title"}
"""What is told of files of a sort: of a stack, what its numbers were fitted on."""

_FAMILIES = {"components": COMPONENTS, "mappers": MAPPERS}


def entries(what: str) -> Iterable[tuple[str, str]]:
    """Names with a line about each."""
    if what in _TEXTS:
        return _texts(shipped_stacks() if what == "stacks" else shipped(SUITE_FOLDER), _TEXTS[what])
    return _files(_FOLDERS[what]) if what in _FOLDERS else _kinds(_FAMILIES[what])


def _files(folder: str) -> Iterable[tuple[str, str]]:
    for name, path in sorted(shipped(folder).items()):
        document = load(path, folder)
        title, group = (
            node_at(document, (key,)) for key in ("name", "class" if folder == HARDWARE_FOLDER else "family")
        )
        yield name, f"{data(group) if group else '':<12} {data(title) if title else ''}"


def _texts(files: Mapping[str, Path], key: str) -> Iterable[tuple[str, str]]:
    """Files with what they say at a key."""
    for name, path in sorted(files.items()):
        told = node_at(load(path), (key,))
        yield name, str(data(told)) if told else ""


def _kinds(family: Family) -> Iterable[tuple[str, str]]:
    for kind, module in sorted(family.members().items()):
        yield kind, (module.__doc__ or "").partition("\n")[0]
