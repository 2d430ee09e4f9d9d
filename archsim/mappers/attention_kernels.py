"""The kernels of attention: blocks of a sequence and head, split along the context or strip by strip of queries."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from math import ceil

from archsim.mappers.kernels import PARTIAL_BYTES, Kernel, even, padded
from archsim.model.kernel_table import DecodeAttentionKernels, PrefillAttentionKernels
from archsim.model.knee import root_of_powers
from archsim.model.trace import Attention


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
        knee=offered.knee,
        turnaround=offered.turnaround,
    )
    cuts = sorted({0, full, blocks})
    return tuple(_wave(whole, shape, offered, tiles, blocks, cut) for cut in pairwise(cuts))


def _wave(
    whole: Kernel, shape: Attention, offered: DecodeAttentionKernels, tiles: int, blocks: int, cut: tuple[int, int]
) -> Kernel:
    """The part of a kernel that does some of its blocks."""
    count = cut[1] - cut[0]
    most = -(-count // tiles) if offered.quantised else max(Fraction(count, tiles), Fraction(1))
    slots = _slots(shape, offered) / offered.efficiency.value
    share = Fraction(most) / count
    return replace(
        whole,
        ways=max(1, int(1 / share)),
        critical=ceil(slots * count / blocks * share),
        share=share,
        launch=whole.launch if cut[0] == 0 else 0,
        covers=whole.covers if count == blocks else (Fraction(cut[0], blocks), Fraction(cut[1], blocks)),
    )


def _slots(shape: Attention, offered: DecodeAttentionKernels) -> int:
    """MACs of a query group padded to the rows of a MAC tile, over all keys and values."""
    rows = padded(-(-shape.heads // shape.kv_heads), offered.rows)
    sizes = shape.head_size + (shape.value_size or shape.head_size)
    return shape.batch * shape.kv_heads * rows * shape.context * sizes


def _parts(shape: Attention, offered: DecodeAttentionKernels, slots: int) -> int:
    """Parts that the context is split in."""
    length = -(-shape.context // offered.block)
    may_split = offered.splits and (shape.heads > shape.kv_heads or offered.splits_ungrouped)
    return _split(shape.batch * shape.kv_heads, slots, length, offered) if may_split else 1


def _split(blocks: int, slots: int, length: int, offered: DecodeAttentionKernels) -> int:
    """The least split of a context of `length` blocks near the best occupancy (as FlashAttention has it).

    The last wave is rarely full; and 11 parts of 64 blocks are 6 each, as 12 are, of which the last is empty.
    """
    if blocks >= offered.full * slots:
        return 1

    def occupancy(split: int) -> float:
        waves = blocks * split / slots
        return waves / ceil(waves)

    def eligible(split: int) -> bool:
        return not offered.eligible or split == 1 or -(-length // split) < -(-length // (split - 1))

    offers = [split for split in range(1, max(1, min(offered.max_splits, length)) + 1) if eligible(split)]
    best = max(map(occupancy, offers))
    return next(split for split in offers if occupancy(split) >= offered.near * best)


def prefill_attention(shape: Attention, offered: PrefillAttentionKernels, tiles: int) -> Kernel:
    """Many new tokens: a block of work is some query rows of one head; under a causal mask the last ones see most."""
    strips = -(-shape.queries // offered.rows)
    blocks = shape.batch * shape.heads * strips
    seen = [_visible(shape, min(shape.queries, (strip + 1) * offered.rows)) for strip in range(strips)]
    sizes = shape.head_size + (shape.value_size or shape.head_size)
    macs = shape.batch * shape.heads * offered.rows * sum(seen) * sizes
    longest = offered.rows * max(seen) * sizes
    return Kernel(
        ways=min(blocks, tiles),
        critical=ceil(_busiest(-(-macs // tiles), longest, offered) / offered.efficiency.value),
        share=max(Fraction(1, blocks), Fraction(1, tiles)),
        launch=offered.launch + offered.tile * blocks // tiles,
        weight_reads=Fraction(shape.heads // shape.kv_heads * sum(seen), shape.context),
        issued=macs,
    )


def appending(shape: Attention, offered: PrefillAttentionKernels, tiles: int) -> Kernel | None:
    """The kernel that brings keys and values of new tokens into the cache; None where they cost no more than bytes.

    Each token has a block of threads of its own, which waits for the token's place: as many blocks run at once as their
    threads leave room for, so tokens with few values are through sooner.
    """
    threads = Fraction(min(shape.kv_heads * shape.head_size, offered.threads), offered.threads)
    chain = round(shape.batch * shape.queries * (offered.append * shape.kv_heads + offered.token * threads))
    return replace(even(0, tiles), chain=chain) if chain else None


def _busiest(mean: int, longest: int, offered: PrefillAttentionKernels) -> int:
    """MAC slots of the busiest compute tile: its even part and a tail, or the longest tile of work."""
    even = mean + round(offered.tail * longest)
    return root_of_powers((even, longest), offered.knee) if offered.knee else max(even, longest)


def _visible(shape: Attention, row: int) -> int:
    """Context that a query row sees, itself included."""
    return shape.context - (shape.queries - row) if shape.causal else shape.context
