"""Two flows of one token: bytes over the machine's graph, and joules from what they were spent on to where."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from archsim.model.pricing import joules_of
from archsim.reports.comparison.carried import BEYOND, Carried
from archsim.reports.comparison.charts.figure import KIND_COLORS, TENSOR_COLORS, Chart, Data, frame, shown
from archsim.reports.comparison.outcome import Cell
from archsim.reports.comparison.words import NAMES
from archsim.reports.quantities import si

_SMALLEST = 1e-3
"""Of all: what is less is drawn as a hair, so that it can be seen."""

_ONE_LINE, _TWO_LINES = 18, 34
"""Pixels between nodes, by the lines of their names."""

_HEIGHT, _NODE = 200, 14
"""Pixels of a chart, and of each node."""


class Flow(NamedTuple):
    """A band between two nodes, of one class of tensors, with what a reader is told of it."""

    source: str
    target: str
    tensor: str
    width: float
    told: str


def bytes_chart(cell: Cell, key: str) -> Chart | None:
    """Bytes per token from component to component, each link a station; None where nothing is carried."""
    flows = tuple(flow for item in cell.carried for flow in _station(item))
    if not flows:
        return None
    spent = cell.document["energy"]["by_component"]
    labels = {name: f"{shown(name)}<br>{si(joules, 'J')}" for name, joules in spent.items()}
    told = "; ".join(dict.fromkeys(flow.told for flow in flows))
    trace = _sankey(flows, labels, _colors(cell), _TWO_LINES)
    return Chart(key, f"Bytes of one token over the machine: {told}.", (trace,), _layout(trace))


def _station(item: Carried) -> tuple[Flow, Flow]:
    """What a link carried, to it and from it."""
    tensor = NAMES.get(item.tensor, item.tensor)
    told = f"{item.link}: {si(item.bytes, 'B')} of {tensor}, {si(item.joules, 'J')}"
    return (
        Flow(item.source, item.link, item.tensor, item.bytes, told),
        Flow(item.link, item.target, item.tensor, item.bytes, told),
    )


def joules_chart(cell: Cell, key: str) -> Chart:
    """Joules per token from tensors to the components that spent them."""
    sums: dict[tuple[str, str], float] = {}
    for price in cell.prices:
        for tensor, count in price.counts.items():
            place = (tensor, price.component)
            sums[place] = sums.get(place, 0.0) + joules_of(count, price.value)
    flows = tuple(
        Flow(f"{tensor} ", component, tensor, spent, f"{NAMES.get(tensor, tensor)} in {component}: {si(spent, 'J')}")
        for (tensor, component), spent in sums.items()
        if spent
    )
    energy = cell.document["energy"]
    left = {f"{name} ": (NAMES.get(name, name), spent) for name, spent in energy["by_tensor"].items()}
    right = {name: (name, spent) for name, spent in energy["by_component"].items()}
    labels = {node: f"{shown(name)} · {si(spent, 'J')}" for node, (name, spent) in {**left, **right}.items()}
    told = "; ".join(flow.told for flow in flows)
    trace = _sankey(flows, labels, _colors(cell), _ONE_LINE)
    return Chart(key, f"Joules of one token, from what they were spent on to where: {told}.", (trace,), _layout(trace))


def _colors(cell: Cell) -> dict[str, str]:
    """Components have the colour of their kind."""
    return {price.component: KIND_COLORS[price.kind] for price in cell.prices if price.kind != "static"}


def _sankey(flows: Sequence[Flow], labels: Mapping[str, str], colors: Mapping[str, str], pad: int) -> Data:
    nodes = list(dict.fromkeys(end for flow in flows for end in (flow.source, flow.target)))
    least = _SMALLEST * max((flow.width for flow in flows), default=0.0)
    return {
        "type": "sankey",
        "arrangement": "snap",
        "node": {
            "label": ["" if node.startswith(BEYOND) else labels.get(node, shown(node)) for node in nodes],
            "customdata": [labels.get(node, shown(node)) for node in nodes],
            "color": [colors.get(node, TENSOR_COLORS.get(node.strip(), "--total")) for node in nodes],
            "pad": pad,
            "thickness": 10,
            "line": {"width": 0},
            "hovertemplate": "%{customdata}<extra></extra>",
        },
        "link": {
            "source": [nodes.index(flow.source) for flow in flows],
            "target": [nodes.index(flow.target) for flow in flows],
            "value": [max(flow.width, least) for flow in flows],
            "color": [f"{TENSOR_COLORS.get(flow.tensor, '--other')}-faint" for flow in flows],
            "customdata": [shown(flow.told) for flow in flows],
            "hovertemplate": "%{customdata}<extra></extra>",
        },
    }


def _layout(trace: Data) -> Data:
    """Taller for more nodes: each has its name beside it."""
    layout = frame(_HEIGHT + _NODE * len(trace["node"]["label"]))
    layout["margin"] = {"l": 4, "r": 4, "t": 16, "b": 20}
    return layout
