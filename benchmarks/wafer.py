"""One token on a mesh of tiles, every tile and every link by itself: layers on regions, vectors hop by hop.

A layer stands on a square region. For each of its products the input goes down the columns of the region, every tile
multiplies its part of the matrix, and partial sums come together along the rows; then the vector moves on to the next
region by dimension-ordered routes, whose links it shares with what else is on the way.
"""

from collections.abc import Iterator

from archsim.model.taskgraph import PS_PER_SECOND, TICKS, Flow, Leg, Port, Segment, Task, TaskGraph

Tile = tuple[int, int]

LINK = 100 * 10**9
"""Bytes per second of a link of the mesh, each way."""

TILE = 200 * 10**9
"""MACs per second of a tile."""

HOP = 1_000
"""Picoseconds from router to router."""


def token(side: int, region: int, products: int = 4, width: int = 8192) -> TaskGraph:
    """One token through as many layers as regions of `region` x `region` tiles fit on `side` x `side`."""
    across = side // region
    tasks: list[Task] = []
    for layer in range(across * across):
        row, column = divmod(layer, across)
        column = column if row % 2 == 0 else across - 1 - column
        corner = row * region, column * region
        for product in range(products):
            tasks += _product(f"layer {layer} product {product}", corner, region, width)
        following = divmod(layer + 1, across)
        target = following[0] * region, (following[1] if following[0] % 2 == 0 else across - 1 - following[1]) * region
        if layer + 1 < across * across:
            tasks += _crossing(corner, target, region, width)
    return TaskGraph((Segment(tuple(tasks), 1, "token"),))


def _product(name: str, corner: Tile, region: int, width: int) -> Iterator[Task]:
    """Inputs down the columns, a part of the matrix on each tile, sums along the rows."""
    row, column = corner
    part = width // region
    for x in range(column, column + region):
        way = [((y, x), (y + 1, x)) for y in range(row, row + region - 1)]
        yield _move(f"{name} in", way, part, (_vector(x),), (f"column {x}",))
    macs = part * part
    spent = macs * PS_PER_SECOND * TICKS // TILE
    for y in range(row, row + region):
        for x in range(column, column + region):
            flow = Flow((Leg("tile", "mac", "", macs, macs, 1),), spent, ((Port(f"tile[{y},{x}]", "mac"), spent),))
            yield Task(f"{name} mac", "decode", (flow,), 0, (f"column {x}",), (f"part {y},{x}",))
    for y in range(row, row + region):
        way = [((y, x), (y, x + 1)) for x in range(column, column + region - 1)]
        parts = tuple(f"part {y},{x}" for x in range(column, column + region))
        yield _move(f"{name} sum", way, part * 4, parts, (f"sum {y}",))
    for y in range(row, row + region):  # what a row has summed feeds the column of the same rank
        x = column + y - row
        yield Task(f"{name} turn", "decode", (), HOP, (f"sum {y}",), (_vector(x),))


def _crossing(corner: Tile, target: Tile, region: int, width: int) -> Iterator[Task]:
    """Each column's part of the vector to the same column of the next region: along the row, then along the column."""
    for rank in range(region):
        here, there = (corner[0] + rank, corner[1] + rank), (target[0] + rank, target[1] + rank)
        along = range(here[1], there[1], 1 if there[1] > here[1] else -1)
        step = 1 if there[1] > here[1] else -1
        way = [((here[0], x), (here[0], x + step)) for x in along]
        way += [((y, there[1]), (y + 1, there[1])) for y in range(here[0], there[0])]
        yield _move("crossing", way, width // region, (_vector(here[1]),), (_vector(there[1]),))


def _move(name: str, way: list[tuple[Tile, Tile]], size: int, after: tuple[str, ...], makes: tuple[str, ...]) -> Task:
    spent = size * PS_PER_SECOND * TICKS // LINK
    ports = [Port(f"noc[{a[0]},{a[1]}-{b[0]},{b[1]}]", "move") for a, b in way]
    legs = (Leg("noc", "move", "activations", size * len(way), size, 1),) if way else ()
    own = spent if way else 0
    flow = Flow(legs, own, tuple((port, own) for port in ports), HOP * len(way), 0, size, 1)
    return Task(name, "decode", (flow,), 0, after, makes)


def _vector(column: int) -> str:
    return f"vector {column}"
