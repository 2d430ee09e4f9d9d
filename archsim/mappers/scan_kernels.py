"""Recurrences on tiles: one head of one sequence at a time on a tile, its chunks one after the other; convolutions."""

from __future__ import annotations

from fractions import Fraction

from archsim.mappers.kernels import Kernel, padded
from archsim.model.kernel_table import ConvolutionKernels, ScanKernels
from archsim.model.taskgraph import PS_PER_SECOND
from archsim.model.trace import Convolution, Operator, Scan


def scan(operator: Operator, shape: Scan, offered: ScanKernels, tiles: int) -> Kernel:
    """One step of the state, or a chain of chunks: heads run side by side, chunks of a head do not.

    The states that a prompt leaves move when no chunk is left to hide them.
    """
    heads = shape.batch * shape.heads
    waves = -(-heads // tiles)
    ways = min(heads, tiles)
    chunks = -(-shape.tokens // shape.chunk) if shape.prompt or shape.tokens > 1 else 0
    left = sum(tensor.bytes for tensor in operator.writes if tensor.role == "state")
    moved = left * PS_PER_SECOND // offered.states if offered.states else 0
    return Kernel(
        ways=ways,
        critical=-(-operator.macs // heads) * waves,
        share=Fraction(waves, heads),
        launch=offered.prompt if chunks else offered.launch,
        window=offered.window,
        text=f"{chunks} chunks" if chunks else "",
        chain=waves * (offered.wave + chunks * offered.chunk) + moved if chunks else 0,
    )


def convolution(shape: Convolution, offered: ConvolutionKernels, tiles: int, trip: int) -> Kernel:
    """Channels of all tokens spread evenly over the tiles; a prompt's sequences are padded.

    Tokens of a block are worked through one after the other once its first bytes have made the `trip` from memory;
    other blocks' bytes come meanwhile.
    """
    if not shape.prompt and shape.tokens == 1:
        return Kernel(tiles, 0, Fraction(1, tiles), launch=offered.step, window=offered.step_window)
    tokens, single = min(shape.tokens, offered.chain), shape.tokens % offered.vector
    return Kernel(
        tiles,
        0,
        Fraction(1, tiles),
        launch=offered.launch,
        window=offered.single_window if single else offered.window,
        padding=Fraction(padded(shape.tokens, offered.pad), shape.tokens),
        chain=trip + tokens * offered.token if tokens else 0,
    )
