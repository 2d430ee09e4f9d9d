"""Multi-head latent attention (DeepSeek-V2, 2024): the cache holds one latent vector per token, which all heads share.

A prompt is computed as published: keys and values of each head are expanded from the latent vectors. A single token
uses the absorbed form, in which the expansion moves to the queries and to the result: the latent vector and the
rotated part of the key are then the key of all heads, and the latent vector is the value. Both have the same weights.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache

from pydantic import Field, PositiveInt

from archsim.config.checked import Checked
from archsim.model.trace import Attention, Gemm, Operator, Tensor
from archsim.workloads.grouped_attention import ROTARY_OPS, SOFTMAX_OPS, beside_attention, visible_tokens
from archsim.workloads.sublayer import Step, Sublayer
from archsim.workloads.token_pass import NORM_OPS, Operators, Pass, gemm, in_part, product, vector


class Latent(Checked):
    """Sizes of latent attention; those of heads stand here, and not in `head_size` and `kv_heads`."""

    query_rank: PositiveInt | None = Field(
        default=None, description="values of the latent query; none: queries are projected at once"
    )
    kv_rank: PositiveInt = Field(description="values of the latent vector of keys and values")
    nope_size: PositiveInt = Field(description="values of a head's key without position")
    rope_size: PositiveInt = Field(description="values of the rotated part of the key, which all heads share")
    value_size: PositiveInt = Field(description="values of a head's value")

    @property
    def key_size(self) -> int:
        """Values of a head's query and key."""
        return self.nope_size + self.rope_size

    @property
    def cached(self) -> int:
        """Values of the vector that a token has in the cache."""
        return self.kv_rank + self.rope_size


def latent_attention(at: Pass, latent: Latent, heads: int) -> Sublayer:
    """The sublayer, with the expanded form for a prompt and the absorbed one for a single token."""
    before = _before(at, latent, heads)
    shape = Gemm(at.rows, at.model.hidden, heads * latent.value_size)
    after = gemm(at, "attn_out", shape, "attn", (at.stream(),), "rows")

    @cache
    def attends(context: int) -> Operators:
        return tuple(
            in_part(name, operator)
            for name, part in at.parts
            for operator in _attends(part, latent, heads, part.tokens if name else context)
        )

    def operators(step: Step) -> Operators:
        return (*before, *attends(step.context), after)

    return Sublayer("attn", operators, operators(Step(0, at.tokens)), lambda tokens: (_kv(at, latent, tokens),))


def _attends(at: Pass, latent: Latent, heads: int, context: int) -> Operators:
    return (_expanded if at.from_nothing else _absorbed)(at, latent, heads, context)


def _before(at: Pass, latent: Latent, heads: int) -> Operators:
    """From the residual stream to queries and the latent vector, this appended to the cache."""
    rows, rank, hidden = at.rows, latent.query_rank, at.model.hidden
    q, row, rotated = _queries(at, latent, heads), at.values("latent", rows * latent.kv_rank), _rotated(at, latent)
    turned = (q[1], rotated)
    queries: Operators
    if rank is None:
        queries = (gemm(at, "q", Gemm(rows, heads * latent.key_size, hidden), at.normed, q, "columns"),)
    else:
        down = at.values("q_latent", rows * rank)
        queries = (
            gemm(at, "q_a", Gemm(rows, rank, hidden), at.normed, (down,), "none"),
            _norm(at, "q_a_norm", down, rank),
            gemm(at, "q_b", Gemm(rows, heads * latent.key_size, rank), "q_latent", q, "columns"),
        )
    append = beside_attention(at, "kv_append", (row, rotated), (at.kv(rows, latent.cached),), 0)
    return (
        *queries,
        gemm(at, "kv_a", Gemm(rows, latent.cached, hidden), at.normed, (row, rotated), "none"),
        _norm(at, "kv_a_norm", row, latent.kv_rank),
        beside_attention(at, "rotary", turned, turned, ROTARY_OPS * (q[1].elements + rotated.elements)),
        replace(append, shards="none"),  # all heads of a device read one vector, so each device caches it whole
    )


def _absorbed(at: Pass, latent: Latent, heads: int, context: int) -> Operators:
    """Queries to the latent space, attention there, and back: a product per head each, of block-diagonal weights."""
    rows, rank = at.rows, latent.kv_rank
    straight, turned = _queries(at, latent, heads)
    absorbed, summed = (at.values(name, rows * heads * rank) for name in ("q_absorbed", "attn_latent"))
    result = at.values("attn", rows * heads * latent.value_size)
    sizes = Attention(at.batch, at.tokens, context, heads, 1, latent.cached, causal=True, value_size=rank)
    up = Gemm(rows, heads * rank, latent.nope_size)
    down = Gemm(rows, heads * latent.value_size, rank)
    return (
        product(at, "q_absorb", up, (straight,), (absorbed,), "heads"),
        _attention(at, sizes, (absorbed, turned, _kv(at, latent, context)), summed),
        product(at, "v_absorb", down, (summed,), (result,), "heads"),
    )


def _expanded(at: Pass, latent: Latent, heads: int, context: int) -> Operators:
    """Keys and values of each head, and attention over them."""
    rows, per_head, size = at.rows, latent.nope_size + latent.value_size, latent.key_size
    expanded = at.values("kv_expanded", rows * heads * per_head)
    result = at.values("attn", rows * heads * latent.value_size)
    sizes = Attention(at.batch, at.tokens, context, heads, heads, size, causal=True, value_size=latent.value_size)
    reads = (*_queries(at, latent, heads), expanded, _rotated(at, latent))
    return (
        gemm(at, "kv_b", Gemm(rows, heads * per_head, latent.kv_rank), "latent", (expanded,), "columns"),
        _attention(at, sizes, reads, result),
    )


def _queries(at: Pass, latent: Latent, heads: int) -> tuple[Tensor, Tensor]:
    """Queries without position, and the part of them that is rotated."""
    sizes = {"q": latent.nope_size, "q_rotated": latent.rope_size}
    straight, turned = (at.values(name, at.rows * heads * size) for name, size in sizes.items())
    return straight, turned


def _rotated(at: Pass, latent: Latent) -> Tensor:
    """The part of the key that is rotated, one for all heads."""
    return at.values("k_rotated", at.rows * latent.rope_size)


def _attention(at: Pass, sizes: Attention, reads: tuple[Tensor, ...], result: Tensor) -> Operator:
    seen = at.batch * sizes.heads * visible_tokens(at.tokens, sizes.context, None)
    per_score = sizes.head_size + (sizes.value_size or sizes.head_size)
    return Operator(
        "attention",
        reads=reads,
        writes=(result,),
        macs=seen * per_score,
        mac_dtype=at.dtypes.activations,
        vector_ops=SOFTMAX_OPS * seen,
        shape=sizes,
        shards="heads",
    )


def _norm(at: Pass, name: str, row: Tensor, length: int) -> Operator:
    """Norm of each row of that length, in place."""
    return vector(at, name, (row, at.weight_vector(f"{name}.weight", length)), (row,), NORM_OPS * at.rows * length)


def _kv(at: Pass, latent: Latent, tokens: int) -> Tensor:
    """The cached vectors of `tokens` tokens of each sequence."""
    return at.kv(at.batch * tokens, latent.cached)
