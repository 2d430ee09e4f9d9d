"""The software on a machine: what it adds to the hardware's own time, and which kernels it has to choose from.

Measured time belongs to a device and its software. Overheads, kernel shapes and thresholds stand here; efficiencies
of a memory generation stand with the memory. The stack `ideal` adds nothing and divides work evenly over all tiles.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field, PositiveInt, field_validator

from archsim.config.checked import Checked
from archsim.config.units import Bandwidth, BytesOrUnlimited, Picoseconds
from archsim.model.dtype import Dtype
from archsim.model.kernel_table import (
    ConvolutionKernels,
    DecodeAttentionKernels,
    ExpertKernels,
    GemmKernels,
    PrefillAttentionKernels,
    ScanKernels,
)
from archsim.model.price import Factor, Overhead, StaticPower
from archsim.model.trace import Operator

NO_OVERHEAD = Overhead.exactly(1, "as stated")


class VectorKernels(Checked):
    """Norms, activations and other operators that only pass over memory."""

    launch: Picoseconds = 0


Algorithm = Literal["one-shot", "two-shot", "ring", "in-switch"]


class Regime(Checked):
    """A collective up to a message size: latency, and bytes on the wire / `bandwidth`.

    Measured: `base` + `hop` x (devices - 1), the link's latency within. Without a `hop` the link's own latency counts
    for each step of the algorithm. In an all-reduce each device sends (devices - 1) x message in one step (one-shot),
    or 2 (devices - 1) / devices x message in 2 steps (two-shot) or 2 (devices - 1) steps (ring); left out, a ring of
    links runs ring and a switch two-shot. Where the switch itself adds up (in-switch), it sends the message once, and
    gets the sum. In the others it sends (devices - 1) / devices x message, in one step over a switch and in devices - 1
    on a ring.
    """

    up_to: BytesOrUnlimited = None
    devices: PositiveInt = Field(default=1, description="devices that take part at least; with fewer, a later regime")
    algorithm: Algorithm | None = None
    base: Picoseconds = 0
    hop: Picoseconds | None = None
    bandwidth: Bandwidth | None = Field(default=None, description="sustained by one device; the link's own if left out")
    own: Bandwidth | None = Field(
        default=None, description="of the part that a device keeps, passed over when the others' are through"
    )


class Collectives(Checked):
    """Regimes by operation, smallest messages first; they change at thresholds, not where another is faster."""

    all_reduce: tuple[Regime, ...] = Field(default=(Regime(),), min_length=1)
    all_gather: tuple[Regime, ...] = Field(default=(Regime(),), min_length=1)
    reduce_scatter: tuple[Regime, ...] = Field(default=(Regime(),), min_length=1)
    all_to_all: tuple[Regime, ...] = Field(default=(Regime(),), min_length=1)

    @field_validator("*")
    @classmethod
    def _open_ended(cls, regimes: tuple[Regime, ...]) -> tuple[Regime, ...]:
        if regimes[-1].up_to is not None or regimes[-1].devices > 1:
            message = "the last regime takes any size and number of devices: it has neither `up_to` nor `devices`"
            raise ValueError(message)
        return regimes


class NearMemoryPhases(Checked):
    """Products at the memories: operands out, products, results back."""

    phase: Picoseconds = Field(default=0, description="commands, sequencing and the barrier of one product")
    arrival: Picoseconds = Field(
        default=0, description="software and synchronisation of a device in a row for each vector that arrives"
    )


class DataflowCores(Checked):
    """Cores that work through vectors on their own."""

    instruction: Picoseconds = Field(
        default=0, description="start of a vector instruction: a product needs one for each input value of a core"
    )


class Step(Checked):
    """What the host adds to each decode step."""

    base: Picoseconds = 0
    per_sequence: Picoseconds = 0


class Serving(Checked):
    """What a server does in each step beside the kernels of the layers; workloads with `served` have it, no others.

    The host's work on the next step may lie behind the kernels of this one: only what shows is meant.
    """

    step: Picoseconds = Field(default=0, description="between two steps")
    logit: Picoseconds = Field(default=0, description="drawing a token, of each logit of each sequence")
    together: PositiveInt | None = Field(
        default=None, description="sequences whose logits are sorted together; beyond them each is sorted by itself"
    )
    logit_beyond: Picoseconds = Field(default=0, description="of each logit of sequences beyond `together`")
    apart: tuple[str, ...] = Field(
        default=(), description="operators that have a kernel of their own, although another's may do them in passing"
    )
    passes: Mapping[str, Picoseconds] = Field(
        default={}, description="operators that nothing fuses: time of each elementary kernel after the first"
    )
    source: str = Field(description="measurements that the numbers were fitted on, and their ranges")


class Mix(Checked):
    """How decode steps of a whole model are billed: the terms of kernels measured alone do not hold for their mixture.

    Fitted on whole steps, so norms, epilogues and the softmax are inside. Prefill is billed as kernels alone are.
    """

    active: StaticPower | None = Field(
        default=None, description="power of one tile at work, where the machine states none"
    )
    sampling: StaticPower | None = Field(
        default=None, description="the same while tokens are drawn; as of any other operator if left out"
    )
    attention: Factor = Field(
        default=NO_OVERHEAD, description="price of a MAC of attention by single tokens over the machine's"
    )
    padding: bool = Field(
        default=True, description="whether padded rows of matrix products are billed; those of attention always are"
    )


class Stack(Checked):
    """One software stack on one architecture."""

    name: str
    source: str = Field(description="measurements that the numbers were fitted on, or why they are what they are")
    fusion: bool = Field(default=True, description="whether operators that may join another's kernel do")
    residency: Annotated[float, Field(gt=0, le=1)] = Field(
        default=1.0, description="share of an on-chip memory that activations can fill"
    )
    dequantise: Annotated[float, Field(ge=0)] = Field(
        default=1.0, description="vector operations per narrow weight turned into the MACs' type"
    )
    gemm: GemmKernels = GemmKernels()
    decode_attention: DecodeAttentionKernels = DecodeAttentionKernels()
    prefill_attention: PrefillAttentionKernels | None = Field(
        default=None,
        description="attention of many new tokens; divided evenly, every key and value read once, if left out",
    )
    experts: ExpertKernels = ExpertKernels()
    gemm_in: Mapping[Dtype, GemmKernels] = Field(default={}, description="matrix kernels for MACs in other data types")
    experts_in: Mapping[Dtype, ExpertKernels] = Field(
        default={}, description="expert kernels for MACs in other data types"
    )
    experts_scaled: Mapping[Dtype, ExpertKernels] = Field(
        default={}, description="of these, for weights with scales of groups; as without if left out"
    )
    scan: ScanKernels = ScanKernels()
    convolution: ConvolutionKernels | None = Field(
        default=None, description="causal convolutions; as other vector operators if left out"
    )
    vector: VectorKernels = VectorKernels()
    collectives: Collectives = Collectives()
    near_memory: NearMemoryPhases = NearMemoryPhases()
    dataflow: DataflowCores = DataflowCores()
    step: Step = Step()
    apart: tuple[str, ...] = Field(default=(), description="operators that do not join others' kernels")
    passes: Mapping[str, Picoseconds] = Field(
        default={}, description="operators that nothing fuses: time of each elementary kernel after the first"
    )
    serving: Serving | None = Field(default=None, description="what is added to steps of a server; nothing if none")
    mix: Mix | None = Field(default=None, description="how steps of whole models are billed; as single kernels if none")

    def experts_of(self, operator: Operator) -> ExpertKernels:
        """The kernels that do an operator's experts."""
        plain = self.experts_in.get(operator.mac_dtype, self.experts)
        scaled = any(tensor.scaled for tensor in operator.reads if tensor.role == "weights")
        return self.experts_scaled.get(operator.mac_dtype, plain) if scaled else plain

    def sampled(self, sequences: int, vocabulary: int) -> int:
        """Picoseconds of drawing a token for each sequence, beyond a kernel that passes over their logits."""
        more = self.serving
        if more is None:
            return 0
        first = sequences if more.together is None else min(sequences, more.together)
        return vocabulary * (more.logit * first + more.logit_beyond * (sequences - first))

    @property
    def as_served(self) -> Stack:
        """The stack as it runs steps of a server."""
        more = self.serving
        if more is None:
            return self
        step = self.step.model_copy(update={"base": self.step.base + more.step})
        added = {"apart": (*self.apart, *more.apart), "passes": {**self.passes, **more.passes}}
        return self.model_copy(update={"step": step, **added})

    @property
    def in_mix(self) -> Stack:
        """The stack as it runs steps of whole models."""
        if self.mix is None or self.mix.padding:
            return self
        unpadded, plain = {"rows": 1}, {"padding": False}
        return self.model_copy(
            update={
                "gemm": self.gemm.model_copy(update=unpadded),
                "gemm_in": {dtype: item.model_copy(update=unpadded) for dtype, item in self.gemm_in.items()},
                "experts": self.experts.model_copy(update=plain),
                "experts_in": {dtype: item.model_copy(update=plain) for dtype, item in self.experts_in.items()},
                "experts_scaled": {dtype: item.model_copy(update=plain) for dtype, item in self.experts_scaled.items()},
            }
        )
