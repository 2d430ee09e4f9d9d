"""Dense decoder-only transformers: prefill and token-by-token decode.

A decode step is embedding, layers, final norm and head; its last operator makes a token of each sequence. The cache
holds the prompt before the first step, and each step appends the token that it works on, so step t (from 0) sees
prompt + t + 1 tokens. Without `kv_append` the cache does not grow, and each step sees the prompt. What is left out
(`without`) is neither computed nor stored.

The first layer differs: what a layer adds to the stream is added as the next begins, where one kernel can do it with
the norm. So a layer runs three short kernels (sum and norm twice, activation), and a step two more outside the layers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from archsim.config.diagnostics import UnplacedError
from archsim.model.trace import Block, Phase, Resident, Tensor, Trace
from archsim.model.workload import Workload
from archsim.workloads import transformer_layers as layers
from archsim.workloads.huggingface import dimensions, is_huggingface
from archsim.workloads.transformer_model import TransformerModel
from archsim.workloads.transformer_pass import Part, Pass

KIND = "transformer"


def _imported(model: Any) -> Any:
    return dimensions(model) if is_huggingface(model) else model


class TransformerWorkload(Workload):
    """Decode, and prefill where the prompt is not cached, of a dense transformer."""

    family: Literal["transformer"]
    model: Annotated[TransformerModel, BeforeValidator(_imported, json_schema_input_type=str | TransformerModel)] = (
        Field(description="dimensions, or the path of a file with them: YAML, or a Hugging Face config.json")
    )
    without: tuple[Part, ...] = Field(default=(), description="parts that are neither computed nor stored")

    @model_validator(mode="after")
    def _fits(self) -> Self:
        context, limit = self.prompt_tokens + self.output_tokens, self.model.max_context
        if limit is not None and context > limit:
            asked = f"prompt_tokens + output_tokens = {self.prompt_tokens} + {self.output_tokens} = {context}"
            message = f"context beyond the model's limit: {asked}, and {self.model.name} takes {limit}"
            raise UnplacedError(message, at=("prompt_tokens",))
        if not self.prompt_cached and not self.prompt_tokens:
            message = "there is no prompt to simulate: prompt_tokens is 0"
            raise UnplacedError(message, help="give prompt_tokens, or leave prompt_cached true", at=("prompt_cached",))
        return self

    @property
    def grows(self) -> bool:
        """Whether the cache gains a token in each decode step."""
        return "kv_append" not in self.without


SPEC = TransformerWorkload


def trace(spec: TransformerWorkload) -> Trace:
    """The operators of all passes, and the weights and the cache that they need."""
    blocks = tuple(_prefill(spec)) + tuple(_decode(spec))
    weights = _stored_weights(spec)
    residents = (
        Resident("weights", sum(tensor.bytes * times for tensor, times in weights)),
        Resident("kv", _cache_bytes(spec)),
    )
    return Trace(
        blocks,
        residents=tuple(resident for resident in residents if resident.bytes),
        parameters=sum(tensor.elements * times for tensor, times in weights),
        heads=spec.model.heads,
        kv_heads=spec.model.kv_heads,
    )


def _pass(spec: TransformerWorkload, tokens: int) -> Pass:
    sees_nothing = spec.prompt_tokens == 0 and not spec.grows
    left_out = {*spec.without, "attention"} if sees_nothing else spec.without
    return Pass(spec.model, spec.dtypes, spec.batch, tokens, frozenset(left_out))


def _prefill(spec: TransformerWorkload) -> Iterator[Block]:
    if not spec.prompt_cached:
        yield from _blocks(_pass(spec, spec.prompt_tokens), "prefill", "prompt")(spec.prompt_tokens)


def _decode(spec: TransformerWorkload) -> Iterator[Block]:
    step, window = _blocks(_pass(spec, 1), "decode", "token"), spec.model.sliding_window
    for t in range(spec.decode_steps):
        context = spec.prompt_tokens + (t + 1 if spec.grows else 0)
        yield from step(context if window is None else min(context, window))


def _blocks(at: Pass, phase: Phase, closes: str) -> Callable[[int], tuple[Block, ...]]:
    """The blocks of a pass by the context of its attention, which alone is built anew for each context."""
    first = (layers.embedding(at),) if at.keeps("embedding") else ()
    before, after, last = layers.before_attention(at), layers.after_attention(at), layers.after_layers(at)
    between = layers.between_layers(at)

    @cache
    def at_context(context: int) -> tuple[Block, ...]:
        attends = (layers.attention(at, context),) if at.keeps("attention") else ()
        layer = (*before, *attends, *after)
        alike = at.model.layers - 1 if between else at.model.layers
        stack = ((layer, at.model.layers - alike), ((*between, *layer), alike))
        layered = [Block(operators, phase, times, layer=True) for operators, times in stack]
        blocks = [Block(first, phase), *layered, Block(last, phase)]
        *others, final = (block for block in blocks if block.operators and block.times)
        return (*others, replace(final, closes=closes))

    return at_context


def _stored_weights(spec: TransformerWorkload) -> list[tuple[Tensor, int]]:
    """Each weight tensor of one step and the number of layers that have one; of the embedding the whole table, once."""
    at = _pass(spec, 1)
    table = at.weights("embedding.weight", spec.model.vocabulary, spec.model.hidden)
    steps = _blocks(at, "decode", "token")(1)
    read = [(tensor, block.times) for block in steps for operator in block.operators for tensor in operator.reads]
    matrices = [(tensor, times) for tensor, times in read if tensor.role == "weights" and tensor.name != table.name]
    looked_up = any(tensor.name == table.name for tensor, _ in read)
    return [*matrices, (table, 1)] if looked_up else matrices


def _cache_bytes(spec: TransformerWorkload) -> int:
    """Bytes of the cache at its largest; with a window it keeps no token that no later one sees."""
    if {"attention", "kv_append"} <= {*spec.without}:
        return 0
    tokens, window = spec.prompt_tokens + (spec.decode_steps if spec.grows else 0), spec.model.sliding_window
    return spec.model.layers * _pass(spec, 1).kv(tokens if window is None else min(tokens, window)).bytes
