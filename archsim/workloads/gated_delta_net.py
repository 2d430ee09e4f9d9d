"""Gated delta net (Yang, Kautz and Hatamizadeh 2024): sizes of a layer, and what its scan computes.

The state S of a value head is [value_size, key_size]. One token decays it, asks it for the value of its key, adds what
is missing, S = a S + b (v - a S k) k', and reads it, o = S q: 4 MACs per value of the state.

A prompt is scanned in chunks. For a chunk of C tokens: K K' and Q K' of each key head, C^2 key_size each; of each value
head the inverse of a unit triangular matrix, C (C - 1) (C - 2) / 6, its products with keys and values and the masked
sum over values, C^2 (key_size + 2 value_size), three products with the state, and its decay.

Operations of the vector unit, conventions of this project: 4 per value of q and k for their norms; 9 per value head and
token for decay (6) and gate (3); 2 per value of v; in a chunk 3 per value head and pair of tokens for the mask.
"""

from __future__ import annotations

from math import comb
from typing import Literal, Self

from pydantic import Field, PositiveInt, model_validator

from archsim.config.checked import Checked
from archsim.config.diagnostics import UnplacedError
from archsim.workloads.recurrence import MASK_OPS, State
from archsim.workloads.token_pass import NORM_OPS

CONTROL_OPS = 9
DELTA_OPS = 2


class GatedDeltaNet(Checked):
    """The mixer of a layer."""

    kind: Literal["gated_delta_net"]
    key_heads: PositiveInt = Field(description="heads of queries and keys")
    value_heads: PositiveInt = Field(description="heads of values, each with a state; equal groups share keys")
    key_size: PositiveInt = Field(description="values of a query or key")
    value_size: PositiveInt = Field(description="values of a head's value")
    convolution: PositiveInt = Field(default=4, description="tokens that the convolution sees")
    chunk: PositiveInt = Field(default=64, description="tokens of a prompt that are scanned in parallel")

    @model_validator(mode="after")
    def _heads_fit(self) -> Self:
        if self.value_heads % self.key_heads:
            message = f"key_heads must divide value_heads: {self.value_heads} is not a multiple of {self.key_heads}"
            raise UnplacedError(message, at=("key_heads",))
        return self

    @property
    def keys(self) -> int:
        """Values of all keys of a token."""
        return self.key_heads * self.key_size

    @property
    def inner(self) -> int:
        """Values of a token between the projections."""
        return self.value_heads * self.value_size

    @property
    def channels(self) -> int:
        """Values that the convolution takes: queries, keys and values."""
        return 2 * self.keys + self.inner

    @property
    def controls(self) -> int:
        """Values that are projected for the scan alone: decay and gate of each value head."""
        return 2 * self.value_heads

    @property
    def convolution_bias(self) -> bool:
        """The convolution has none."""
        return False

    @property
    def scan_weights(self) -> int:
        """Decay and its bias of each value head."""
        return 2 * self.value_heads

    @property
    def norm_weights(self) -> int:
        """Scales of the gated norm, which all heads share."""
        return self.value_size

    @property
    def norm_passes(self) -> int:
        """Operations of the gated norm on whole tensors: it has one kernel."""
        return 1

    @property
    def state(self) -> State:
        """What is kept of a sequence."""
        return State(self.value_heads, self.value_size, self.key_size)

    def step(self) -> tuple[int, int]:
        """MACs and vector operations of one token of one sequence."""
        ops = 2 * NORM_OPS * self.keys + CONTROL_OPS * self.value_heads + DELTA_OPS * self.inner
        return 4 * self.state.elements, ops

    def scan(self, length: int) -> tuple[int, int]:
        """MACs and vector operations of one chunk of one sequence."""
        shared = 2 * length**2 * self.keys
        own = length**2 * (self.key_size + 2 * self.value_size) + comb(length, 3)
        masked = MASK_OPS * self.value_heads * length**2
        chain = (3 * length + 1) * self.state.elements
        return shared + self.value_heads * own + chain, length * self.step()[1] + masked
