"""Square regions on a mesh of cores: how a layer is laid out on one, and what it costs to sum and to move on.

A matrix [k, n] stands on side x side cores as tiles; a vector is split along one axis and repeated along the other.
What each core has summed of its rows is added up along the lines by a tree of two levels, chains within groups and a
chain of their roots, and sent back to all: the pattern of WaferLLM (He et al., OSDI 2025, arXiv:2502.04563).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import isqrt

from archsim.mappers.layout import Spread
from archsim.mappers.phases import PhaseOfWork
from archsim.mappers.region import tagged
from archsim.model.machine import Machine
from archsim.model.request import Requester, Work
from archsim.model.taskgraph import Task

PARTIAL_BYTES = 4
"""Partial sums travel as one 32-bit message each."""

PASSES = 3
"""Times that a sum streams over a line: within groups, over their roots, and back to all."""


@dataclass(frozen=True)
class Regions:
    """Square regions of `side` x `side` cores, in rows that turn at the edge, so that neighbours follow each other."""

    side: int
    rows: int
    columns: int

    @property
    def count(self) -> int:
        """Regions on one mesh."""
        return (self.rows // self.side) * (self.columns // self.side)

    def hops(self, one: int, other: int) -> int:
        """Routers between a core of one region and its counterpart in another."""
        (a, b), (c, d) = self._position(one), self._position(other)
        return self.side * (abs(a - c) + abs(b - d))

    def _position(self, index: int) -> tuple[int, int]:
        across = self.columns // self.side
        row, column = divmod(index % self.count, across)
        return row, column if row % 2 == 0 else across - 1 - column


@dataclass(frozen=True)
class MeshLayout:
    """A stage on a region: `machine` has the cores of one, `fabric` is its mesh, `link` joins meshes (or is empty).

    `instruction` is the start of a vector instruction, `sync` the software around a reduction, in picoseconds.
    """

    machine: Machine
    regions: Regions
    fabric: str
    tile: str
    link: str
    instruction: int
    sync: int

    def spread(self, phase: PhaseOfWork) -> Spread:
        """Tiles of a matrix on the cores, or a vector along each line."""
        side, product = self.regions.side, phase.product
        ways = side * side
        if product is None:
            return Spread(
                self.machine, ways, -(-phase.operator.macs // ways), side if phase.operator.vector_ops else 1, 0, 1
            )
        deep, wide = -(-product.k // side), -(-product.n // side)
        whole = product.rows * product.k * product.n
        padded = -(-product.rows * deep * wide * phase.operator.macs // whole)
        outputs = max(1, sum(1 for tensor in phase.operator.writes if tensor.elements > product.rows))
        return Spread(self.machine, ways, padded, side, product.rows * deep * outputs * self.instruction, deep)

    def reductions(self, phase: PhaseOfWork, name: str) -> Iterator[Task]:
        """A sum over the lines for a product, or for a row that is looked up; one value per row for each statistic."""
        side, product = self.regions.side, phase.product
        if product is not None:
            yield self._reduce(name, product.rows * -(-product.n // side))
        elif not phase.operator.vector_ops and any(tensor.role == "weights" for tensor in phase.operator.reads):
            yield self._reduce(name, -(-sum(tensor.elements for tensor in phase.operator.writes) // side))
        for _ in range(phase.statistics):
            yield self._reduce(name, phase.rows)

    def sampled(self, name: str) -> Iterator[Task]:
        """The largest of all logits, known everywhere."""
        yield self._reduce(name, 1)

    def _reduce(self, name: str, values: int) -> Task:
        """An all-reduce of `values` on each core, along all lines at once."""
        side = self.regions.side
        ways, size = side * side, PASSES * values * PARTIAL_BYTES
        _, ramp = self._ramp()
        work = [
            Work(self.fabric, "hop", ways * size, size, ways),
            Work(ramp, "move", ways * size, size, ways),
            Work(self.tile, "vector", (side - 1) * side * values, 2 * values, ways),
        ]
        flow = self.machine.flow((), work, Requester(ways), drain=self._tree())
        return Task(f"{name}_reduce", "", (tagged(flow, "outputs", (self.fabric, ramp)),), self.sync)

    def _tree(self) -> int:
        """Picoseconds of the first value: half of a group and of the roots, then all the way back."""
        side = self.regions.side
        groups = isqrt(side)
        length = -(-side // groups)
        hop, (latency, _) = self._hop(), self._ramp()
        return hop * (2 * side + length) // 2 + (length + groups) * (latency + hop)

    def crossing(self, source: int, target: int, size: int) -> tuple[Task, ...]:
        """`size` bytes from a region to another: over the mesh, or off one mesh and onto the next."""
        side, count = self.regions.side, self.regions.count
        if source // count != target // count:
            latency = self.machine.actions[self.link]["move"].latency
            return (Task("crossing", "", (self.machine.exchange(self.link, "outputs", size, None),), latency),)
        hops = self.regions.hops(source, target)
        latency, ramp = self._ramp()
        line = -(-size // side)
        work = [
            Work(self.fabric, "hop", size * hops, line, side * max(1, hops)),
            Work(ramp, "move", 2 * size, line, 2 * side),
        ]
        flow = self.machine.flow((), work, Requester(side), drain=hops * self._hop() + 2 * latency)
        return (Task("crossing", "", (tagged(flow, "outputs", (self.fabric, ramp)),)),)

    def _hop(self) -> int:
        return self.machine.actions[self.fabric]["hop"].latency

    def _ramp(self) -> tuple[int, str]:
        """Latency and name of the way between a core and its router."""
        (hop,) = self.machine.route(self.tile, self.fabric)
        return self.machine.latency((hop,)), hop.group
