"""Hybrids: recurrent layers, attention, feed-forward parts and mixtures of experts in a pattern.

Each letter of the pattern is a layer of one part with a norm and a residual of its own: `M` a recurrent mixer, `*`
attention, `-` a feed-forward part, `E` a mixture of experts, as in Nemotron-H.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, PositiveInt, model_validator

from archsim.config.diagnostics import UnplacedError
from archsim.model.dtype import Dtype
from archsim.model.trace import Trace
from archsim.workloads import decoder, routing
from archsim.workloads.decoder import DecoderWorkload
from archsim.workloads.feed_forward import Activation, feed_forward
from archsim.workloads.gated_delta_net import GatedDeltaNet
from archsim.workloads.grouped_attention import grouped_attention
from archsim.workloads.huggingface.hybrid import KINDS, dimensions
from archsim.workloads.huggingface.reading import importing
from archsim.workloads.language_model import AttentionModel
from archsim.workloads.mamba2 import Mamba2
from archsim.workloads.mixture import Mixture, mixture
from archsim.workloads.recurrence import recurrence
from archsim.workloads.routing import Router, Routing, UniformRouting
from archsim.workloads.sublayer import Layer, Sublayer, always
from archsim.workloads.token_pass import Pass

KIND = "hybrid"

_NEEDS = {"M": "mixer", "-": "feed_forward", "E": "experts"}


def _letters(pattern: Any) -> Any:
    """A list of kinds as the letters that stand for them; what is no kind stays, and is found wanting."""
    names = isinstance(pattern, list | tuple) and all(isinstance(kind, str) for kind in pattern)
    return "".join(KINDS.get(kind, kind) for kind in pattern) if names else pattern


class HybridModel(AttentionModel):
    """What the weights of a hybrid look like."""

    pattern: Annotated[str, BeforeValidator(_letters, json_schema_input_type=str | list[str])] = Field(
        description="a letter for each layer, or a list of ssm, attention, mlp and moe"
    )
    mixer: Annotated[Mamba2 | GatedDeltaNet, Field(discriminator="kind")] | None = Field(
        default=None, description="the recurrent layers, M"
    )
    feed_forward: PositiveInt | None = Field(default=None, description="inner width of the feed-forward layers, -")
    experts: Mixture | None = Field(default=None, description="the layers with experts, E")
    activation: Activation = Field(
        default="swiglu", description="swiglu, geglu: gate, up and down matrices; gelu, relu2: up and down"
    )

    @model_validator(mode="after")
    def _every_letter_is_known(self) -> Self:
        letters = "".join(dict.fromkeys(KINDS.values()))
        for index, letter in enumerate(self.pattern):
            if letter not in letters:
                message = f"`{letter}`, letter {index + 1} of the pattern, is none of {', '.join(letters)}"
                raise UnplacedError(message, "M recurrent, * attention, - feed-forward, E experts", ("pattern",))
            needed = _NEEDS.get(letter)
            if needed and getattr(self, needed) is None:
                raise UnplacedError(f"the pattern has `{letter}`, and the model no `{needed}`", at=("pattern",))
        if not self.pattern:
            raise UnplacedError("the pattern has no layers", at=("pattern",))
        return self

    @property
    def sparse(self) -> bool:
        """Whether some layers have experts."""
        return bool(self.sparse_layers)

    @property
    def sparse_layers(self) -> list[int]:
        """Numbers of the layers with experts."""
        return [index for index, letter in enumerate(self.pattern) if letter == "E"]


_Model = Annotated[HybridModel, BeforeValidator(importing(dimensions), json_schema_input_type=str | HybridModel)]


class HybridWorkload(DecoderWorkload):
    """Decode, and prefill where the prompt is not cached, of a hybrid."""

    family: Literal["hybrid"]
    model: _Model = Field(
        description="dimensions, or the path of a file with them: YAML, or a Hugging Face config.json"
    )
    state: Dtype = Field(default="fp32", description="data type of the recurrent states")
    routing: Routing = Field(
        default=UniformRouting(kind="uniform"), description="how likely tokens are to go to each expert"
    )

    @model_validator(mode="after")
    def _traced(self) -> Self:
        if experts := self.model.experts:
            routing.check(self.routing, self.model.sparse_layers, experts.count, experts.top_k)
        return self


SPEC = HybridWorkload


def trace(spec: HybridWorkload) -> Trace:
    """The operators of all passes, and the weights, caches and states that they need."""
    model = spec.model

    def layers(at: Pass) -> list[Layer]:
        parts = _parts(spec, at)
        return [(parts[letter],) for letter in model.pattern]

    attends = "*" in model.pattern
    return replace(
        decoder.trace(spec, layers),
        heads=model.heads if attends else 0,
        kv_heads=model.kv_heads if attends else 0,
        experts=model.experts.count if model.experts and model.sparse_layers else 0,
    )


def _parts(spec: HybridWorkload, at: Pass) -> dict[str, Sublayer]:
    """The sublayer that each letter stands for."""
    model = spec.model
    parts = {"*": grouped_attention(at, model, model.sliding_window)}
    if model.mixer:
        parts["M"] = recurrence(at, model.mixer, spec.state)
    if model.feed_forward:
        parts["-"] = always("ffn", feed_forward(at, model.feed_forward, model.activation, at.stream()))
    if model.experts:
        router = Router(spec.routing, model.experts.count, model.experts.top_k, spec.seed)
        parts["E"] = mixture(at, model.experts, model.activation, router)
    return parts
