"""Routes over regular topologies against closed forms, and hop counts against AccelForge's mesh model."""

from itertools import combinations, pairwise

import pytest

from archsim.components.link import Link
from archsim.components.sram import Sram
from archsim.components.switch import Switch
from archsim.components.tile import Tile
from archsim.model.component import Component
from archsim.model.graph import NoRouteError, topology
from archsim.model.machine import Machine, assemble
from archsim.model.request import Move, Requester

FREE = {"read": "0 pJ/B", "write": "0 pJ/B"}
VALUES = 8 * 8  # an 8 x 8 matrix of int8


def tiles(count: int) -> Tile:
    return Tile.model_validate(
        {
            "kind": "tile",
            "count": count,
            "macs": {"int8": "unlimited"},
            "vector": "unlimited",
            "window": "32 KiB",
            "grain": "16 KiB",
            "static": "0 W",
            "energy": {"mac": {"int8": "0 pJ/MAC"}, "vector": "0 pJ/op"},
        }
    )


def sram(count: int = 1) -> Sram:
    return Sram.model_validate(
        {"kind": "sram", "count": count, "capacity": "1 MiB", "bandwidth": "1 TB/s", "static": "0 W", "energy": FREE}
    )


def link(a: str, b: str, **fields: object) -> Link:
    given = {"between": [a, b], "bandwidth": "1 GB/s", "latency": "1 ns", "energy": "8 pJ/B"}
    return Link.model_validate(given | fields)


def array(kind: str, count: int, shape: tuple[int, int] | None = None) -> Machine:
    components: dict[str, Component] = {
        "pe": tiles(count),
        "noc": link("pe", "pe", topology=kind, shape=shape),
    }
    return assemble("array", "device", 1, components)


def pe(index: int) -> str:
    return f"pe[{index}]"


def bit_hops(machine: Machine, *trees: tuple[str, tuple[str, ...], int]) -> int:
    """Bits x links over the multicast trees (source, targets, values of a byte)."""
    legs = [leg for source, ends, size in trees for leg in machine.carry("a", machine.multicast(source, ends), size)]
    return 8 * sum(leg.bill for leg in legs)


# AccelForge, tests/network hierarchical_1d: an 8 x 8 x 8 product on 4 PEs in a line, the source at PE 0.


