"""Products at the memories as tasks: inputs out to the units, the product where the matrix lies, results back."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from archsim.mappers.access import Paths
from archsim.mappers.near_products import Layout, Product
from archsim.model.machine import Machine
from archsim.model.plan import PlanError
from archsim.model.request import Move, Requester, Work
from archsim.model.taskgraph import TICKS, Flow, Task
from archsim.model.trace import Operator, Phase


@dataclass(frozen=True)
class Units:
    """The units at the memory `paths.main`, and the tree that joins them to the buffer of activations.

    `root` is where the tree branches: it is joined to the units by one link group, a lane each for equally many of
    them. A layout is chosen once for each matrix, since a matrix stays where it is.
    """

    machine: Machine
    paths: Paths
    name: str
    root: str
    phase: int
    reuse: int
    split: int | None
    _layouts: dict[tuple[str, str, int], int] = field(default_factory=dict)

    @property
    def count(self) -> int:
        """Units of one device."""
        return self.machine.components[self.name].count

    @property
    def lanes(self) -> int:
        """Links from the root to the units."""
        (hop,) = self.machine.route(self.root, self.name)
        return self.machine.components[hop.group].count

    def computes(self, operator: Operator) -> bool:
        """Whether the units multiply in the data type of an operator."""
        return f"mac_{operator.mac_dtype}" in self.machine.actions[self.name]

    def tasks(self, operator: Operator, made_of: Sequence[Product], phase: Phase) -> list[list[Task]]:
        """The tasks of each of the products that an operator is made of, in order."""
        return [self._best(operator, product, index, phase) for index, product in enumerate(made_of)]

    def _best(self, operator: Operator, product: Product, index: int, phase: Phase) -> list[Task]:
        whole = Layout(product, self.count, self.lanes)
        key = (operator.name, phase, index)
        candidates = {layout.split: layout for layout in whole.candidates(self.split)}
        if self._layouts.get(key) not in candidates:
            made = {parts: self._made(layout, operator, phase) for parts, layout in candidates.items()}
            self._layouts[key] = min(made, key=lambda parts: alone(made[parts]))
        return self._made(candidates[self._layouts[key]], operator, phase)

    def _made(self, layout: Layout, operator: Operator, phase: Phase) -> list[Task]:
        bias = operator.vector_ops if layout.product.tensor == "weights" else 0
        flows = [(self._brought(layout),), (self._multiplied(layout, operator),), tuple(self._taken(layout, bias))]
        launches = (self.phase, 0, 0)
        return [Task(operator.name, phase, part, launch) for part, launch in zip(flows, launches, strict=True)]

    def _brought(self, layout: Layout) -> Flow:
        """Inputs from the buffer to the root, and a copy of what it needs to each lane."""
        buffer, lanes = self.paths.activations, self.lanes
        moves = [Move("inputs", self.root, self.name, layout.brought, busiest=layout.brought_by_busiest)]
        if self.root != buffer:
            moves.insert(0, Move("inputs", buffer, self.root, layout.product.inputs))
        return self.machine.flow(moves, [], Requester(lanes))

    def _multiplied(self, layout: Layout, operator: Operator) -> Flow:
        """The matrix through the units that stand at it; the fullest memory has the busiest unit's share."""
        product: Product = layout.product
        critical = _part(product.macs, layout)
        move = Move(product.tensor, self.paths.main, self.name, product.read, fullest=_part(product.read, layout))
        ways = max(-(-product.macs // critical), min(self.count, product.blocks * product.n)) if critical else 1
        work = Work(self.name, f"mac_{operator.mac_dtype}", product.macs, critical, min(self.count, ways))
        return self.machine.flow([move], [work], Requester(self.count))

    def _taken(self, layout: Layout, bias: int) -> Iterator[Flow]:
        """Results over the lanes to the buffer; partial sums are added in the tree, or by the tiles."""
        buffer, tile, product = self.paths.activations, self.paths.tile, layout.product
        in_tree = "add" in self.machine.actions[self.name]
        arriving = product.outputs if in_tree else layout.partials
        moves = [Move("outputs", self.name, self.root, layout.partials, busiest=layout.taken_by_busiest)]
        if self.root != buffer:
            moves.append(Move("outputs", self.root, buffer, arriving))
        added = layout.additions if in_tree else 0
        ways = min(self.count, max(1, added))
        work = [Work(self.name, "add", added, -(-added // ways), ways)] if added else []
        yield self.machine.flow(moves, work, Requester(self.lanes))
        left = bias + layout.additions - added
        if left:
            tiles = self.machine.components[tile].count
            passing = [Move("outputs", buffer, tile, arriving), Move("outputs", tile, buffer, product.outputs)]
            yield self.machine.flow(passing, [Work(tile, "vector", left, -(-left // tiles), tiles)], Requester(tiles))


def _part(count: int, layout: Layout) -> int:
    """What the busiest unit has of a count."""
    share = layout.share
    return min(count, -(-count * share.numerator // share.denominator))


def alone(tasks: Iterable[Task]) -> int:
    """Picoseconds of tasks one after the other with nothing beside them: the closed form of their simulation."""
    return sum(
        task.launch + max((flow.fill + -(-flow.own // TICKS) + flow.drain for flow in task.flows), default=0)
        for task in tasks
    )


def find_units(machine: Machine, paths: Paths, phase: int, reuse: int, split: int | None) -> Units:
    """The units of a machine, and the root of their tree.

    Raises:
        PlanError: where there are none, or more than one group, or no tree of links joins them to the buffer.
    """
    found = [name for name in machine.wiring.graph if _multiplies(machine, name)]
    if len(found) != 1:
        many = f"one group of units computes at `{paths.main}`, not {len(found)}: {', '.join(found) or 'none'}"
        raise PlanError(many, ("hardware", "components"), "a component of kind `mac_unit` beside the memory")
    name, where = found[0], ("hardware", "links")
    for source in (paths.main, paths.activations):
        if not machine.connected(source, name):
            raise PlanError(f"no route from `{source}` to `{name}`", where, f"add a link between [{source}, {name}]")
    root = machine.wiring.path(paths.activations, name)[-2]
    units, lanes = machine.components[name].count, machine.components[machine.route(root, name)[0].group].count
    if units % lanes:
        message = f"{lanes} links lead from `{root}` to {units} `{name}`: not equally many to each"
        raise PlanError(message, where, "a `count` of links that divides the units")
    return Units(machine, paths, name, root, phase, reuse, split)


def _multiplies(machine: Machine, name: str) -> bool:
    component = machine.components.get(name)
    return component is not None and not component.pooled and any(a.startswith("mac_") for a in component.actions())
