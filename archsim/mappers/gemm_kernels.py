"""The kernel of a matrix product: the fastest output tile and split on offer, as a library's heuristic takes it."""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache
from itertools import product
from math import ceil
from typing import NamedTuple

from archsim.mappers.kernels import PARTIAL_BYTES, Kernel, Rates, padded
from archsim.model.kernel_table import GemmKernels
from archsim.model.taskgraph import PS_PER_SECOND
from archsim.model.trace import Gemm

_DEPTH = 64
"""MACs along the reduction that a matrix instruction takes at a time."""


@lru_cache(maxsize=4096)
def gemm(shape: Gemm, operands: Operands, offered: GemmKernels, rates: Rates) -> Kernel:
    """The fastest tile and split on offer: the slowest of supply, operands and MACs, plus launch, waves, splits.

    Where waves are whole, the results of each are written after its products; the parts of a split reduction are added
    up by a second kernel. Among equally fast ones, that which reads least, then that which pads least: where the
    memory is the limit many are.
    """
    choices = [
        _choice(shape, operands, tile, split, offered, rates) for tile, split in product(offered.tiles, offered.splits)
    ]
    supply = (operands.weights + operands.inputs) / rates.supply if rates.supply else 0.0

    def cost(choice: _Choice) -> tuple[float, int, float]:
        return choice.seconds(supply), choice.read + choice.partials, choice.slots

    return min(choices, key=cost).kernel(supply)


class Operands(NamedTuple):
    """Bytes of weights and of inputs, and of one result."""

    weights: int
    inputs: int
    result: float


def _choice(
    shape: Gemm, operands: Operands, tile: tuple[int, int], split: int, offered: GemmKernels, rates: Rates
) -> _Choice:
    grid = -(-shape.m // tile[0]), -(-shape.n // tile[1])
    blocks = grid[0] * grid[1] * split
    most = (-(-blocks // rates.tiles), 1) if offered.quantised else (max(blocks, rates.tiles), rates.tiles)
    return _Choice(shape, operands, tile, split, offered, rates, grid, blocks, most)


class _Choice(NamedTuple):
    """One tile and split for a matrix product.

    `grid` is rows and columns of output tiles, `blocks` all of them, each split counted, `most` the blocks of the
    busiest compute tile, as a fraction; at least one.
    """

    shape: Gemm
    operands: Operands
    tile: tuple[int, int]
    split: int
    offered: GemmKernels
    rates: Rates
    grid: tuple[int, int]
    blocks: int
    most: tuple[int, int]

    @property
    def launch(self) -> int:
        """Picoseconds of software."""
        above, below = self.most
        waves = above / (below * self.offered.slots)
        waves = ceil(waves) if self.offered.quantised else max(1.0, waves)
        return self.offered.launch + round(self.offered.wave * waves)

    @property
    def slots(self) -> float:
        """MAC slots of the busiest compute tile."""
        above, below = self.most
        depth = -(-self.shape.k // (self.split * _DEPTH)) * _DEPTH
        return above * self.tile[0] * self.tile[1] * depth / (below * self.offered.efficiency.value)

    @property
    def issued(self) -> int:
        """MACs with rows padded to the matrix instruction; few enough rows are done without it."""
        m = self.shape.m
        rows = m if m <= self.offered.vector_rows else padded(m, self.offered.rows)
        return rows * self.shape.n * self.shape.k

    @property
    def weight_reads(self) -> int:
        """Times that each weight is read from the innermost memory."""
        return max(1, -(-self.grid[0] // self.offered.multicast))

    @property
    def input_reads(self) -> int:
        """Times that each input is read from the innermost memory."""
        return max(1, -(-self.grid[1] // self.offered.multicast))

    @property
    def partials(self) -> int:
        """Bytes of partial sums."""
        return self.shape.m * self.shape.n * PARTIAL_BYTES * self.split if self.split > 1 else 0

    @property
    def read(self) -> int:
        """Bytes of operands read of the innermost memory."""
        return self.operands.weights * self.weight_reads + self.operands.inputs * self.input_reads

    @property
    def stores(self) -> float:
        """Seconds in which the busiest tile only writes results; persistent kernels write beside the next products."""
        lane = self.rates.of_lane
        if not self.offered.quantised or not lane:
            return 0.0
        size = PARTIAL_BYTES if self.split > 1 else self.operands.result
        written = min(self.tile[0], self.shape.m) * min(self.tile[1], self.shape.n) * size
        return self.most[0] * written / lane

    def seconds(self, supply: float) -> float:
        """Its time by the closed form."""
        above, below = self.most
        rates, knee, whole = self.rates, self.offered.knee, self.rates.of_operands
        read = self.read / whole if whole else 0.0
        if rates.lane:
            read = max(read, self.read * above / (below * self.blocks * rates.lane))
        legs = (supply, read, self.slots / rates.macs if rates.macs else 0.0)
        busy = float(sum(leg**knee for leg in legs) ** (1 / knee) if knee else max(legs))
        return self.launch / PS_PER_SECOND + busy + self.stores + self._added(whole)

    def _added(self, whole: int | None) -> float:
        """Seconds of the kernel that adds up the parts."""
        if self.split == 1:
            return 0.0
        return self.offered.split_cost / PS_PER_SECOND + (self.partials / whole if whole else 0.0)

    def kernel(self, supply: float) -> Kernel:
        """What the mapper makes a flow of."""
        above, below = self.most
        rise = self.offered.rise
        return Kernel(
            ways=min(self.blocks, self.rates.tiles),
            critical=ceil(self.slots),
            share=Fraction(above, below * self.blocks),
            launch=self.launch,
            weight_reads=Fraction(self.weight_reads),
            input_reads=Fraction(self.input_reads),
            partials=self.partials,
            window=self.offered.window,
            text=f"{self.tile[0]}x{self.tile[1]}" + (f", K split in {self.split}" if self.split > 1 else ""),
            issued=self.issued,
            knee=self.offered.knee,
            adding=self.offered.split_cost if self.split > 1 else None,
            stores=round(self.stores * PS_PER_SECOND),
            supply=rise.supply(self.seconds(supply) * PS_PER_SECOND) if rise else 1.0,
        )
