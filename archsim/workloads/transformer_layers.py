"""The operators of a transformer, in program order."""

from __future__ import annotations

from archsim.model.trace import Attention, Gemm, Operator, Tensor
from archsim.workloads.transformer_pass import (
    GATED_ACTIVATION_OPS,
    NORM_OPS,
    PLAIN_ACTIVATION_OPS,
    ROTARY_OPS,
    SOFTMAX_OPS,
    Pass,
    gemm,
    norm,
    residual,
)


def visible_tokens(queries: int, context: int, window: int | None) -> int:
    """Tokens seen by the last `queries` of `context` tokens, summed over them: each sees itself and all before it.

    With a window, each sees no more than that many.
    """
    first, cap = context - queries + 1, context if window is None else min(window, context)
    rising = max(0, cap - first + 1)
    return rising * (first + cap) // 2 + (queries - rising) * cap


def embedding(at: Pass) -> Operator:
    """The rows of the table that the tokens name."""
    model = at.model
    touched = min(at.rows, model.vocabulary)
    return Operator(
        "embedding",
        reads=(_token_ids(at.rows), at.weights("embedding.weight", touched, model.hidden)),
        writes=(at.values("hidden", at.rows * model.hidden),),
        mac_dtype=at.dtypes.activations,
    )


def before_attention(at: Pass) -> tuple[Operator, ...]:
    """From the residual stream to queries, keys and values, these appended to the cache."""
    model, rows = at.model, at.rows
    q = at.values("q", rows * model.heads * model.head_size)
    k, v = (at.values(name, rows * model.kv_heads * model.head_size) for name in "kv")
    qkv = Gemm(rows, (model.heads + 2 * model.kv_heads) * model.head_size, model.hidden)
    normed_heads = (_qk_norm(at, q, k),) if model.qk_norm else ()
    operators = (
        norm(at, "attn_norm", rows),
        gemm(at, "qkv", qkv, at.normed, (q, k, v), "columns"),
        *normed_heads,
        _beside_attention(at, "rotary", (q, k), (q, k), ROTARY_OPS * (q.elements + k.elements)),
        _beside_attention(at, "kv_append", (k, v), (at.kv(at.tokens),), 0),
    )
    return _kept(at, operators)


def attention(at: Pass, context: int) -> Operator:
    """The new tokens against the first `context` of their sequences, themselves included where they are cached."""
    model = at.model
    seen = at.batch * model.heads * visible_tokens(at.tokens, context, model.sliding_window)
    reach = context if model.sliding_window is None else min(context, model.sliding_window + at.tokens - 1)
    queries = at.rows * model.heads * model.head_size
    return Operator(
        "attention",
        reads=(at.values("q", queries), at.kv(reach)),
        writes=(at.values("attn", queries),),
        macs=2 * seen * model.head_size,
        mac_dtype=at.dtypes.activations,
        vector_ops=SOFTMAX_OPS * seen,
        shape=Attention(at.batch, at.tokens, reach, model.heads, model.kv_heads, model.head_size, causal=True),
        shards="heads",
    )


def after_attention(at: Pass) -> tuple[Operator, ...]:
    """From attention back to the residual stream, and through the feed-forward part."""
    model, rows = at.model, at.rows
    width = model.heads * model.head_size
    stream = at.values(at.added, rows * model.hidden)
    up_name, up_width = ("gate_up", 2 * model.feed_forward) if model.gated else ("up", model.feed_forward)
    up = at.values("up", rows * up_width)
    attended = "attn" if at.keeps("attention") else "q"
    activated = "activated" if at.keeps("activation") else "up"
    operators = (
        gemm(at, "attn_out", Gemm(rows, model.hidden, width), attended, (stream,), "rows"),
        residual(at, "attn_residual", rows, joins="ffn_norm"),
        norm(at, "ffn_norm", rows),
        gemm(at, up_name, Gemm(rows, up_width, model.hidden), at.normed, (up,), "columns"),
        _activation(at, up),
        gemm(at, "down", Gemm(rows, model.hidden, model.feed_forward), activated, (stream,), "rows"),
    )
    return _kept(at, operators)


def between_layers(at: Pass) -> tuple[Operator, ...]:
    """What a layer adds to the stream, added as the next layer begins, where a kernel can do it with the norm."""
    return _kept(at, (residual(at, "ffn_residual", at.rows, joins="attn_norm"),))


def after_layers(at: Pass) -> tuple[Operator, ...]:
    """From the last layer to the logits, of the last token of each sequence only: no other is asked for."""
    model = at.model
    logits = at.values("logits", at.batch * model.vocabulary)
    shape = Gemm(at.batch, model.vocabulary, model.hidden)
    return _kept(
        at,
        (
            residual(at, "ffn_residual", at.batch, joins="final_norm"),
            norm(at, "final_norm", at.batch),
            gemm(at, "head", shape, at.normed, (logits, _token_ids(at.batch)), "columns"),
        ),
    )


def _kept(at: Pass, operators: tuple[Operator, ...]) -> tuple[Operator, ...]:
    return tuple(operator for operator in operators if at.keeps(operator.name))


def _token_ids(tokens: int) -> Tensor:
    """What ties a token to the one before: the head names it, the embedding looks it up. An id is as wide as fp32."""
    return Tensor("tokens", "activations", tokens, "fp32", 4 * tokens)


def _beside_attention(
    at: Pass, name: str, reads: tuple[Tensor, ...], writes: tuple[Tensor, ...], vector_ops: int
) -> Operator:
    return Operator(
        name,
        reads,
        writes,
        mac_dtype=at.dtypes.activations,
        vector_ops=vector_ops,
        shards="heads",
        joins=at.joins("attention"),
    )


def _qk_norm(at: Pass, q: Tensor, k: Tensor) -> Operator:
    scales = tuple(at.weight_vector(f"{name}_norm.weight", at.model.head_size) for name in "qk")
    return _beside_attention(at, "qk_norm", (q, k, *scales), (q, k), NORM_OPS * (q.elements + k.elements))


def _activation(at: Pass, up: Tensor) -> Operator:
    size = at.rows * at.model.feed_forward
    return Operator(
        "activation",
        reads=(up,),
        writes=(at.values("activated", size),),
        mac_dtype=at.dtypes.activations,
        vector_ops=size * (GATED_ACTIVATION_OPS if at.model.gated else PLAIN_ACTIVATION_OPS),
        shards="columns",
    )
