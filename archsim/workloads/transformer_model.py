"""Dimensions of a dense decoder-only transformer."""

from __future__ import annotations

from typing import Self

from pydantic import Field, PositiveInt, model_validator

from archsim.config.diagnostics import UnplacedError
from archsim.workloads.feed_forward import Activation
from archsim.workloads.language_model import DecoderModel


class TransformerModel(DecoderModel):
    """What the weights of a dense transformer look like; layers differ in their attention window alone."""

    feed_forward: PositiveInt = Field(description="inner width of the feed-forward part")
    gated: bool = Field(default=True, description="three feed-forward matrices (gate, up, down), or two (up, down)")
    activation: Activation | None = Field(
        default=None, description="swiglu if gated, gelu if not, where left out; geglu is gated, relu2 is not"
    )
    feed_forward_bias: bool = Field(default=False, description="bias of the feed-forward matrices")

    @model_validator(mode="after")
    def _gated_as_its_activation(self) -> Self:
        if self.moot & self.model_fields_set:
            raise UnplacedError(
                "`activation` says whether the feed-forward part is gated", "leave out gated", ("gated",)
            )
        return self

    @property
    def moot(self) -> frozenset[str]:
        """An activation says whether it is gated."""
        return frozenset({"gated"} if self.activation else ())

    @property
    def activates(self) -> Activation:
        """What stands between the feed-forward matrices."""
        return self.activation or ("swiglu" if self.gated else "gelu")

    @property
    def biased(self) -> frozenset[str]:
        """Names of the GEMMs that add a bias."""
        feed_forward = ("gate_up", "up", "down") if self.feed_forward_bias else ()
        return super().biased.union(feed_forward)
