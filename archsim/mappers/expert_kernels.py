"""A matrix product for each expert in one kernel: rows are padded expert by expert, so imbalance is real work."""

from __future__ import annotations

from fractions import Fraction
from math import ceil

from archsim.mappers.kernels import Kernel
from archsim.model.kernel_table import ExpertBlocks, ExpertKernels
from archsim.model.trace import Experts


def grouped(shape: Experts, offered: ExpertKernels, tiles: int) -> Kernel:
    """Blocks of padded rows, small or large by the tokens per expert, spread evenly over the tiles."""
    block = _block(shape, offered)
    padded = sum(-(-load // block.rows) * block.rows for load in shape.loads)
    strips = 1 if block.columns is None else -(-shape.n // block.columns)
    ways = tiles if block.columns is None else min(tiles, max(1, padded // block.rows * strips))
    return Kernel(
        ways=ways,
        critical=ceil(padded * shape.n * shape.k / (block.efficiency.value * ways)),
        share=Fraction(1, ways),
        launch=offered.launch,
        input_reads=Fraction(strips),
        window=offered.window,
        text=f"blocks of {block.rows} rows",
        issued=padded * shape.n * shape.k if offered.padding else None,
        knee=offered.knee,
        streams=True,
        supply=block.supply,
    )


def _block(shape: Experts, offered: ExpertKernels) -> ExpertBlocks:
    """Small blocks up to so many tokens per expert, large ones above it."""
    return offered.small if sum(shape.loads) <= offered.switch * shape.top_k * len(shape.loads) else offered.large
