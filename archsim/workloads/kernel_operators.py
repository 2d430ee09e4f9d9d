"""From an entry for a whole kernel to the operators that a trace has for it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from archsim.model.dtype import Dtype, packed_bytes
from archsim.model.trace import Attention, Collective, Convolution, Experts, Operator, Role, Scan, Tensor
from archsim.model.workload import Dtypes, Format
from archsim.workloads.feed_forward import ACTIVATION_OPS, up_projection
from archsim.workloads.grouped_attention import SOFTMAX_OPS, visible_tokens
from archsim.workloads.kernel_entries import (
    AttentionEntry,
    CollectiveEntry,
    ConvolutionEntry,
    ExpertsEntry,
    ScanEntry,
)
from archsim.workloads.loads import loads
from archsim.workloads.mixture import COMBINE_OPS
from archsim.workloads.recurrence import SILU_OPS, TAP_OPS, scanned_work

Inputs = tuple[Tensor, ...]
KernelEntry = AttentionEntry | CollectiveEntry | ConvolutionEntry | ExpertsEntry | ScanEntry


@dataclass(frozen=True, slots=True)
class Lot:
    """What the entries of a list share: sequences, data types and the seed."""

    batch: int
    dtypes: Dtypes
    seed: int

    def values(self, name: str, of_a_sequence: int) -> Tensor:
        """Activations of all sequences."""
        return self.plain(name, "activations", of_a_sequence, self.dtypes.activations)

    def plain(self, name: str, role: Role, of_a_sequence: int, dtype: Dtype, *, warm: bool = False) -> Tensor:
        """Values of all sequences, stored without scales."""
        elements = self.batch * of_a_sequence
        return Tensor(name, role, elements, dtype, packed_bytes(elements, dtype), warm)


def whole_kernel(at: Lot, entry: KernelEntry, inputs: Inputs) -> tuple[Operator, ...]:
    """The operators of an entry that reads `inputs`."""
    if isinstance(entry, ExpertsEntry):
        return _experts(at, entry, inputs)
    if isinstance(entry, AttentionEntry):
        return (_attention(at, entry, inputs),)
    if isinstance(entry, ScanEntry):
        return (_scan(at, entry, inputs),)
    return (_collective(at, entry) if isinstance(entry, CollectiveEntry) else _convolution(at, entry, inputs),)


def _attention(at: Lot, entry: AttentionEntry, inputs: Inputs) -> Operator:
    """Scores, softmax and the sum of values, and the new tokens' part of the cache."""
    stored = entry.kv or at.dtypes.kv
    shape = Attention(
        at.batch, entry.queries, entry.context, entry.heads, entry.kv_heads, entry.head_size, causal=entry.causal
    )
    pairs = visible_tokens(entry.queries, entry.context, None) if entry.causal else entry.queries * entry.context
    seen = at.batch * entry.heads * pairs
    return Operator(
        entry.name,
        reads=(*inputs, _kv(at, entry, stored, entry.context)),
        writes=(at.values(f"{entry.name}.out", entry.puts_out), _kv(at, entry, stored, entry.queries)),
        macs=2 * seen * entry.head_size,
        mac_dtype=at.dtypes.activations,
        vector_ops=SOFTMAX_OPS * seen,
        shape=shape,
        shards="heads",
    )


def _kv(at: Lot, entry: AttentionEntry, stored: Format, tokens: int) -> Tensor:
    vectors, length = 2 * at.batch * tokens * entry.kv_heads, entry.head_size
    size = stored.bytes(vectors, length)
    return Tensor(f"{entry.name}.kv", "kv", vectors * length, stored.dtype, size, entry.warm)


