"""Mamba-2 (Dao and Gu 2024, "Transformers are SSMs"): sizes of a layer, and what its scan computes.

The state h of a head is [head_size, state_size]. One token decays it and adds an outer product, h = a h + (dt x) B', 2
MACs per value of the state, and reads it, y = h C, 1 MAC per value.

A prompt is scanned in chunks (section 6 there). For a chunk of Q tokens with groups G, heads H, head size P and state
size N: C B' of each group, Q^2 N; its product, masked, with the inputs of each head, Q^2 P; the state that the chunk
adds, Q N P; what the state before the chunk gives to each output, Q N P; and the chain from state to state, N P. Whole
squares are counted, as the kernels compute them.

Operations of the vector unit, conventions of this project: 6 per head and token for its step size and decay (bias,
exponential, sum, logarithm, product, exponential); 3 per value of x (its product with the step, and the skip
connection); in a chunk 3 per head and pair of tokens for the mask (difference, exponential, product).
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field, PositiveInt

from archsim.config.checked import Checked
from archsim.workloads.recurrence import MASK_OPS, State

STEP_SIZE_OPS = 6
INPUT_OPS = 3


class Mamba2(Checked):
    """The mixer of a layer."""

    kind: Literal["mamba2"]
    heads: PositiveInt
    head_size: PositiveInt = Field(description="values of a head; heads x head_size is the inner width")
    state_size: PositiveInt = Field(description="values that each value of a head has in the state")
    groups: PositiveInt = Field(default=1, description="groups of heads that share B and C")
    convolution: PositiveInt = Field(default=4, description="tokens that the convolution sees")
    convolution_bias: bool = True
    chunk: PositiveInt = Field(default=256, description="tokens of a prompt that are scanned in parallel")

    @property
    def inner(self) -> int:
        """Values of a token between the projections."""
        return self.heads * self.head_size

    @property
    def channels(self) -> int:
        """Values that the convolution takes: x, B and C."""
        return self.inner + 2 * self.groups * self.state_size

    @property
    def controls(self) -> int:
        """Values that are projected for the scan alone: step sizes."""
        return self.heads

    @property
    def scan_weights(self) -> int:
        """Decay, skip connection and step bias of each head."""
        return 3 * self.heads

    @property
    def norm_weights(self) -> int:
        """Scales of the gated norm."""
        return self.inner

    @property
    def norm_passes(self) -> int:
        """Operations of the gated norm on whole tensors: none has one kernel for the norm of each of several groups.

        The gate widened, its SiLU, the product with x; then square, mean, epsilon, root, product, narrowed, scaled. Of
        a single group the narrowed product goes to a kernel that norms and scales.
        """
        return 5 if self.groups == 1 else 10

    @property
    def state(self) -> State:
        """What is kept of a sequence."""
        return State(self.heads, self.head_size, self.state_size)

    def step(self) -> tuple[int, int]:
        """MACs and vector operations of one token of one sequence."""
        return 3 * self.state.elements, STEP_SIZE_OPS * self.heads + INPUT_OPS * self.inner

    def scan(self, length: int) -> tuple[int, int]:
        """MACs and vector operations of one chunk of one sequence."""
        within = length**2 * (self.groups * self.state_size + self.inner)
        masked = MASK_OPS * self.heads * length**2
        return within + (2 * length + 1) * self.state.elements, length * self.step()[1] + masked
