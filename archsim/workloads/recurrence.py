"""A layer with a state of fixed size: projection, causal convolution, scan, gated norm, projection.

One token reads and writes the state, and the inputs that the convolution still sees. A prompt starts from nothing, is
scanned in chunks and leaves its last state; between chunks the state is passed on, inside them all is parallel.
Operations of the vector unit per value, conventions of this project:

- convolution 2 per token that it sees, 1 for a bias, 4 for the SiLU behind it;
- gated norm 4 for the norm, 5 for the SiLU of the gate and its product.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Protocol

from archsim.model.dtype import Dtype
from archsim.model.trace import Convolution, Gemm, Operator, Scan, Tensor
from archsim.workloads.sublayer import Sublayer, always
from archsim.workloads.token_pass import NORM_OPS, Pass, gemm, in_part, product, vector

TAP_OPS = 2
SILU_OPS = 4
GATE_OPS = SILU_OPS + 1
MASK_OPS = 3


@dataclass(frozen=True, slots=True)
class State:
    """The state of one sequence in one layer: a matrix for each head."""

    heads: int
    head_size: int
    state_size: int

    @property
    def elements(self) -> int:
        """Values of all heads."""
        return self.heads * self.head_size * self.state_size


class Mixer(Protocol):
    """Sizes of a recurrent layer per token, and what its scan computes."""

    @property
    def inner(self) -> int: ...
    @property
    def channels(self) -> int: ...
    @property
    def controls(self) -> int: ...
    @property
    def convolution(self) -> int: ...
    @property
    def convolution_bias(self) -> bool: ...
    @property
    def scan_weights(self) -> int: ...
    @property
    def norm_weights(self) -> int: ...
    @property
    def norm_passes(self) -> int: ...
    @property
    def state(self) -> State: ...
    @property
    def chunk(self) -> int: ...
    def step(self) -> tuple[int, int]: ...
    def scan(self, length: int) -> tuple[int, int]: ...


def recurrence(at: Pass, mixer: Mixer, state: Dtype) -> Sublayer:
    """The sublayer, with its state kept in that data type."""
    gate, mixed = at.values("gate", at.rows * mixer.inner), at.values("mixed", at.rows * mixer.channels)
    controls, gated = at.values("controls", at.rows * mixer.controls), at.values("gated", at.rows * mixer.inner)
    scanned = at.values("scanned", gated.elements)
    scans = [
        in_part(name, operator)
        for name, part in at.parts
        for operator in (_convolution(part, mixer), _scan(part, mixer, state))
    ]
    projected = Gemm(at.rows, mixer.inner + mixer.channels + mixer.controls, at.model.hidden)
    scales = at.weight_vector("gated_norm.weight", mixer.norm_weights)
    ops = (NORM_OPS + GATE_OPS) * gated.elements
    operators = (
        gemm(at, "in_proj", projected, at.normed, (gate, mixed, controls), "columns"),
        *scans,
        replace(vector(at, "gated_norm", (scanned, gate, scales), (gated,), ops, "columns"), passes=mixer.norm_passes),
        product(at, "out_proj", Gemm(at.rows, at.model.hidden, mixer.inner), (gated,), (at.stream(),), "rows"),
    )
    return always("ssm", operators, (_inputs(at, mixer), _state(at, mixer, state)))


def _convolution(at: Pass, mixer: Mixer) -> Operator:
    """Each channel by itself over the latest tokens, in place."""
    taps = at.weight_vector("conv.weight", mixer.channels * mixer.convolution)
    bias = (at.weight_vector("conv.bias", mixer.channels),) if mixer.convolution_bias else ()
    mixed, kept = at.values("mixed", at.rows * mixer.channels), _inputs(at, mixer)
    earlier = () if at.from_nothing else (kept,)
    ops = TAP_OPS * mixer.convolution + len(bias) + SILU_OPS
    made = vector(at, "conv", (mixed, *earlier, taps, *bias), (mixed, kept), ops * mixed.elements, "columns")
    return replace(made, shape=Convolution(at.batch, at.tokens, mixer.channels, at.from_nothing))


def _scan(at: Pass, mixer: Mixer, dtype: Dtype) -> Operator:
    size, kept = mixer.state, _state(at, mixer, dtype)
    mixed, weights = at.values("mixed", at.rows * mixer.channels), at.weight_vector("scan.weight", mixer.scan_weights)
    controls, scanned = (
        at.values(name, at.rows * size) for name, size in (("controls", mixer.controls), ("scanned", mixer.inner))
    )
    macs, ops = scanned_work(mixer, at.tokens) if at.from_nothing else mixer.step()
    return Operator(
        "scan",
        reads=(mixed, controls, *(() if at.from_nothing else (kept,)), weights),
        writes=(scanned, kept),
        macs=at.batch * macs,
        mac_dtype=at.dtypes.activations,
        vector_ops=at.batch * ops,
        shape=Scan(at.batch, at.tokens, size.heads, size.head_size, size.state_size, mixer.chunk, at.from_nothing),
        shards="heads",
    )


def scanned_work(mixer: Mixer, tokens: int) -> tuple[int, int]:
    """MACs and vector operations of a prompt in chunks, of which the last may be shorter."""
    chunks, rest = divmod(tokens, mixer.chunk)
    whole, last = mixer.scan(mixer.chunk), mixer.scan(rest) if rest else (0, 0)
    return chunks * whole[0] + last[0], chunks * whole[1] + last[1]


def _inputs(at: Pass, mixer: Mixer) -> Tensor:
    """The inputs of earlier tokens that the convolution sees."""
    elements = at.batch * mixer.channels * (mixer.convolution - 1)
    return at.plain("conv_state", "state", elements, at.dtypes.activations)


def _state(at: Pass, mixer: Mixer, dtype: Dtype) -> Tensor:
    return at.plain("ssm_state", "state", at.batch * mixer.state.elements, dtype)
