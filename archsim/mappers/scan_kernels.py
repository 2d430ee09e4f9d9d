"""A recurrence on tiles: one head of one sequence at a time on a tile, its chunks one after the other."""

from __future__ import annotations

from fractions import Fraction

from archsim.mappers.kernels import Kernel
from archsim.model.stack import ScanKernels
from archsim.model.trace import Scan


def scan(shape: Scan, macs: int, offered: ScanKernels, tiles: int) -> Kernel:
    """One step of the state, or a chain of chunks: heads run side by side, chunks of a head do not."""
    heads = shape.batch * shape.heads
    waves = -(-heads // tiles)
    ways = min(heads, tiles)
    chunks = -(-shape.tokens // shape.chunk) if shape.tokens > 1 else 0
    return Kernel(
        ways=ways,
        critical=-(-macs // heads) * waves,
        share=Fraction(waves, heads),
        launch=offered.launch + waves * (offered.wave if chunks else 0) + waves * chunks * offered.chunk,
        text=f"{chunks} chunks" if chunks else "",
    )