def test_unicast_to_a_line_takes_0_1_2_and_3_hops() -> None:
    parts = [(pe(0), (pe(index),), VALUES // 4) for index in range(4)]
    assert bit_hops(array("line", 4), *parts) == 768


def test_multicast_on_a_line_takes_each_link_once() -> None:
    assert bit_hops(array("line", 4), (pe(0), tuple(map(pe, range(4))), VALUES)) == 1536


def test_a_reduction_takes_the_links_of_the_multicast_the_other_way() -> None:
    machine = array("line", 4)
    hops = machine.reduce(map(pe, range(4)), pe(0))
    assert 8 * sum(leg.bill for leg in machine.carry("z", hops, VALUES)) == 1536
    down = machine.multicast(pe(0), map(pe, range(4)))
    assert {(hop.node, hop.port) for hop in hops} == {(hop.node, "up") for hop in down}


def test_the_latency_of_a_tree_is_that_of_its_longest_branch() -> None:
    machine = array("line", 4)
    assert max(machine.latency(machine.route(pe(0), pe(end))) for end in range(4)) == 3_000


@pytest.mark.parametrize(("leaves", "links"), [(1, 1), (7, 7)])
def test_a_multicast_on_a_star_takes_a_link_for_each_leaf(leaves: int, links: int) -> None:
    machine = array("star", leaves + 1)
    assert len(machine.multicast(pe(0), map(pe, range(1, leaves + 1)))) == links


# Generators.


def steps_around(a: int, b: int, length: int) -> int:
    return min(abs(a - b), length - abs(a - b))


ROWS, COLUMNS = 3, 5
EDGES = {
    "line": ROWS * COLUMNS - 1,
    "ring": ROWS * COLUMNS,
    "star": ROWS * COLUMNS - 1,
    "switch": ROWS * COLUMNS - 1,
    "mesh": ROWS * (COLUMNS - 1) + COLUMNS * (ROWS - 1),
    "torus": 2 * ROWS * COLUMNS,
}


def distance(kind: str, a: int, b: int) -> int:
    (row, column), (to_row, to_column) = divmod(a, COLUMNS), divmod(b, COLUMNS)
    return {
        "line": abs(a - b),
        "ring": steps_around(a, b, ROWS * COLUMNS),
        "star": 1 if 0 in (a, b) else 2,
        "switch": 1 if 0 in (a, b) else 2,
        "mesh": abs(row - to_row) + abs(column - to_column),
        "torus": steps_around(row, to_row, ROWS) + steps_around(column, to_column, COLUMNS),
    }[kind]


@pytest.mark.parametrize("kind", EDGES)
def test_a_topology_has_its_number_of_edges(kind: str) -> None:
    edges = topology(kind, ROWS * COLUMNS, (ROWS, COLUMNS))
    assert len(edges) == len(set(edges)) == EDGES[kind]
    assert {index for edge in edges for index in edge} == set(range(ROWS * COLUMNS))


@pytest.mark.parametrize("kind", EDGES)
def test_routes_are_as_long_as_the_topology_says(kind: str) -> None:
    machine = array(kind, ROWS * COLUMNS, (ROWS, COLUMNS))
    for a, b in combinations(range(ROWS * COLUMNS), 2):
        assert len(machine.route(pe(a), pe(b))) == distance(kind, a, b)


@pytest.mark.parametrize("kind", EDGES)
def test_instances_of_links_are_the_edges_on_every_device(kind: str) -> None:
    components = array(kind, ROWS * COLUMNS, (ROWS, COLUMNS)).components
    assert assemble("two arrays", "device", 2, components).instances("noc") == 2 * EDGES[kind]


def test_a_mesh_without_a_shape_is_a_square() -> None:
    assert topology("mesh", 9, None) == topology("mesh", 9, (3, 3))


def test_the_way_back_takes_the_other_port_of_every_link() -> None:
    machine = array("mesh", 9)
    there, back = machine.route(pe(0), pe(2)), machine.route(pe(2), pe(0))
    assert [hop.node for hop in there] == [hop.node for hop in reversed(back)]
    assert all(a.port != b.port for a, b in zip(there, reversed(back), strict=True))


# What a route may pass.


def chain(*between: Component) -> Machine:
    """Memory `a`, the given components in a chain, memory `b`."""
    names = ["a", *(f"n{index}" for index in range(len(between))), "b"]
    parts: dict[str, Component] = dict(zip(names, (sram(), *between, sram()), strict=True))
    links = {f"{x}-{y}": link(x, y) for x, y in pairwise(names)}
    return assemble("chain", "device", 1, parts | links)


def switch() -> Switch:
    return Switch.model_validate(
        {"kind": "switch", "bandwidth": "2 GB/s", "latency": "5 ns", "static": "0 W", "energy": "1 pJ/B"}
    )


def test_a_route_passes_switches_and_pays_for_them() -> None:
    machine = chain(switch(), switch())
    hops = machine.route("a", "b")
    assert [hop.node for hop in hops] == ["a-n0", "n0", "n0-n1", "n1", "n1-b"]
    assert machine.latency(hops) == 3 * 1_000 + 2 * 5_000


def test_a_route_never_passes_a_third_memory() -> None:
    with pytest.raises(NoRouteError, match="`a` to `b`"):
        chain(sram()).route("a", "b")
    assert not chain(sram()).connected("a", "b")


def test_a_flow_bills_every_hop_of_its_route() -> None:
    machine = chain(switch())
    flow = machine.flow([Move("x", "a", "b", 1000)], [], Requester(1))
    billed = {(leg.component, leg.action): leg.bill for leg in flow.legs}
    passed = dict.fromkeys([("a-n0", "move"), ("n0", "move"), ("n0-b", "move")], 1000)
    assert billed == {("a", "read"): 1000, **passed, ("b", "write"): 1000}
    assert flow.fill == 7_000
