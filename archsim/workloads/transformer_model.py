"""Dimensions of a dense decoder-only transformer."""

from __future__ import annotations

from pydantic import Field, PositiveInt

from archsim.workloads.language_model import AttentionModel


class TransformerModel(AttentionModel):
    """What the weights of a dense transformer look like; every layer is equal."""

    layers: PositiveInt
    feed_forward: PositiveInt = Field(description="inner width of the feed-forward part")
    gated: bool = Field(default=True, description="three feed-forward matrices (gate, up, down), or two (up, down)")
    feed_forward_bias: bool = Field(default=False, description="bias of the feed-forward matrices")

    @property
    def biased(self) -> frozenset[str]:
        """Names of the GEMMs that add a bias."""
        feed_forward = ("gate_up", "up", "down") if self.feed_forward_bias else ()
        return super().biased.union(feed_forward)
