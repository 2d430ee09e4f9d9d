"""From documents to checked values; all findings of a file, or of a pair of files, come at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from types import ModuleType
from typing import Any, TypeVar

from archsim.config.diagnostics import Diagnostic, InputError, did_you_mean, fail, listed
from archsim.config.document import Document, KeyPath, load, node_at, position_at
from archsim.config.registry import Family
from archsim.config.shipped import find
from archsim.config.tree import MappingNode, ScalarNode
from archsim.config.validation import build, missing_key, unknown_choice
from archsim.model.component import Component
from archsim.model.hardware import Header
from archsim.model.stack import Stack
from archsim.model.workload import Workload
from archsim.study.entries import flaws, with_library
from archsim.study.files import FOLDERS, PLACES, RESOLVED, Sort, load_stack, part, with_model
from archsim.study.nodes import moved, unscalable
from archsim.study.shelves import LIBRARY
from archsim.study.wiring import misjoined, names, unclocked, unsourced

COMPONENTS = Family("archsim.components", "archsim.components")
WORKLOADS = Family("archsim.workloads", "archsim.workloads", "family")
MAPPERS = Family("archsim.mappers", "archsim.mappers")

HARDWARE, WORKLOAD = "archsim.hardware/1", "archsim.workload/1"

MAX_TOKENS = 10_000_000
"""Tokens of one sequence that a run may ask for, in and out: each output token is simulated."""

Found = TypeVar("Found")


@dataclass(frozen=True)
class Hardware:
    """A checked hardware file: header, components and links by name, mapper with its settings, and stack.

    `sources` are (path, SHA-256) of every file read for it.
    """

    document: Document
    header: Header
    components: Mapping[str, Component]
    mapper: ModuleType
    settings: Any
    stack: Stack
    sources: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Job:
    """A checked workload file and the family that makes its trace."""

    document: Document
    workload: Workload
    family: ModuleType


class Findings:
    """Gathers the findings of several checks."""

    def __init__(self) -> None:
        self.all: list[Diagnostic] = []

    def of(self, check: Callable[[], Found]) -> Found | None:
        """What a check returns, or None where it had findings."""
        try:
            return check()
        except InputError as error:
            self.all += error.diagnostics
            return None

    @staticmethod
    def settled(found: Found | None) -> Found:
        """What a check returned, once `stop` has let it pass."""
        if found is None:
            raise AssertionError("a check without findings returns its values")
        return found

    def stop(self) -> None:
        """Raise `InputError` with all findings, if there are any."""
        if self.all:
            raise InputError(dict.fromkeys(self.all))


def findings_of(name: str) -> tuple[Diagnostic, ...]:
    """What is wrong with a hardware or workload file, given by path or shipped name; its `schema` says which it is."""
    try:
        _check(load(find(name, *FOLDERS), *FOLDERS))
    except InputError as error:
        return error.diagnostics
    return ()


def _check(document: Document) -> None:
    node = node_at(document, ("schema",))
    if not isinstance(document.root, MappingNode):
        fail("must be a mapping (`key: value`)", document.root.position)
    schemas = {HARDWARE: check_hardware, WORKLOAD: check_workload, LIBRARY: check_library, RESOLVED: _check_both}
    if not isinstance(node, ScalarNode):
        way_out = f"a machine begins with `schema: {HARDWARE}`, a workload with `schema: {WORKLOAD}`"
        raise InputError([replace(missing_key(document, ("schema",)), help=way_out)])
    if node.value not in schemas:
        raise InputError([unknown_choice("schema", str(node.value), schemas, node.position)])
    schemas[str(node.value)](document)


def check_workload(document: Document) -> Job:
    """The values of a workload document; raise `InputError`."""
    _refuse_other(HARDWARE, document)
    document = with_model(document)
    family = WORKLOADS.get(*_choice(WORKLOADS, document, ("family",)))
    workload = build(family.SPEC, document)
    _refuse_endless(workload, document)
    return Job(document, workload, family)


def check_hardware(document: Document) -> Hardware:
    """The values of a hardware document; raise `InputError`."""
    _refuse_other(WORKLOAD, document)
    document = with_library(document)
    findings = Findings()
    header = findings.of(lambda: build(Header, document))
    components: dict[str, Component] = {}
    for section in ("components", "links"):
        for name in names(document, section):
            built = findings.of(partial(_component, document, (section, name)))
            if built is not None:
                components[name] = built
    mapper = findings.of(lambda: MAPPERS.get(*_choice(MAPPERS, document, ("mapper", "kind"))))
    settings = findings.of(lambda: build(mapper.SPEC, document, ("mapper",))) if mapper else None
    software = findings.of(lambda: load_stack(header.stack, document)) if header else None
    stack = findings.of(lambda: build(Stack, software)) if software else None
    findings.all += [*misjoined(document, components), *unsourced(document), *unscalable(document, components)]
    findings.all += unclocked(document, header.power_cap.clocked if header and header.power_cap else ())
    findings.stop()
    settled = findings.settled
    sources = (*document.sources, *settled(software).sources)
    components = dict(moved(components, settled(header).scale_to))
    return Hardware(document, settled(header), components, settled(mapper), settings, settled(stack), sources)


def check_library(document: Document) -> None:
    """Raise `InputError` with every finding about the entries of a library file."""
    findings = flaws(document, lambda kind, position: _model(COMPONENTS.get(kind, position)))
    if findings:
        raise InputError(findings)


_MARKS: dict[Sort, str] = {"hardware": "components", "workload": "family"}
"""What a file of the sort has and one of the other sort has not."""


def _refuse_other(schema: str, document: Document) -> None:
    """Say that a file is of the other sort once, instead of all that it then lacks."""
    given: Sort = "hardware" if schema == HARDWARE else "workload"
    asked: Sort = "workload" if schema == HARDWARE else "hardware"
    node, mark = node_at(document, ("schema",)), _MARKS[given]
    if node is None and node_at(document, (mark,)) is not None and node_at(document, (_MARKS[asked],)) is None:
        fail(f"this is a {given} file: it has `{mark}`", position_at(document, (mark,), key=True), PLACES[given])
    if isinstance(node, ScalarNode) and node.value == schema:
        fail(f"this is a {given} file, and a {asked} file is asked for", node.position, PLACES[given])


def _refuse_endless(workload: Workload, document: Document) -> None:
    for field in ("prompt_tokens", "output_tokens"):
        if getattr(workload, field) > MAX_TOKENS:
            fail(f"more than {MAX_TOKENS:,} tokens are not simulated in one run", position_at(document, (field,)))


def _choice(family: Family, document: Document, at: KeyPath) -> tuple[str, Any]:
    """The kind of a family that a document names, and where; raise `InputError` where it names none."""
    node, above = node_at(document, at), node_at(document, at[:-1])
    if isinstance(node, ScalarNode):
        return str(node.value), node.position
    if above is not None and not isinstance(above, MappingNode):
        fail("must be a mapping (`key: value`)", above.position)
    finding = missing_key(document, at)
    near = did_you_mean(str(at[-1]), above.entries if above else ())
    raise InputError([replace(finding, help=finding.help or near or f"known: {listed(family.kinds())}")])


def _component(document: Document, at: tuple[str, str]) -> Component:
    if (absent := _absent(document, at)) is not None:
        raise InputError([absent])
    if node_at(document, (*at, "kind")) is None and at[0] == "links":
        return build(_model(COMPONENTS.get("link")), document, at)
    return build(_model(COMPONENTS.get(*_choice(COMPONENTS, document, (*at, "kind")))), document, at)


def _check_both(document: Document) -> None:
    findings = Findings()
    findings.of(lambda: check_workload(part(document, "workload")))
    findings.of(lambda: check_hardware(part(document, "hardware")))
    findings.stop()


_NEEDED = {"components": "kind", "links": "between"}
"""What a new component or link has at least."""


def _absent(document: Document, at: tuple[str, str]) -> Diagnostic | None:
    """The finding that settings are for a component or link that the machine does not have."""
    section, name = at
    items = node_at(document, (section,))
    if not isinstance(items, MappingNode) or not items.entries[name].added:
        return None
    needed = _NEEDED[section]
    if node_at(document, (*at, needed)) is not None:
        return None
    known = [key for key, entry in items.entries.items() if not entry.added]
    message = f"there is no {section.removesuffix('s')} `{name}` in this machine"
    way_out = f"{did_you_mean(name, known)} {section}: {listed(known)}; a new one needs a `{needed}`".strip()
    return Diagnostic(message, items.entries[name].position, way_out)


def _model(module: ModuleType) -> type[Component]:
    spec: type[Component] = module.SPEC
    return spec
