"""Findings about how the links of a hardware file join its components."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from archsim.config.diagnostics import Diagnostic, did_you_mean
from archsim.config.document import Document, node_at, position_at
from archsim.config.tree import MappingNode
from archsim.model.component import Component, Connector
from archsim.model.graph import DEVICE

MAX_JOINED = 1 << 16
"""Instances that one topology may join: each is a node of the graph."""


def names(document: Document, section: str) -> list[str]:
    """What stands in a section, whether its values are sound or not."""
    node = node_at(document, (section,))
    return list(node.entries) if isinstance(node, MappingNode) else []


def misjoined(document: Document, components: Mapping[str, Component]) -> Iterator[Diagnostic]:
    """Links to what is not there, links that no route could use, and names that could not be told apart."""
    known = [*names(document, "components")]
    if DEVICE in known:
        where = position_at(document, ("components", DEVICE), key=True)
        yield Diagnostic(f"no component can be called `{DEVICE}`: it stands for the whole machine", where)
    for name in sorted(set(known) & set(names(document, "links"))):
        where = position_at(document, ("links", name), key=True)
        yield Diagnostic(f"`{name}` names both a component and a link", where)
    joined: dict[frozenset[str], str] = {}
    for name, link in components.items():
        if not isinstance(link, Connector):
            continue
        yield from _unknown_ends(document, name, link, known)
        yield from _badly_joined(document, name, link, components)
        ends = frozenset(link.between)
        if ends in joined:
            where = position_at(document, ("links", name, "between"))
            yield Diagnostic(
                f"`{name}` joins what `{joined[ends]}` joins already: a route would take one of them",
                where,
                "one link with the bandwidth of both, or with `count`",
            )
        joined.setdefault(ends, name)


def unsourced(document: Document) -> Iterator[Diagnostic]:
    """Sources of values that there are not; those of a base, or beside a `--set`, may be of what is deleted."""
    for path in () if document.edited else names(document, "sources"):
        if (
            position_at(document, ("sources", path)).path == document.name
            and node_at(document, tuple(path.split("."))) is None
        ):
            where = position_at(document, ("sources", path), key=True)
            section, name = (*path.split("."), "")[:2]
            near = did_you_mean(name, names(document, section))
            yield Diagnostic(f"`{path}` is the path of no value in this file", where, near)


def unclocked(document: Document, clocked: Collection[str]) -> Iterator[Diagnostic]:
    """Parts that a power cap slows down and that there are not."""
    known = [*names(document, "components"), *names(document, "links")]
    for index, name in enumerate(clocked):
        if name not in known:
            where = position_at(document, ("power_cap", "clocked", index))
            message = f"the power cap slows `{name}`, which is no component or link"
            yield Diagnostic(message, where, did_you_mean(name, known))


def _unknown_ends(document: Document, name: str, link: Connector, known: Collection[str]) -> Iterator[Diagnostic]:
    for index, end in enumerate(link.between):
        if end != DEVICE and end not in known:
            where = position_at(document, ("links", name, "between", index))
            yield Diagnostic(f"`{name}` joins `{end}`, which is no component", where, did_you_mean(end, known))


def _badly_joined(
    document: Document, name: str, link: Connector, components: Mapping[str, Component]
) -> Iterator[Diagnostic]:
    """A link from a group to itself has a topology, and no other link has one; the topology suits the group."""
    one, other = link.between
    between = position_at(document, ("links", name, "between"))
    if one != other and DEVICE in link.between:
        yield Diagnostic(f"`{name}` joins `{DEVICE}`, the whole machine, to a part of it", between)
    elif one != other and link.topology:
        where = position_at(document, ("links", name, "topology"))
        yield Diagnostic(f"a topology joins the instances of one group, and `{one}` and `{other}` are two", where)
    elif one == other and not link.topology:
        yield Diagnostic(f"`{name}` joins `{one}` to itself: say by which topology", between)
    elif one == other and one in components:
        yield from _misshapen(document, name, link, components[one].count)


def _misshapen(document: Document, name: str, link: Connector, count: int) -> Iterator[Diagnostic]:
    group, where = link.between[0], position_at(document, ("links", name, "topology"))
    if not 1 < count <= MAX_JOINED:
        yield Diagnostic(f"a topology joins 2 to {MAX_JOINED:,} instances, and `{group}` has {count:,}", where)
    elif link.topology in ("mesh", "torus"):
        side = round(count**0.5)
        shape = link.shape or (side, side)
        if len(shape) != 2 or shape[0] * shape[1] != count:  # noqa: PLR2004 - rows and columns
            written = f"shape {list(shape)} is" if link.shape else "without a `shape` it is square,"
            message = f"{written} not a {link.topology} of the {count} instances of `{group}`"
            at = ("links", name, "shape") if link.shape else ("links", name, "topology")
            yield Diagnostic(message, position_at(document, at), f"shape: [rows, columns], whose product is {count}")
