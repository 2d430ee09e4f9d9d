"""Mixtures of experts: a transformer in which the feed-forward part is a choice of experts.

Each layer of each step draws its own routing from the seed, so no two are alike; leading layers may be dense. Attention
is grouped, or latent as in DeepSeek-V2 and V3.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, NonNegativeInt, PositiveInt, model_validator

from archsim.config.diagnostics import UnplacedError
from archsim.model.trace import Trace
from archsim.workloads import decoder, routing
from archsim.workloads.decoder import DecoderWorkload
from archsim.workloads.feed_forward import feed_forward
from archsim.workloads.grouped_attention import attention_by_layer
from archsim.workloads.huggingface.moe import dimensions
from archsim.workloads.huggingface.reading import importing
from archsim.workloads.language_model import DecoderModel
from archsim.workloads.latent_attention import Latent, latent_attention
from archsim.workloads.mixture import Mixture, mixture
from archsim.workloads.routing import Router, Routing, UniformRouting
from archsim.workloads.sublayer import Layer, Sublayer, always, ended
from archsim.workloads.token_pass import Pass

KIND = "moe"

_OF_GROUPED_HEADS = frozenset(
    (
        "kv_heads",
        "head_size",
        "rotary",
        "rotary_size",
        "qkv_bias",
        "qk_norm",
        "qk_norm_whole",
        "sliding_window",
        "sinks",
        "output_gate",
    )
)


class MoeModel(DecoderModel):
    """What the weights of a mixture of experts look like; experts are gated (gate, up, down)."""

    experts: Mixture
    dense_layers: NonNegativeInt = Field(default=0, description="leading layers without experts")
    feed_forward: PositiveInt | None = Field(default=None, description="inner width of the dense layers")
    latent: Latent | None = Field(default=None, description="latent attention, in place of grouped heads")

    @model_validator(mode="after")
    def _hangs_together(self) -> Self:
        if self.dense_layers >= self.layers:
            message = f"of {self.layers} layers, {self.dense_layers} are dense: none has experts"
            raise UnplacedError(message, "family `transformer` has dense layers only", ("dense_layers",))
        if self.dense_layers and self.feed_forward is None:
            raise UnplacedError("dense layers need feed_forward, their inner width", at=("dense_layers",))
        if given := sorted(self.moot & self.model_fields_set):
            raise UnplacedError(f"latent attention takes its sizes from `latent`: leave out {given[0]}", at=(given[0],))
        return self

    @property
    def moot(self) -> frozenset[str]:
        """Latent attention has sizes of its own."""
        return _OF_GROUPED_HEADS if self.latent else frozenset()

    @property
    def sparse(self) -> bool:
        """Some layers have experts."""
        return True

    @property
    def sparse_layers(self) -> range:
        """Numbers of the layers with experts."""
        return range(self.dense_layers, self.layers)


_Model = Annotated[MoeModel, BeforeValidator(importing(dimensions), json_schema_input_type=str | MoeModel)]


class MoeWorkload(DecoderWorkload):
    """Decode, and prefill where the prompt is not cached, of a mixture of experts."""

    family: Literal["moe"]
    model: _Model = Field(
        description="dimensions, or the path of a file with them: YAML, or a Hugging Face config.json"
    )
    routing: Routing = Field(
        default=UniformRouting(kind="uniform"), description="how likely tokens are to go to each expert"
    )

    @model_validator(mode="after")
    def _traced(self) -> Self:
        experts = self.model.experts
        routing.check(self.routing, self.model.sparse_layers, experts.count, experts.top_k)
        return self


SPEC = MoeWorkload


def trace(spec: MoeWorkload) -> Trace:
    """The operators of all passes, and the weights and the cache that they need."""
    model = spec.model
    router = Router(spec.routing, model.experts.count, model.experts.top_k, spec.seed)

    def layers(at: Pass) -> list[Layer]:
        width = model.feed_forward
        sparse = ended(at, model, mixture(at, model.experts, "swiglu", router))
        dense = ended(at, model, always("ffn", feed_forward(at, width, "swiglu", at.stream()))) if width else sparse
        parts = [dense] * model.dense_layers + [sparse] * len(model.sparse_layers)
        return list(zip(_attention(at, model), parts, strict=True))

    kv_heads = 1 if model.latent else model.kv_heads
    found = decoder.trace(spec, layers)
    return replace(found, heads=model.heads, kv_heads=kv_heads, experts=model.experts.count)


def _attention(at: Pass, model: MoeModel) -> list[Sublayer]:
    """The attention of each layer."""
    if model.latent is None:
        return attention_by_layer(at, model)
    return [ended(at, model, latent_attention(at, model.latent, model.heads))] * model.layers
