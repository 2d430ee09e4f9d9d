"""Recurrences on tiles: one head of one sequence at a time on a tile, its chunks one after the other; convolutions."""

from __future__ import annotations

from fractions import Fraction

from archsim.mappers.kernels import Kernel, padded
from archsim.model.kernel_table import ConvolutionKernels, ScanKernels
from archsim.model.trace import Convolution, Scan


def scan(shape: Scan, macs: int, offered: ScanKernels, tiles: int) -> Kernel:
    """One step of the state, or a chain of chunks: heads run side by side, chunks of a head do not."""
    heads = shape.batch * shape.heads
    waves = -(-heads // tiles)
    ways = min(heads, tiles)
    chunks = -(-shape.tokens // shape.chunk) if shape.prompt or shape.tokens > 1 else 0
    return Kernel(
        ways=ways,
        critical=-(-macs // heads) * waves,
        share=Fraction(waves, heads),
        launch=0 if chunks else offered.launch,
        window=offered.window,
        text=f"{chunks} chunks" if chunks else "",
        chain=waves * (offered.wave + chunks * offered.chunk) if chunks else 0,
    )


def convolution(shape: Convolution, offered: ConvolutionKernels, tiles: int) -> Kernel:
    """Channels of all tokens spread evenly over the tiles; a prompt's sequences are padded."""
    if not shape.prompt and shape.tokens == 1:
        return Kernel(tiles, 0, Fraction(1, tiles), launch=offered.step, window=offered.step_window)
    return Kernel(
        tiles,
        0,
        Fraction(1, tiles),
        launch=offered.launch + min(shape.tokens, offered.chain) * offered.token,
        window=offered.window,
        padding=Fraction(padded(shape.tokens, offered.pad), shape.tokens),
    )
