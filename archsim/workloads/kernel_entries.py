"""Entries of a list of operators for whole kernels: attention, experts, recurrences, exchanges of devices."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, NonNegativeFloat, PositiveInt, model_validator

from archsim.config.diagnostics import UnplacedError
from archsim.config.units import Bytes
from archsim.model.trace import Exchange
from archsim.model.workload import StoredAs
from archsim.workloads.entry import BaseEntry, Names
from archsim.workloads.feed_forward import Activation
from archsim.workloads.gated_delta_net import GatedDeltaNet
from archsim.workloads.mamba2 import Mamba2
from archsim.workloads.recurrence import Mixer

PROMPT = "whether nothing comes before its tokens; if left out, so it is where there are several"


class AttentionEntry(BaseEntry):
    """New tokens against the cached ones of their sequence; their keys and values are appended to the cache."""

    kind: Literal["attention"]
    queries: PositiveInt = Field(default=1, description="new tokens of each sequence; 1: a step of decode")
    context: PositiveInt = Field(description="tokens of each sequence that are attended to, the new ones among them")
    heads: PositiveInt = Field(description="heads of queries")
    kv_heads: PositiveInt = Field(description="heads of keys and values; equal groups of query heads share one")
    head_size: PositiveInt = Field(default=128, description="values of a query, key or value")
    causal: bool = Field(default=True, description="whether a new token sees none after it")
    kv: StoredAs | None = Field(default=None, description="how the cache is stored; as the workload has it if left out")
    warm: bool = Field(
        default=False, description="whether the cache was left on the chip by whatever ran before, if it fits there"
    )
    inputs: Names = Field(default=(), description="earlier entries whose output is q, k and v; none: from outside")

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.heads % self.kv_heads:
            message = f"kv_heads must divide heads: {self.heads} is not a multiple of {self.kv_heads}"
            raise UnplacedError(message, at=("kv_heads",))
        if self.queries > self.context:
            message = f"{self.queries} new tokens are among the context, and it has {self.context}"
            raise UnplacedError(message, at=("context",))
        return self

    @property
    def takes(self) -> int:
        """Values of one sequence: queries, keys and values of its new tokens."""
        return self.queries * (self.heads + 2 * self.kv_heads) * self.head_size

    @property
    def puts_out(self) -> int:
        """Values of one sequence."""
        return self.queries * self.heads * self.head_size


class ExpertsEntry(BaseEntry):
    """Experts without their router: up, activation and down for the rows of each, as one fused kernel has them."""

    kind: Literal["experts"]
    tokens: PositiveInt = Field(default=1, description="rows of each sequence")
    experts: PositiveInt = Field(description="experts that there are")
    top_k: PositiveInt = Field(description="experts that a row goes to")
    hidden: PositiveInt = Field(description="values of a row")
    inner: PositiveInt = Field(description="inner width of an expert")
    activation: Activation = "swiglu"
    weights: StoredAs | None = Field(
        default=None, description="how they are stored; as the workload has it if left out"
    )
    routing: Literal["balanced", "uniform", "power_law_loads"] = Field(
        default="balanced",
        description="balanced: in turn; uniform: any other expert as likely; power_law_loads: loads of experts drawn "
        "from a density x^-exponent, as benchmarks do; both from the workload's seed",
    )
    exponent: Annotated[NonNegativeFloat, Field(le=8)] = Field(default=1.2, description="of power_law_loads")
    inputs: Names = Field(default=(), description="earlier entries whose output it reads; none: data from outside")

    @model_validator(mode="after")
    def _enough(self) -> Self:
        if self.top_k > self.experts:
            raise UnplacedError(f"a row can't go to {self.top_k} of {self.experts} experts", at=("top_k",))
        return self

    @property
    def takes(self) -> int:
        """Values of one sequence."""
        return self.tokens * self.hidden

    @property
    def puts_out(self) -> int:
        """Values of one sequence: the sums over its experts."""
        return self.tokens * self.hidden


class ScanEntry(BaseEntry):
    """A recurrence over the new tokens of each sequence: one step, or a prompt in chunks."""

    kind: Literal["scan"]
    recurrence: Literal["gated_delta_net", "mamba2"] = "gated_delta_net"
    tokens: PositiveInt = Field(default=1, description="new tokens of each sequence; 1: a step of decode")
    prompt: bool | None = Field(default=None, description=PROMPT)
    heads: PositiveInt = Field(description="heads with a state of their own")
    groups: PositiveInt = Field(description="groups of heads that share keys and queries (B and C)")
    head_size: PositiveInt = Field(default=128, description="values of a head")
    state_size: PositiveInt = Field(default=128, description="values that each value of a head has in the state")
    chunk: PositiveInt = Field(default=64, description="tokens of a prompt that are scanned in parallel")
    state: StoredAs = Field(default="fp32", validate_default=True, description="how the state is stored")
    warm: bool = Field(
        default=False, description="whether the state was left on the chip by whatever ran before, if it fits there"
    )
    inputs: Names = Field(default=(), description="earlier entries whose output it reads; none: data from outside")

    @model_validator(mode="after")
    def _heads_fit(self) -> Self:
        if self.heads % self.groups:
            message = f"groups must divide heads: {self.heads} is not a multiple of {self.groups}"
            raise UnplacedError(message, at=("groups",))
        return self

    @property
    def from_nothing(self) -> bool:
        """Whether there is no state before."""
        return self.tokens > 1 if self.prompt is None else self.prompt

    @property
    def mixer(self) -> Mixer:
        """Sizes per token, and what the scan computes."""
        if self.recurrence == "mamba2":
            return Mamba2(
                kind="mamba2",
                heads=self.heads,
                head_size=self.head_size,
                state_size=self.state_size,
                groups=self.groups,
                chunk=self.chunk,
            )
        return GatedDeltaNet(
            kind="gated_delta_net",
            key_heads=self.groups,
            value_heads=self.heads,
            key_size=self.state_size,
            value_size=self.head_size,
            chunk=self.chunk,
        )

    @property
    def takes(self) -> int:
        """Values of one sequence, step sizes and gates aside."""
        return self.tokens * self.mixer.channels

    @property
    def puts_out(self) -> int:
        """Values of one sequence."""
        return self.tokens * self.heads * self.head_size


class ConvolutionEntry(BaseEntry):
    """A causal convolution of each channel by itself, in front of a recurrence."""

    kind: Literal["convolution"]
    tokens: PositiveInt = Field(default=1, description="new tokens of each sequence; 1: a step of decode")
    prompt: bool | None = Field(default=None, description=PROMPT)
    channels: PositiveInt
    taps: PositiveInt = Field(default=4, description="tokens that an output sees, its own among them")
    warm: bool = Field(
        default=False, description="whether the state was left on the chip by whatever ran before, if it fits there"
    )
    inputs: Names = Field(default=(), description="earlier entries whose output it reads; none: data from outside")

    @property
    def from_nothing(self) -> bool:
        """Whether nothing comes before."""
        return self.tokens > 1 if self.prompt is None else self.prompt

    @property
    def takes(self) -> int:
        """Values of one sequence."""
        return self.tokens * self.channels

    @property
    def puts_out(self) -> int:
        """Values of one sequence."""
        return self.tokens * self.channels


class CollectiveEntry(BaseEntry):
    """An exchange among devices, of a buffer of each; the batch does not multiply it."""

    kind: Literal["collective"]
    operation: Exchange
    bytes: Annotated[Bytes, Field(gt=0)] = Field(
        description="buffer of a device: what it puts in, or for an all-gather what it gets"
    )
    devices: Annotated[int, Field(ge=2)] | None = Field(
        default=None, description="devices of a group; all of the machine if left out"
    )

    @property
    def puts_out(self) -> int:
        """Nothing to read; others can wait for it."""
        return 0
