"""State-space models: layers with a state of fixed size in place of attention over all tokens.

A layer is a recurrent mixer, Mamba-2 or a gated delta net, with a feed-forward part behind it where the model has one.
The state is kept in `state`, a data type of its own: recurrences lose accuracy sooner than weights do.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, PositiveInt

from archsim.model.dtype import Dtype
from archsim.model.trace import Trace
from archsim.workloads import decoder
from archsim.workloads.decoder import DecoderWorkload
from archsim.workloads.feed_forward import feed_forward
from archsim.workloads.gated_delta_net import GatedDeltaNet
from archsim.workloads.huggingface.reading import importing
from archsim.workloads.huggingface.ssm import dimensions
from archsim.workloads.language_model import LanguageModel, Layers
from archsim.workloads.mamba2 import Mamba2
from archsim.workloads.recurrence import recurrence
from archsim.workloads.sublayer import Layer, always
from archsim.workloads.token_pass import Pass

KIND = "ssm"


class SsmModel(LanguageModel):
    """What the weights of a state-space model look like; every layer is equal."""

    layers: Layers
    mixer: Annotated[Mamba2 | GatedDeltaNet, Field(discriminator="kind")]
    feed_forward: PositiveInt | None = Field(
        default=None, description="inner width of a gated feed-forward part in each layer; none: no such"
    )


_Model = Annotated[SsmModel, BeforeValidator(importing(dimensions), json_schema_input_type=str | SsmModel)]


class SsmWorkload(DecoderWorkload):
    """Decode, and prefill where the prompt is not cached, of a state-space model."""

    family: Literal["ssm"]
    model: _Model = Field(
        description="dimensions, or the path of a file with them: YAML, or a Hugging Face config.json"
    )
    state: Dtype = Field(default="fp32", description="data type of the recurrent states")


SPEC = SsmWorkload


def trace(spec: SsmWorkload) -> Trace:
    """The operators of all passes, and the weights and the states that they need."""
    model = spec.model

    def layers(at: Pass) -> list[Layer]:
        layer: Layer = (recurrence(at, model.mixer, spec.state),)
        if model.feed_forward:
            layer = (*layer, always("ffn", feed_forward(at, model.feed_forward, "swiglu", at.stream())))
        return [layer] * model.layers

    return replace(decoder.trace(spec, layers), heads=model.mixer.state.heads)
