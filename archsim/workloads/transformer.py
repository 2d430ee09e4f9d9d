"""Dense decoder-only transformers: prefill and token-by-token decode.

Without `kv_append` the cache does not grow, and each step sees the prompt. What is left out (`without`) is neither
computed nor stored.

A layer runs three short kernels (sum and norm twice, activation), and a step two more outside the layers.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from archsim.model.trace import Trace
from archsim.workloads import decoder
from archsim.workloads.decoder import DecoderWorkload
from archsim.workloads.feed_forward import feed_forward
from archsim.workloads.grouped_attention import attention_by_layer
from archsim.workloads.huggingface.reading import importing
from archsim.workloads.huggingface.transformer import dimensions
from archsim.workloads.sublayer import Layer, always, ended
from archsim.workloads.token_pass import Part, Pass
from archsim.workloads.transformer_model import TransformerModel

KIND = "transformer"

_Model = Annotated[
    TransformerModel, BeforeValidator(importing(dimensions), json_schema_input_type=str | TransformerModel)
]


class TransformerWorkload(DecoderWorkload):
    """Decode, and prefill where the prompt is not cached, of a dense transformer."""

    family: Literal["transformer"]
    model: _Model = Field(
        description="dimensions, or the path of a file with them: YAML, or a Hugging Face config.json"
    )
    without: tuple[Part, ...] = Field(default=(), description="parts that are neither computed nor stored")

    @property
    def grows(self) -> bool:
        """Whether the cache gains a token in each decode step."""
        return "kv_append" not in self.without

    @property
    def left_out(self) -> frozenset[Part]:
        """Parts of the model that are neither computed nor stored; where there is nothing to see, attention is one."""
        sees_nothing = self.prompt_tokens == 0 and not self.grows
        return frozenset((*self.without, "attention") if sees_nothing else self.without)


SPEC = TransformerWorkload


def trace(spec: TransformerWorkload) -> Trace:
    """The operators of all passes, and the weights and the cache that they need."""
    model = spec.model

    def layers(at: Pass) -> list[Layer]:
        ffn = ended(at, model, always("ffn", feed_forward(at, model.feed_forward, model.activates, at.stream())))
        return [(attn, ffn) for attn in attention_by_layer(at, model)]

    return replace(decoder.trace(spec, layers), heads=model.heads, kv_heads=model.kv_heads)
