"""Attention in which equal groups of query heads share keys and values (multi-head and multi-query included).

Operations of the vector unit, conventions of this project:

- rotary 3 per value: two products and a sum;
- softmax 5 per score: maximum, difference, exponential, sum, quotient;
- sink 1 per query and head, where there are some: its exponential;
- gate 4 per value, where there is one: exponential, sum, quotient, product.
"""

from __future__ import annotations

from functools import cache

from archsim.model.trace import Attention, Gemm, Operator, Tensor
from archsim.workloads.language_model import AttentionModel, DecoderModel
from archsim.workloads.sublayer import Step, Sublayer, ended
from archsim.workloads.token_pass import NORM_OPS, Operators, Pass, gemm, in_part, vector

ROTARY_OPS = 3
SOFTMAX_OPS = 5
SINK_OPS = 1
GATE_OPS = 4


def visible_tokens(queries: int, context: int, window: int | None) -> int:
    """Tokens seen by the last `queries` of `context` tokens, summed over them: each sees itself and all before it.

    With a window, each sees no more than that many.
    """
    first, cap = context - queries + 1, context if window is None else min(window, context)
    rising = max(0, cap - first + 1)
    return rising * (first + cap) // 2 + (queries - rising) * cap


def grouped_attention(at: Pass, model: AttentionModel, window: int | None) -> Sublayer:
    """The sublayer; with a window its cache keeps no token that no later one sees."""
    before, after = _before(at, model), _after(at, model)

    @cache
    def attends(reach: int) -> Operators:
        if not at.keeps("attention"):
            return ()
        return tuple(
            in_part(name, _attention(part, model, part.tokens if name else reach, window)) for name, part in at.parts
        )

    def operators(step: Step) -> Operators:
        reach = step.context if window is None else min(step.context, window + at.tokens - 1)
        return (*before, *attends(reach), *after)

    def held(tokens: int) -> tuple[Tensor, ...]:
        cached = at.keeps("attention") or at.keeps("kv_append")
        return (_kv(at, model, tokens if window is None else min(tokens, window)),) if cached else ()

    return Sublayer("attn", operators, operators(Step(0, at.tokens)), held)


def attention_by_layer(at: Pass, model: DecoderModel) -> list[Sublayer]:
    """The attention of each layer; layers with the same window share one."""
    kinds = {window: ended(at, model, grouped_attention(at, model, window)) for window in set(model.windows)}
    return [kinds[window] for window in model.windows]


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
    gates = (_gate(at, model),) if model.output_gate else ()
    queries = (1 + len(gates)) * model.heads
    shape = Gemm(rows, (queries + 2 * model.kv_heads) * size, at.model.hidden)
    rotated = rows * (model.heads + model.kv_heads) * (model.rotary_size or size)
    rotary = (beside_attention(at, "rotary", (q, k), (q, k), ROTARY_OPS * rotated),) if model.rotary else ()
    sunk, learned = _sinks(at, model), at.weight_vector("sinks.weight", model.heads)
    sinks = (beside_attention(at, "sinks", (learned,), (sunk,), SINK_OPS * sunk.elements),) if model.sinks else ()
    operators = (
        gemm(at, "qkv", shape, at.normed, (q, k, v, *gates), "columns"),
        *((_qk_norm(at, q, k, model),) if model.qk_norm else ()),
        *rotary,
        *sinks,
        beside_attention(at, "kv_append", (k, v), (at.kv(2 * rows * model.kv_heads, size),), 0),
    )
    return at.kept(operators)


def _attention(at: Pass, model: AttentionModel, context: int, window: int | None) -> Operator:
    """The new tokens against the first `context` of their sequences, themselves included where they are cached."""
    seen = at.batch * model.heads * visible_tokens(at.tokens, context, window)
    queries = at.rows * model.heads * model.head_size
    sinks = (_sinks(at, model),) if model.sinks else ()
    return Operator(
        "attention",
        reads=(at.values("q", queries), _kv(at, model, context), *sinks),
        writes=(at.values("attn", queries),),
        macs=2 * seen * model.head_size,
        mac_dtype=at.dtypes.activations,
        vector_ops=SOFTMAX_OPS * seen,
        shape=Attention(at.batch, at.tokens, context, model.heads, model.kv_heads, model.head_size, causal=True),
        shards="heads",
    )


def _sinks(at: Pass, model: AttentionModel) -> Tensor:
    """A score of each new token and head that no token takes."""
    return at.values("sink_scores", at.rows * model.heads)


def _after(at: Pass, model: AttentionModel) -> Operators:
    shape = Gemm(at.rows, at.model.hidden, model.heads * model.head_size)
    attended = at.values("attn" if at.keeps("attention") else "q", shape.m * shape.k)
    ops = GATE_OPS * attended.elements
    gate = (vector(at, "attn_gate", (attended, _gate(at, model)), (attended,), ops, "heads"),)
    return (
        *(gate if model.output_gate else ()),
        gemm(at, "attn_out", shape, attended.name, (at.stream(),), "rows"),
    )


def _gate(at: Pass, model: AttentionModel) -> Tensor:
    return at.values("gate", at.rows * model.heads * model.head_size)


def _kv(at: Pass, model: AttentionModel, tokens: int) -> Tensor:
    """Keys and values of `tokens` tokens of each sequence."""
    return at.kv(2 * at.batch * tokens * model.kv_heads, model.head_size)


def _qk_norm(at: Pass, q: Tensor, k: Tensor, model: AttentionModel) -> Operator:
    heads = {"q": model.heads, "k": model.kv_heads} if model.qk_norm_whole else dict.fromkeys("qk", 1)
    scales = tuple(at.weight_vector(f"{name}_norm.weight", heads[name] * model.head_size) for name in heads)
    return beside_attention(at, "qk_norm", (q, k, *scales), (q, k), NORM_OPS * (q.elements + k.elements))
