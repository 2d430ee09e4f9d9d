"""JSON Schemas of the files that people write, for editors: what each key means, which kinds there are, which units."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import BaseModel

from archsim.config.registry import Family
from archsim.config.shipped import shipped
from archsim.model.component import Connector
from archsim.model.hardware import Header
from archsim.model.workload import Workload
from archsim.study.checking import COMPONENTS, MAPPERS, WORKLOADS
from archsim.study.files import MODEL_FOLDER, shipped_stacks
from archsim.study.schema_parts import Parts, Schema, parts
from archsim.study.shelves import library_entries

Specs = Mapping[str, type[BaseModel]]

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_EXTENDS: Schema = {
    "description": "file that this one is laid upon, or several; `~` deletes a key of it",
    "anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}, "minItems": 1}],
}
_ABSENT: Schema = {"type": "null", "description": "deletes what the extended file has here"}


def hardware() -> str:
    """The schema of hardware files as JSON text; what an extended file or the library can supply is not required."""
    kinds, mappers = _specs(COMPONENTS), _specs(MAPPERS)
    joining = {kind: spec for kind, spec in kinds.items() if issubclass(spec, Connector)}
    standing = {kind: spec for kind, spec in kinds.items() if kind not in joining}
    found = parts((Header, *kinds.values(), *mappers.values()))
    head = dict(found.definitions[found.names[Header]]["properties"])
    head |= {
        "extends": _EXTENDS,
        "components": _named("component", "memories, tiles and switches by name"),
        "links": _named("link", "links by name"),
        "mapper": {"$ref": "#/$defs/mapper"},
        "stack": head["stack"] | {"anyOf": _offered(shipped_stacks())},
    }
    complete = {
        "required": found.needs(Header)["required"],
        "properties": {
            "components": {"additionalProperties": {"$ref": "#/$defs/complete-component"}},
            "links": {"additionalProperties": {"$ref": "#/$defs/complete-link"}},
            "mapper": {"$ref": "#/$defs/complete-mapper"},
        },
    }
    definitions = {
        **_without(found, Header, kinds),
        "component": _choice(standing, found, "what a piece of hardware is"),
        "complete-component": {"required": ["kind"], **_complete(standing, found)},
        "link": _choice(joining, found, "what a link is", absent="link"),
        "complete-link": _complete(joining, found, absent="link"),
        "mapper": _choice(mappers, found, "where work and tensors go"),
        "complete-mapper": {"required": ["kind"], **_complete(mappers, found)},
    }
    return _text("archsim hardware", _object(head, complete), definitions)


def workload() -> str:
    """The schema of workload files as JSON text; keys beyond those that all workloads share depend on the family."""
    families = _specs(WORKLOADS)
    found = parts((Workload, *families.values()))
    shared = found.definitions[found.names[Workload]]["properties"]
    definitions = _without(found, Workload, {})
    for spec in families.values():
        definition = definitions[found.names[spec]]
        definitions[found.names[spec]] = definition | {"properties": _family(definition["properties"])}
    family = {"enum": sorted(families), "description": "what makes the operators of a pass"}
    head = shared | {"extends": _EXTENDS, "family": family}
    complete = {"required": found.needs(Workload)["required"], **_complete(families, found, by="family")}
    root = {"type": "object", "properties": head, "if": _has("extends"), "else": complete}
    return _text("archsim workload", root | _branches(families, found, "family"), definitions)


def _specs(family: Family) -> Specs:
    return {kind: module.SPEC for kind, module in sorted(family.members().items())}


def _family(properties: Schema) -> Schema:
    models = [f"models/{path.name}" for path in shipped(MODEL_FOLDER).values()]
    model = {"model": properties["model"] | {"examples": models}} if "model" in properties else {}
    return properties | model | {"extends": _EXTENDS}


def _named(what: str, description: str) -> Schema:
    either = {"anyOf": [{"$ref": f"#/$defs/{what}"}, _ABSENT]}
    return {"type": "object", "description": description, "additionalProperties": either}


def _choice(specs: Specs, found: Parts, description: str, absent: str = "") -> Schema:
    """A mapping whose `kind` says which keys it may have; without one (the extended file has it) those of any kind."""
    kinds = {"kind": {"enum": sorted(specs), "description": description}}
    return {"type": "object", "properties": kinds, **_branches(specs, found, "kind", absent)}


def _branches(specs: Specs, found: Parts, by: str, absent: str = "") -> Schema:
    branches = [{"if": _is(by, kind, absent), "then": found.shape(spec)} for kind, spec in specs.items()]
    anything = {"if": {"not": _has(by)}, "then": {"anyOf": [found.shape(spec) for spec in specs.values()]}}
    return {"allOf": branches if absent else [*branches, anything]}


def _complete(specs: Specs, found: Parts, absent: str = "", by: str = "kind") -> Schema:
    """What must be there where no file is extended: all that the library, where it is named, does not give."""
    given: dict[str, Schema] = {kind: {} for kind in specs}
    given |= {kind: {"not": _has("library")} for kind, spec in specs.items() if "library" in spec.model_fields}
    branches = [
        {"if": {**_is(by, kind, absent), **given[kind]}, "then": found.needs(spec, without=by)}
        for kind, spec in specs.items()
    ]
    return {"type": "object", "allOf": branches}


def _is(key: str, kind: str, absent: str) -> Schema:
    same = {"properties": {key: {"const": kind}}}
    return same if kind == absent else {**same, **_has(key)}


def _has(key: str) -> Schema:
    return {"required": [key]}


def _offered(names: Iterable[str]) -> list[Schema]:
    return [{"enum": sorted(names)}, {"type": "string"}]


def _object(properties: Schema, complete: Schema) -> Schema:
    shape = {"type": "object", "properties": properties, "additionalProperties": False}
    return shape | {"if": _has("extends"), "else": complete}


def _without(found: Parts, head: type[BaseModel], kinds: Specs) -> Schema:
    """The definitions but for the head, which is the root; components are offered the library entries of their kind."""
    definitions = {name: item for name, item in found.definitions.items() if name != found.names[head]}
    for kind, spec in kinds.items():
        definition = definitions[found.names[spec]]
        library = definition["properties"]["library"]
        offered = {"description": library["description"], "anyOf": _offered(_entries(kind))}
        definitions[found.names[spec]] = definition | {"properties": definition["properties"] | {"library": offered}}
    return definitions


def _entries(kind: str) -> Iterable[str]:
    return (name for name, entry in library_entries().items() if entry.kind == kind)


def _text(title: str, root: Schema, definitions: Schema) -> str:
    used = _reachable(root, definitions)
    kept = {name: item for name, item in sorted(definitions.items()) if name in used}
    schema = {"$schema": _DIALECT, "title": title, **root, "$defs": kept}
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def _reachable(root: Any, definitions: Schema) -> set[str]:
    """Names of the definitions that a schema refers to, directly or not."""
    used: set[str] = set()
    waiting = [root]
    while waiting:
        schema = waiting.pop()
        below = schema.values() if isinstance(schema, dict) else schema if isinstance(schema, list) else ()
        waiting += below
        name = str(schema.get("$ref", "")).rpartition("/")[2] if isinstance(schema, dict) else ""
        if name in definitions and name not in used:
            used.add(name)
            waiting.append(definitions[name])
    return used
