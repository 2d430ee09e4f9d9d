"""Attention in which equal groups of query heads share keys and values (multi-head and multi-query included).

Operations of the vector unit, conventions of this project:

- rotary 3 per value: two products and a sum;
- softmax 5 per score: maximum, difference, exponential, sum, quotient.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache

from archsim.model.trace import Attention, Gemm, Operator, Tensor
from archsim.workloads.language_model import AttentionModel
from archsim.workloads.sublayer import Step, Sublayer
from archsim.workloads.token_pass import NORM_OPS, Operators, Pass, gemm

ROTARY_OPS = 3
SOFTMAX_OPS = 5


def visible_tokens(queries: int, context: int, window: int | None) -> int:
    """Tokens seen by the last `queries` of `context` tokens, summed over them: each sees itself and all before it.

    With a window, each sees no more than that many.
    """
    first, cap = context - queries + 1, context if window is None else min(window, context)
    rising = max(0, cap - first + 1)
    return rising * (first + cap) // 2 + (queries - rising) * cap


def grouped_attention(at: Pass, model: AttentionModel) -> Sublayer:
    """The sublayer; with a window its cache keeps no token that no later one sees."""
    before, after, window = _before(at, model), _after(at, model), model.sliding_window

    @cache
    def attends(reach: int) -> Operators:
        if not at.keeps("attention"):
            return ()
        (_, ongoing), *prompts = at.parts
        begun = (replace(_attention(part, model, part.tokens), name=f"{name}attention") for name, part in prompts)
        return (_attention(ongoing, model, reach), *begun)

    def operators(step: Step) -> Operators:
        reach = step.context if window is None else min(step.context, window + at.tokens - 1)
        return (*before, *attends(reach), *after)

    def held(tokens: int) -> tuple[Tensor, ...]:
        cached = at.keeps("attention") or at.keeps("kv_append")
        return (_kv(at, model, tokens if window is None else min(tokens, window)),) if cached else ()

    return Sublayer("attn", operators, operators(Step(0, at.tokens)), held)


def beside_attention(
    at: Pass, name: str, reads: tuple[Tensor, ...], writes: tuple[Tensor, ...], vector_ops: int
) -> Operator:
    """An operator that the kernel of attention may do in passing."""
    dtype, joins = at.dtypes.activations, at.joins("attention")
    return Operator(name, reads, writes, mac_dtype=dtype, vector_ops=vector_ops, shards="heads", joins=joins)


def _before(at: Pass, model: AttentionModel) -> Operators:
    """From the residual stream to queries, keys and values, these appended to the cache."""
    rows, size = at.rows, model.head_size
    q = at.values("q", rows * model.heads * size)
    k, v = (at.values(name, rows * model.kv_heads * size) for name in "kv")
    shape = Gemm(rows, (model.heads + 2 * model.kv_heads) * size, at.model.hidden)
    values = q.elements + k.elements
    rotary = (beside_attention(at, "rotary", (q, k), (q, k), ROTARY_OPS * values),) if model.rotary else ()
    operators = (
        gemm(at, "qkv", shape, at.normed, (q, k, v), "columns"),
        *((_qk_norm(at, q, k, size),) if model.qk_norm else ()),
        *rotary,
        beside_attention(at, "kv_append", (k, v), (at.kv(2 * rows * model.kv_heads, size),), 0),
    )
    return at.kept(operators)


def _attention(at: Pass, model: AttentionModel, context: int) -> Operator:
    """The new tokens against the first `context` of their sequences, themselves included where they are cached."""
    seen = at.batch * model.heads * visible_tokens(at.tokens, context, model.sliding_window)
    queries = at.rows * model.heads * model.head_size
    return Operator(
        "attention",
        reads=(at.values("q", queries), _kv(at, model, context)),
        writes=(at.values("attn", queries),),
        macs=2 * seen * model.head_size,
        mac_dtype=at.dtypes.activations,
        vector_ops=SOFTMAX_OPS * seen,
        shape=Attention(at.batch, at.tokens, context, model.heads, model.kv_heads, model.head_size, causal=True),
        shards="heads",
    )


def _after(at: Pass, model: AttentionModel) -> Operators:
    shape = Gemm(at.rows, at.model.hidden, model.heads * model.head_size)
    attended = "attn" if at.keeps("attention") else "q"
    return (gemm(at, "attn_out", shape, attended, (at.stream(),), "rows"),)


def _kv(at: Pass, model: AttentionModel, tokens: int) -> Tensor:
    """Keys and values of `tokens` tokens of each sequence."""
    return at.kv(2 * at.batch * tokens * model.kv_heads, model.head_size)


def _qk_norm(at: Pass, q: Tensor, k: Tensor, size: int) -> Operator:
    scales = tuple(at.weight_vector(f"{name}_norm.weight", size) for name in "qk")
    return beside_attention(at, "qk_norm", (q, k, *scales), (q, k), NORM_OPS * (q.elements + k.elements))
