"""Which kernels a stack offers, and what its software adds to each: times, shapes and limits."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import Field, NonNegativeInt, PositiveInt

from archsim.config.checked import Checked
from archsim.config.units import Bandwidth, BytesOrUnlimited, Picoseconds
from archsim.model.dtype import Dtype
from archsim.model.price import Efficiency, Factor, Ratio

Window = BytesOrUnlimited | Literal["tile"]

Knee = Literal[2, 4, 8]
"""How sharply the slowest leg of a kernel hides the others: its time is the root of the sum of their powers."""

_FULL = Ratio.exactly(1, "ideal")


class Quantisation(Checked):
    """Activations turned into the narrow type of the MACs before a product, in a pass of its own over all of them."""

    launch: Picoseconds = 0
    reads: Annotated[float, Field(ge=0)] = Field(default=4.0, description="bytes read per value: two passes in 16 bits")
    writes: Annotated[float, Field(ge=0)] = Field(default=1.0, description="bytes written per value")
    window: Window = "tile"


class Rise(Checked):
    """Memory that serves faster a while after idle, as shows where kernels are measured by a few replays from there."""

    first: Factor = Field(description="rate of weights over the sustained one of their memory, until it is up")
    then: Factor = Field(description="and after")
    time: Picoseconds = Field(description="from the first replay until the memory is up")
    before: NonNegativeInt = Field(description="kernels replayed before those that are timed")
    timed: PositiveInt = Field(description="kernels timed; the mean of them is what one takes")

    def supply(self, picoseconds: float) -> float:
        """Rate over the sustained one in the mean of those timed, where each takes so long."""
        slow = (self.time / picoseconds - self.before) / self.timed if picoseconds else 1.0
        part = min(1.0, max(0.0, slow))
        return 1 / (part / self.first.value + (1 - part) / self.then.value)


class GemmKernels(Checked):
    """Matrix kernels: the mapper takes the fastest of `tiles` x `splits` by a closed form, as libraries do."""

    launch: Picoseconds = Field(default=0, description="graph node and prologue, beside the latency of the route")
    wave: Picoseconds = Field(default=0, description="fill and epilogue of each wave of output tiles")
    quantised: bool = Field(
        default=False,
        description="whether a started wave costs a whole one, and stores its results when all its products are done "
        "(false: persistent kernels)",
    )
    tiles: tuple[tuple[PositiveInt, PositiveInt], ...] = Field(
        default=(),
        description="rows and columns of the output tiles on offer; none: work divides evenly over all compute tiles",
    )
    splits: tuple[PositiveInt, ...] = Field(
        default=(1,), description="parts that the reduction dimension can be split in"
    )
    split_cost: Picoseconds = Field(default=0, description="launch of the kernel that adds up a split reduction")
    slots: PositiveInt = Field(default=1, description="output tiles that one compute tile works on at once")
    multicast: PositiveInt = Field(
        default=1, description="output tiles of a cluster, along either side, that share one read of an operand"
    )
    rows: PositiveInt = Field(
        default=1, description="rows of a matrix instruction: MACs are issued, and billed, for whole multiples of them"
    )
    vector_rows: NonNegativeInt = Field(
        default=0, description="rows up to which the matrix unit is not used, and MACs are issued as asked"
    )
    efficiency: Efficiency = Field(default=_FULL, description="sustained share of the peak MAC rate")
    window: Window = Field(
        default="tile", description="bytes that one compute tile has outstanding; tile: what the hardware allows"
    )
    knee: Knee | None = Field(
        default=None, description="how sharply the slowest leg hides the others; wholly if left out"
    )
    results: Dtype | None = Field(
        default=None, description="data type that results are written in, if not the operator's"
    )
    quantisation: Quantisation | None = Field(
        default=None, description="pass that makes the narrow activations; they come narrow if left out"
    )
    rise: Rise | None = Field(
        default=None, description="how the memory serves kernels that start from idle; as ever if left out"
    )


class KvDecode(Checked):
    """Decode attention over a cache in one data type, where that is another kernel."""

    launch: Picoseconds
    wave: Picoseconds
    window: Window
    turnaround: Picoseconds


class DecodeAttentionKernels(Checked):
    """Attention of one new token: a tile of work is a sequence and KV head, split along the context to fill it.

    Rule: no split from `full` of the slots on; else the least number of parts, of those that are `eligible`, that
    reaches `near` of the best occupancy.
    """

    launch: Picoseconds = 0
    wave: Picoseconds = 0
    splits: bool = Field(default=True, description="whether the context is split at all")
    splits_ungrouped: bool = Field(
        default=True, description="whether it is split where each query head has its own KV head"
    )
    max_splits: PositiveInt = 1 << 16
    block: PositiveInt = Field(default=1, description="tokens of the context that are not split further")
    eligible: bool = Field(
        default=False,
        description="whether splits count only whose parts have fewer blocks than those of one split less",
    )
    slots: PositiveInt = 1
    quantised: bool = Field(default=False, description="whether a last, thin wave runs by itself")
    full: Annotated[float, Field(gt=0, le=1)] = 0.8
    near: Annotated[float, Field(gt=0, le=1)] = 0.85
    split_cost: Picoseconds = Field(default=0, description="of each part, when the parts are combined")
    combine: Picoseconds = Field(default=0, description="of combining at all")
    rows: PositiveInt = Field(default=1, description="query rows that a MAC tile is padded to")
    efficiency: Efficiency = _FULL
    window: Window = "tile"
    turnaround: Picoseconds = Field(
        default=0, description="from the arrival of a block to the request for the next: barriers, products, softmax"
    )
    knee: Knee | None = None
    kv: Mapping[Dtype, KvDecode] = Field(default={}, description="kernels for other data types of the cache")

    def over(self, dtype: Dtype) -> Self:
        """The kernels for a cache in that data type."""
        return self.model_copy(update=dict(self.kv[dtype])) if dtype in self.kv else self


class KvPrefill(Checked):
    """Prefill attention with a cache in one data type, where that is another kernel."""

    launch: Picoseconds
    efficiency: Efficiency
    append: Picoseconds


class PrefillAttentionKernels(Checked):
    """Attention of many new tokens: a tile of work is `rows` queries of one head."""

    launch: Picoseconds = 0
    tile: Picoseconds = Field(default=0, description="prologue and epilogue of each tile of work")
    rows: PositiveInt
    efficiency: Efficiency = _FULL
    append: Picoseconds = Field(
        default=0, description="of each token and KV head, while its keys and values go into the cache"
    )
    token: Picoseconds = Field(default=0, description="of each token, with `threads` of its own, on the way there")
    threads: PositiveInt = Field(
        default=1, description="threads at most that a token has, one for each value of its keys; fewer take a share"
    )
    tail: Annotated[float, Field(ge=0)] = Field(
        default=0.0, description="part of the longest tile of work that tiles wait for others at the end"
    )
    knee: Knee | None = Field(
        default=None, description="how sharply the longest tile of work hides the mean, or is hidden"
    )
    kv: Mapping[Dtype, KvPrefill] = Field(default={}, description="kernels for other data types of the cache")

    def over(self, dtype: Dtype) -> Self:
        """The kernels with a cache in that data type."""
        return self.model_copy(update=dict(self.kv[dtype])) if dtype in self.kv else self


class ExpertBlocks(Checked):
    """One configuration of the expert kernel."""

    rows: PositiveInt = Field(default=1, description="rows that an expert's load is padded to")
    columns: PositiveInt | None = Field(default=None, description="columns of a block; work divides evenly if left out")
    efficiency: Efficiency = _FULL
    supply: Annotated[float, Field(gt=0, le=1.3)] = Field(
        default=1.0,
        description="rate of weights over the sustained one of their memory, which plain products take; up to its peak",
    )


class ExpertKernels(Checked):
    """Matrix products of experts in one kernel: small blocks while there are few tokens, large ones beyond."""

    launch: Picoseconds = 0
    window: Window = "tile"
    switch: Annotated[float, Field(gt=0)] = Field(
        default=1.0, description="tokens per expert up to which blocks are small, each token counted once"
    )
    knee: Knee | None = None
    padding: bool = Field(default=True, description="whether MACs on padded rows are billed, and not only waited for")
    quantisation: Quantisation | None = Field(
        default=None, description="pass that makes the narrow activations; they come narrow if left out"
    )
    small: ExpertBlocks = ExpertBlocks()
    large: ExpertBlocks = ExpertBlocks()


class ScanKernels(Checked):
    """Recurrences: one step of the state; or a prompt, a chain of chunks in each wave of heads, one head per tile."""

    launch: Picoseconds = Field(default=0, description="of one step")
    prompt: Picoseconds = Field(default=0, description="launch of a prompt")
    wave: Picoseconds = Field(default=0, description="prologue of each wave of heads in a prompt")
    chunk: Picoseconds = Field(default=0, description="one chunk of a head, after the one before")
    states: Bandwidth | None = Field(
        default=None, description="at which the states that a prompt leaves move, hidden by nothing; hidden if left out"
    )
    window: Window = "tile"


class ConvolutionKernels(Checked):
    """Causal convolutions: a prompt, each of whose sequences is padded, or one step."""

    launch: Picoseconds = 0
    step: Picoseconds = Field(default=0, description="launch for one new token")
    token: Picoseconds = Field(default=0, description="one token of a block of a prompt, after the one before")
    chain: NonNegativeInt = Field(default=0, description="tokens of a block, those that its first outputs see included")
    pad: PositiveInt = Field(
        default=1, description="tokens that each sequence of a prompt is filled up to multiples of"
    )
    window: Window = "tile"
    vector: PositiveInt = Field(
        default=1, description="tokens of one load; sequences of a length that is no multiple of it load them singly"
    )
    single_window: Window = Field(default="tile", description="bytes that one compute tile has outstanding then")
    step_window: Window = "tile"
