"""Which kernel does an operator, and how it occupies the tiles: closed forms, as a library's heuristic has them.

A kernel never takes time here: it says how much work the busiest tile gets, how many tiles are at work, and what the
software adds.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from functools import lru_cache
from itertools import pairwise, product
from math import ceil
from typing import NamedTuple

from archsim.model.stack import DecodeAttentionKernels, GemmKernels, PrefillAttentionKernels, Window
from archsim.model.trace import Attention, Gemm

PARTIAL_BYTES = 4
"""Partial sums are kept in fp32."""

_DEPTH = 64
"""MACs along the reduction that a matrix instruction takes at a time."""


@dataclass(frozen=True, slots=True)
class Kernel:
    """How an operator runs on one device.

    `ways` tiles are at work, the busiest on `share` of the whole; it spends `critical` MAC slots. `weight_reads` and
    `input_reads` say how often each byte is read from the innermost memory, `partials` the bytes of partial sums
    written to it and read back. `launch` is picoseconds of software; `window` the bytes outstanding per tile; `text`
    names it for the reader. `issued` are the MACs that matrix instructions do for the whole operator, padding
    included (None: no more than it asks for).
    """

    ways: int
    critical: int
    share: Fraction
    launch: int = 0
    weight_reads: Fraction = Fraction(1)
    input_reads: Fraction = Fraction(1)
    partials: int = 0
    window: Window = "tile"
    text: str = ""
    covers: tuple[Fraction, Fraction] = (Fraction(0), Fraction(1))
    issued: int | None = None

    def portion(self, count: int) -> int:
        """What of a count falls to the part that it covers; the portions of all parts add up to the count."""
        low, high = self.covers
        return count * high.numerator // high.denominator - count * low.numerator // low.denominator

    def billed(self, macs: int) -> int:
        """MACs that the part issues where the whole operator asks for so many."""
        return self.portion(max(macs, self.issued or 0))


@dataclass(frozen=True, slots=True)
class Rates:
    """Bytes and MACs per second of one device that the choice of a kernel weighs (None: no limit)."""

    tiles: int
    supply: int | None
    operands: int | None
    macs: int | None


def even(macs: int, tiles: int, issued: int | None = None) -> Kernel:
    """Work that divides evenly over all tiles; each reads its operands once."""
    return Kernel(tiles, -(-macs // tiles) if issued is None else issued, Fraction(1, tiles))


@lru_cache(maxsize=4096)
def gemm(shape: Gemm, weight_bytes: int, input_bytes: int, offered: GemmKernels, rates: Rates) -> Kernel:
    """The fastest tile and split on offer: the largest of supply, operand and MAC time, plus launch, waves, splits.

    Among equally fast ones, that which reads least, then that which pads least: where the memory is the limit many are.
    """
    choices = [
        _choice(shape, tile, split, offered, rates.tiles) for tile, split in product(offered.tiles, offered.splits)
    ]
    supply = (weight_bytes + input_bytes) / rates.supply if rates.supply else 0.0

    def cost(choice: _Choice) -> tuple[float, int, float]:
        read = choice.read(weight_bytes, input_bytes)
        return choice.seconds(read, supply, rates), read, choice.slots

    return min(choices, key=cost).kernel()


def _choice(shape: Gemm, tile: tuple[int, int], split: int, offered: GemmKernels, tiles: int) -> _Choice:
    grid = -(-shape.m // tile[0]), -(-shape.n // tile[1])
    blocks = grid[0] * grid[1] * split
    most = (-(-blocks // tiles), 1) if offered.quantised else (max(blocks, tiles), tiles)
    return _Choice(shape, tile, split, offered, tiles, grid, blocks, most)


class _Choice(NamedTuple):
    """One tile and split for a matrix product on `tiles` compute tiles.

    `grid` is rows and columns of output tiles, `blocks` all of them, each split counted, `most` the blocks of the
    busiest compute tile, as a fraction; at least one.
    """

    shape: Gemm
    tile: tuple[int, int]
    split: int
    offered: GemmKernels
    tiles: int
    grid: tuple[int, int]
    blocks: int
    most: tuple[int, int]

    @property
    def launch(self) -> int:
        """Picoseconds of software."""
        above, below = self.most
        waves = above / (below * self.offered.slots)
        waves = ceil(waves) if self.offered.quantised else max(1.0, waves)
        adding = self.offered.split_cost if self.split > 1 else 0
        return self.offered.launch + adding + round(self.offered.wave * waves)

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
        rows = m if m <= self.offered.vector_rows else _padded(m, self.offered.rows)
        return rows * self.shape.n * self.shape.k

    @property
    def weight_reads(self) -> int:
        """Times that each weight is read from the innermost memory."""
        return max(1, -(-self.grid[0] // self.offered.multicast))

    @property
    def partials(self) -> int:
        """Bytes of partial sums."""
        return self.shape.m * self.shape.n * PARTIAL_BYTES * self.split if self.split > 1 else 0

    def read(self, weight_bytes: int, input_bytes: int) -> int:
        """Bytes read of the innermost memory."""
        return weight_bytes * self.weight_reads + input_bytes * self.grid[1] + self.partials

    def seconds(self, read: int, supply: float, rates: Rates) -> float:
        """Its time by the closed form."""
        above, below = self.most
        served = read * above * self.tiles / (below * self.blocks)
        operands = served / rates.operands if rates.operands else 0.0
        return self.launch * 1e-12 + max(supply, operands, self.slots / rates.macs if rates.macs else 0.0)

    def kernel(self) -> Kernel:
        """What the mapper makes a flow of."""
        above, below = self.most
        return Kernel(
            ways=min(self.blocks, self.tiles),
            critical=ceil(self.slots),
            share=Fraction(above, below * self.blocks),
            launch=self.launch,
            weight_reads=Fraction(self.weight_reads),
            input_reads=Fraction(self.grid[1]),
            partials=self.partials,
            window=self.offered.window,
            text=f"{self.tile[0]}x{self.tile[1]}" + (f", K split in {self.split}" if self.split > 1 else ""),
            issued=self.issued,
        )


def _padded(rows: int, step: int) -> int:
    return -(-rows // step) * step


def decode_attention(shape: Attention, offered: DecodeAttentionKernels, tiles: int) -> tuple[Kernel, ...]:
    """One new token: a block is a sequence and KV head (its query group packed into MAC rows), or a part of it.

    One kernel, or two of which the second is a last wave that fills only some slots.
    """
    slots = tiles * offered.slots
    split = _parts(shape, offered, slots)
    blocks = shape.batch * shape.kv_heads * split
    full = blocks // slots * slots if offered.quantised else 0
    combining = offered.combine + offered.split_cost * (split - 1) if split > 1 else 0
    whole = Kernel(
        ways=tiles,
        critical=0,
        share=Fraction(1, tiles),
        launch=offered.launch + offered.wave * -(-blocks // slots) + combining,
        partials=shape.batch * shape.heads * (shape.value_size or shape.head_size) * PARTIAL_BYTES * split
        if split > 1
        else 0,
        window=offered.window,
        text=f"KV split in {split}" if split > 1 else "",
        issued=_slots(shape, offered),
    )
    cuts = sorted({0, full, blocks})
    return tuple(_wave(whole, shape, offered, tiles, blocks, cut) for cut in pairwise(cuts))


def _wave(
    whole: Kernel, shape: Attention, offered: DecodeAttentionKernels, tiles: int, blocks: int, cut: tuple[int, int]
) -> Kernel:
    """The part of a kernel that does some of its blocks."""
    count = cut[1] - cut[0]
    slots = _slots(shape, offered) / offered.efficiency.value
    share = max(Fraction(1, count), Fraction(1, tiles))
    return replace(
        whole,
        ways=min(count, tiles),
        critical=ceil(slots * count / blocks * share),
        share=share,
        launch=whole.launch if cut[0] == 0 else 0,
        covers=(Fraction(cut[0], blocks), Fraction(cut[1], blocks)),
    )


def _slots(shape: Attention, offered: DecodeAttentionKernels) -> int:
    """MACs of a query group padded to the rows of a MAC tile, over all keys and values."""
    rows = _padded(-(-shape.heads // shape.kv_heads), offered.rows)
    sizes = shape.head_size + (shape.value_size or shape.head_size)
    return shape.batch * shape.kv_heads * rows * shape.context * sizes


def _parts(shape: Attention, offered: DecodeAttentionKernels, slots: int) -> int:
    """Parts that the context is split in."""
    longest = max(1, min(offered.max_splits, -(-shape.context // offered.block)))
    may_split = offered.splits and (shape.heads > shape.kv_heads or offered.splits_ungrouped)
    return _split(shape.batch * shape.kv_heads, slots, longest, offered) if may_split else 1


def _split(blocks: int, slots: int, longest: int, offered: DecodeAttentionKernels) -> int:
    """The least split near the best occupancy: the last wave is rarely full (as FlashAttention has it)."""
    if blocks >= offered.full * slots:
        return 1

    def occupancy(split: int) -> float:
        waves = blocks * split / slots
        return waves / ceil(waves)

    best = max(occupancy(split) for split in range(1, longest + 1))
    return next(split for split in range(1, longest + 1) if occupancy(split) >= offered.near * best)


def prefill_attention(shape: Attention, offered: PrefillAttentionKernels, tiles: int) -> Kernel:
    """Many new tokens: a block of work is some query rows of one head; under a causal mask the last ones see most."""
    strips = -(-shape.queries // offered.rows)
    blocks = shape.batch * shape.heads * strips
    seen = [_visible(shape, min(shape.queries, (strip + 1) * offered.rows)) for strip in range(strips)]
    sizes = shape.head_size + (shape.value_size or shape.head_size)
    macs = shape.batch * shape.heads * offered.rows * sum(seen) * sizes
    longest = offered.rows * max(seen) * sizes
    busiest = max(Fraction(macs, tiles), Fraction(longest))
    efficiency = Fraction(offered.efficiency.value).limit_denominator(10**6)
    appended = offered.append * shape.batch * shape.queries * shape.kv_heads
    return Kernel(
        ways=min(blocks, tiles),
        critical=ceil(busiest / efficiency),
        share=max(Fraction(1, blocks), Fraction(1, tiles)),
        launch=offered.launch + offered.tile * blocks // tiles + appended,
        weight_reads=Fraction(shape.heads // shape.kv_heads * sum(seen), shape.context),
        issued=macs,
    )


def _visible(shape: Attention, row: int) -> int:
    """Context that a query row sees, itself included."""
    return shape.context - (shape.queries - row) if shape.causal else shape.context