def _experts(at: Lot, entry: ExpertsEntry, inputs: Inputs) -> tuple[Operator, ...]:
    """Four operators; the last adds up what the experts of a row put out, and bears the entry's output."""
    rows = at.batch * entry.tokens
    drawn = loads(entry.routing, entry.exponent, entry.experts, entry.top_k, rows, f"{at.seed}/{entry.name}")
    _, outputs = up_projection(entry.activation)
    width, routed = entry.inner, entry.tokens * entry.top_k
    up = at.values(f"{entry.name}.up", routed * outputs * width)
    activated = at.values(f"{entry.name}.activated", routed * width)
    apart = at.values(f"{entry.name}.apart", routed * entry.hidden)
    result = at.values(f"{entry.name}.out", entry.puts_out)
    ops, sums = ACTIVATION_OPS[entry.activation] * at.batch * routed * width, COMBINE_OPS * apart.elements
    upwards = Experts(drawn, outputs * width, entry.hidden, entry.top_k)
    return (
        _products(at, entry, "up", upwards, (*inputs, up)),
        Operator(f"{entry.name}.activation", (up,), (activated,), 0, at.dtypes.activations, ops, shards="experts"),
        _products(at, entry, "down", replace(upwards, n=entry.hidden, k=width), (activated, apart)),
        Operator(f"{entry.name}.combine", (apart,), (result,), 0, at.dtypes.activations, sums),
    )


def _products(at: Lot, entry: ExpertsEntry, part: str, shape: Experts, tensors: Inputs) -> Operator:
    *reads, result = tensors
    stored = entry.weights or at.dtypes.weights
    rows = shape.n * sum(load > 0 for load in shape.loads)
    name = f"{entry.name}.{part}"
    weights = Tensor(f"{name}.weight", "weights", rows * shape.k, stored.dtype, stored.bytes(rows, shape.k))
    macs = sum(shape.loads) * shape.n * shape.k
    return Operator(name, (*reads, weights), (result,), macs, at.dtypes.activations, shape=shape, shards="experts")


def _scan(at: Lot, entry: ScanEntry, inputs: Inputs) -> Operator:
    """One step from the state before, or a prompt from nothing."""
    mixer, step = entry.mixer, not entry.from_nothing
    macs, ops = mixer.step() if step and entry.tokens == 1 else scanned_work(mixer, entry.tokens)
    kept = at.plain(f"{entry.name}.state", "state", mixer.state.elements, entry.state.dtype, warm=entry.warm)
    controls = at.values(f"{entry.name}.controls", entry.tokens * mixer.controls)
    return Operator(
        entry.name,
        reads=(*inputs, controls, *((kept,) if step else ())),
        writes=(at.values(f"{entry.name}.out", entry.puts_out), kept),
        macs=at.batch * macs,
        mac_dtype=at.dtypes.activations,
        vector_ops=at.batch * ops,
        shape=Scan(at.batch, entry.tokens, entry.heads, entry.head_size, entry.state_size, entry.chunk, not step),
        shards="heads",
    )


def _convolution(at: Lot, entry: ConvolutionEntry, inputs: Inputs) -> Operator:
    """Outputs from the tokens that each sees; those that the next step still sees are kept."""
    dtype, name = at.dtypes.activations, entry.name
    kept = at.plain(f"{name}.state", "state", (entry.taps - 1) * entry.channels, dtype, warm=entry.warm)
    taps = packed_bytes(entry.channels * entry.taps, dtype)
    weights = Tensor(f"{name}.weight", "weights", entry.channels * entry.taps, dtype, taps)
    return Operator(
        name,
        reads=(*inputs, *(() if entry.from_nothing else (kept,)), weights),
        writes=(at.values(f"{name}.out", entry.puts_out), kept),
        mac_dtype=dtype,
        vector_ops=at.batch * entry.puts_out * (TAP_OPS * entry.taps + SILU_OPS),
        shape=Convolution(at.batch, entry.tokens, entry.channels, entry.from_nothing),
        shards="columns",
    )


def _collective(at: Lot, entry: CollectiveEntry) -> Operator:
    """An exchange, after which others can go on."""
    done = at.values(f"{entry.name}.out", 0)
    shape = Collective(entry.operation, entry.bytes, entry.devices)
    return Operator(entry.name, (), (done,), mac_dtype=at.dtypes.activations, shape=shape)
