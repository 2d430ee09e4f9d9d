"""What a model asks for, in exact integers; where it happens is the mapper's business.

A trace is blocks of operators in program order. Equal layers stand once, with a repeat count. Operators name the
tensors that they read and write: a tensor is made by the latest earlier operator that writes its name, and one that
nobody writes comes from outside.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from archsim.model.dtype import Dtype, packed_bytes

Role = Literal["weights", "kv", "state", "activations"]
Phase = Literal["prefill", "decode"]
Sharding = Literal["none", "columns", "rows", "heads", "experts"]


@dataclass(frozen=True, slots=True)
class Tensor:
    """A named operand: `bytes` are the unique bytes that one execution touches, scales included.

    One that is `warm` was left in an on-chip memory by whatever ran before, where it fits there.
    """

    name: str
    role: Role
    elements: int
    dtype: Dtype
    bytes: int
    warm: bool = False

    @property
    def scaled(self) -> bool:
        """Whether scales of groups stand among its bytes."""
        return self.bytes > packed_bytes(self.elements, self.dtype)


@dataclass(frozen=True, slots=True)
class Gemm:
    """[m, k] x [k, n]: m rows of activations against a weight matrix."""

    m: int
    n: int
    k: int


@dataclass(frozen=True, slots=True)
class Attention:
    """`queries` new tokens of each of `batch` sequences against `context` keys and values, their own if cached.

    With `causal`, query i of the new tokens sees the context less the queries that come after it. A key has
    `head_size` values, and so has a value vector, unless `value_size` says that it is so many values of the key
    itself (latent attention).
    """

    batch: int
    queries: int
    context: int
    heads: int
    kv_heads: int
    head_size: int
    causal: bool
    value_size: int | None = None


@dataclass(frozen=True, slots=True)
class Experts:
    """A matrix product for each expert: [loads[e], k] x [k, n]; an expert without rows is not touched.

    A token that goes to `top_k` experts has as many rows.
    """

    loads: tuple[int, ...]
    n: int
    k: int
    top_k: int = 1


@dataclass(frozen=True, slots=True)
class Scan:
    """A recurrence over `tokens` new tokens of `batch` sequences; the state of a head is [head_size, state_size].

    Inside a chunk of `chunk` tokens all is parallel; from chunk to chunk the state is passed on. A `prompt` starts from
    nothing, and is scanned in chunks however short it is.
    """

    batch: int
    tokens: int
    heads: int
    head_size: int
    state_size: int
    chunk: int
    prompt: bool = False


@dataclass(frozen=True, slots=True)
class Convolution:
    """A causal convolution of each channel by itself over `tokens` new tokens of `batch` sequences.

    A `prompt` has nothing before it.
    """

    batch: int
    tokens: int
    channels: int
    prompt: bool = False


@dataclass(frozen=True, slots=True)
class Sampling:
    """A token drawn for each of `sequences`, from as many logits as the vocabulary has."""

    sequences: int
    vocabulary: int


Exchange = Literal["all_reduce", "all_gather", "reduce_scatter", "all_to_all"]


@dataclass(frozen=True, slots=True)
class Collective:
    """An exchange among groups of `devices` (None: all of them), each with a buffer of `bytes`.

    The buffer is the larger one of a device: what it puts in, or for an all-gather what it gets.
    """

    exchange: Exchange
    bytes: int
    devices: int | None = None


Shape = Gemm | Attention | Experts | Scan | Convolution | Sampling | Collective


@dataclass(frozen=True, slots=True)
class Operator:
    """One operator: MACs in `mac_dtype`, vector operations, and the tensors that it reads and writes.

    `shards` says how it divides over tensor-parallel devices: by output `columns` (each device makes a part of the
    outputs), by `rows` of the weights (each makes a partial sum of all outputs, which must be reduced), by attention
    `heads`, by `experts`, or `none` (each device does it all). `joins` names the operator of the same block whose
    kernel may do this one in passing, or is empty. `passes` are the elementary kernels that it takes where nothing
    fuses them.
    """

    name: str
    reads: tuple[Tensor, ...]
    writes: tuple[Tensor, ...]
    macs: int = 0
    mac_dtype: Dtype = "bf16"
    vector_ops: int = 0
    shape: Shape | None = None
    shards: Sharding = "none"
    joins: str = ""
    passes: int = 1

    @property
    def multiplies(self) -> bool:
        """Whether it is products with weights, a cache or a state."""
        return isinstance(self.shape, Gemm | Attention | Experts | Scan)


@dataclass(frozen=True, slots=True)
class Block:
    """Operators in program order, `times` over; `closes` names what the last completes (prompt, token), or is empty.

    With `layer` each time is a layer of the model, which a mapper may give a place of its own.
    """

    operators: tuple[Operator, ...]
    phase: Phase
    times: int = 1
    closes: str = ""
    layer: bool = False


@dataclass(frozen=True, slots=True)
class Resident:
    """Bytes that must be held over the whole run: all weights, and KV or state at its largest."""

    role: Role
    bytes: int


@dataclass(frozen=True, slots=True)
class Trace:
    """All that the model asks for in one run.

    `parameters` is the number of stored values of all weights; `kv_heads` bounds tensor parallelism over attention
    (0: no attention), `experts` expert parallelism (0: none).
    """

    blocks: tuple[Block, ...]
    residents: tuple[Resident, ...]
    parameters: int
    heads: int = 0
    kv_heads: int = 0
    experts: int = 0

    @property
    def operators(self) -> Iterable[Operator]:
        """Each operator once, in the order in which it first comes."""
        return {id(operator): operator for block in self.blocks for operator in block.operators}.values()

    def executions(self) -> Iterator[tuple[Operator, Phase, int]]:
        """Each operator of each block with its phase and the number of times it runs."""
        for block in self.blocks:
            for operator in block.operators:
                yield operator, block.phase, block.times
