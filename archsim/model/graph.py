"""The graph behind a machine: a node per component group, or per instance in a topology; an edge per link."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from archsim.model.component import Component, Connector

if TYPE_CHECKING:
    import networkx as nx

DEVICE = "device"
"""The end of a link that joins whole machines to each other."""


class NoRouteError(Exception):
    """Two components that should exchange data have no link or switch between them."""


class Hop(NamedTuple):
    """A link or switch on a route, the component group that it belongs to, and the port used (a link's direction)."""

    node: str
    group: str
    port: str


@dataclass(frozen=True)
class Wiring:
    """The networkx graph, the group of each node and edge that has one, and how many edges a topology has."""

    graph: nx.Graph[str]
    groups: Mapping[str, str]
    edges: Mapping[str, int]

    def group_of(self, node: str) -> str:
        """The component group that a node or an edge belongs to."""
        return self.groups.get(node, node)

    def route(self, source: str, target: str) -> tuple[Hop, ...]:
        """The shortest way through links, switches and the routers of a topology, never through a third memory.

        Raises:
            NoRouteError: where there is none.
        """
        nodes = self.graph.nodes
        allowed = [node for node in nodes if node in (source, target) or nodes[node]["passable"]]
        path = self.path(source, target, allowed)
        return tuple(hop for here, there in pairwise(path) for hop in self._hops(here, there, target))

    def path(self, source: str, target: str, allowed: Iterable[str] | None = None) -> list[str]:
        """Nodes from one to the other, through any node or only those allowed.

        Raises:
            NoRouteError: where there is none.
        """
        import networkx as nx  # slow to import, and checking a file needs no graph

        graph = self.graph if allowed is None else self.graph.subgraph(allowed)
        try:
            return list(nx.shortest_path(graph, source, target))
        except (nx.NetworkXNoPath, nx.NodeNotFound) as error:
            raise NoRouteError(f"no route from `{source}` to `{target}`") from error

    def _hops(self, here: str, there: str, target: str) -> Iterable[Hop]:
        edge = self.graph.edges[here, there]
        yield Hop(edge["node"], edge["group"], "down" if edge["down"] == (here, there) else "up")
        if there != target and self.graph.nodes[there]["switch"]:
            yield Hop(there, there, "through")


def wire(components: Mapping[str, Component]) -> Wiring:
    """The wiring of components by name.

    A link to a group whose instances a topology joins ends at the first of them.
    """
    import networkx as nx  # slow to import, and checking a file needs no graph

    graph: nx.Graph[str] = nx.Graph()
    connectors = {key: item for key, item in components.items() if isinstance(item, Connector)}
    exploded = {item.between[0] for item in connectors.values() if item.topology and DEVICE not in item.between}
    groups = {f"{group}[{i}]": group for group in exploded for i in range(components[group].count)}
    edges: dict[str, int] = {}
    for key, item in components.items():
        if key not in connectors and key not in exploded:
            switch = "move" in item.actions()
            graph.add_node(key, passable=switch, switch=switch)
    for node in groups:
        graph.add_node(node, passable=True, switch=False)
    for key, link in connectors.items():
        for pair, node in _joints(key, link, components):
            down = tuple(f"{end}[0]" if end in exploded else end for end in pair)
            graph.add_edge(*down, node=node, group=key, down=down)
            groups |= {node: key} if node != key else {}
            edges[key] = edges.get(key, 0) + 1
    return Wiring(graph, groups, edges)


def _joints(key: str, link: Connector, components: Mapping[str, Component]) -> Iterable[tuple[tuple[str, str], str]]:
    """The pairs of nodes that a link joins, each with the name of its edge."""
    if DEVICE in link.between:
        return
    if link.topology is None:
        yield link.between, key
        return
    group = link.between[0]
    for a, b in topology(link.topology, components[group].count, link.shape):
        yield (f"{group}[{a}]", f"{group}[{b}]"), f"{key}[{a}-{b}]"


def topology(kind: str, count: int, shape: tuple[int, ...] | None) -> list[tuple[int, int]]:
    """Pairs of instances that a topology joins; instances of a mesh or torus are numbered row by row."""
    import networkx as nx  # slow to import, and checking a file needs no graph

    if kind in ("line", "ring"):
        return sorted(
            (min(pair), max(pair)) for pair in (nx.path_graph(count) if kind == "line" else nx.cycle_graph(count)).edges
        )
    if kind in ("star", "switch"):
        return [(0, leaf) for leaf in range(1, count)]
    rows, columns = shape or (round(count**0.5), round(count**0.5))
    grid = nx.grid_2d_graph(rows, columns, periodic=kind == "torus")
    numbered = ((r * columns + c, s * columns + d) for (r, c), (s, d) in grid.edges)
    return sorted((min(pair), max(pair)) for pair in numbered)
