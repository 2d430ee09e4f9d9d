"""Dimensions that the models of several families share; norms are root-mean-square, without a bias."""

from __future__ import annotations

from typing import Annotated, Any, Self

from pydantic import Field, PositiveInt, SerializerFunctionWrapHandler, model_serializer, model_validator

from archsim.config.checked import Checked
from archsim.config.diagnostics import UnplacedError

MOST_LAYERS = 10_000
"""Many times what any model has: more is a slip, and would take a run without an end."""

Layers = Annotated[int, Field(ge=1, le=MOST_LAYERS)]


class LanguageModel(Checked):
    """A stack of layers between an embedding table and a head."""

    name: str
    hidden: PositiveInt = Field(description="width of the residual stream")
    vocabulary: PositiveInt = Field(description="rows of the embedding table")
    tied_embeddings: bool = Field(default=False, description="the head is the embedding table")
    max_context: PositiveInt | None = Field(default=None, description="most tokens of a sequence; none: no limit")

    @property
    def biased(self) -> frozenset[str]:
        """Names of the GEMMs that add a bias."""
        return frozenset()

    @property
    def sparse(self) -> bool:
        """Whether some layers have experts."""
        return False

    @property
    def normed_before(self) -> bool:
        """Whether what a layer's parts take in is normalised."""
        return True

    @property
    def moot(self) -> frozenset[str]:
        """Fields that say nothing beside others that are given: a file that has both is refused."""
        return frozenset()

    @model_serializer(mode="wrap", when_used="json")
    def _without_what_is_moot(self, written: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return {name: value for name, value in written(self).items() if name not in self.moot}


def _query_heads(given: dict[str, Any]) -> int:
    return int(given.get("heads", 1))


def _equal_share(given: dict[str, Any]) -> int:
    return int(given.get("hidden", 1) // given.get("heads", 1))


class AttentionModel(LanguageModel):
    """A model with attention in which equal groups of query heads share keys and values."""

    heads: PositiveInt = Field(description="query heads")
    kv_heads: PositiveInt = Field(
        default_factory=_query_heads,
        description="key and value heads: as many as query heads where left out, 1 for multi-query",
    )
    head_size: PositiveInt = Field(
        default_factory=_equal_share, description="values of a head: hidden / heads where left out"
    )
    rotary: bool = Field(default=True, description="queries and keys are rotated by their positions")
    rotary_size: PositiveInt | None = Field(default=None, description="values of a head that are rotated; none: all")
    qkv_bias: bool = Field(default=False, description="bias of the query, key and value projections")
    out_bias: bool = Field(default=False, description="bias of the attention output projection")
    qk_norm: bool = Field(default=False, description="queries and keys are normalised head by head")
    qk_norm_whole: bool = Field(
        default=False, description="that norm is one over all heads of the queries, and one over those of the keys"
    )
    sinks: bool = Field(default=False, description="each query head has a learned score beside those of the tokens")
    output_gate: bool = Field(
        default=False, description="what a head attends to is multiplied by a gate, projected with the queries"
    )
    sliding_window: PositiveInt | None = Field(default=None, description="latest tokens attention sees; none: all")

    @model_validator(mode="after")
    def _heads_fit(self) -> Self:
        if "head_size" not in self.model_fields_set and self.hidden % self.heads:
            message = f"hidden ({self.hidden}) is not a multiple of heads ({self.heads})"
            raise UnplacedError(message, help="give head_size", at=("hidden",))
        if (self.rotary_size or 0) > self.head_size:
            message = f"rotary_size ({self.rotary_size}) is larger than a head ({self.head_size})"
            raise UnplacedError(message, at=("rotary_size",))
        if self.qk_norm_whole and not self.qk_norm:
            message = "qk_norm_whole says over what queries and keys are normalised, and they are not"
            raise UnplacedError(message, help="give qk_norm: true", at=("qk_norm_whole",))
        if self.heads % self.kv_heads:
            message = f"kv_heads must divide heads: {self.heads} is not a multiple of {self.kv_heads}"
            raise UnplacedError(message, help="equal groups of query heads share one of these", at=("kv_heads",))
        return self

    @property
    def biased(self) -> frozenset[str]:
        """Names of the GEMMs that add a bias."""
        return frozenset(name for name, given in (("qkv", self.qkv_bias), ("attn_out", self.out_bias)) if given)


class DecoderModel(AttentionModel):
    """A model in which every layer begins with attention."""

    layers: Layers
    full_attention_every: PositiveInt | None = Field(
        default=None, description="the last of every so many layers has no window; none: all have it"
    )
    pre_norms: bool = Field(default=True, description="what attention and feed-forward take in is normalised")
    post_norms: bool = Field(default=False, description="what attention and feed-forward put out is normalised")

    @model_validator(mode="after")
    def _a_window_to_leave_out(self) -> Self:
        if self.full_attention_every and self.full_attention_every > self.layers:
            message = f"of {self.layers} layers none is the last of {self.full_attention_every}: all have the window"
            raise UnplacedError(message, help="leave out full_attention_every", at=("full_attention_every",))
        if self.full_attention_every and self.sliding_window is None:
            message = "full_attention_every says which layers have no window, and there is no window"
            raise UnplacedError(message, help="give sliding_window", at=("full_attention_every",))
        return self

    @property
    def normed_before(self) -> bool:
        """Whether what attention and feed-forward take in is normalised."""
        return self.pre_norms

    @property
    def windows(self) -> tuple[int | None, ...]:
        """The attention window of each layer; None where it sees all tokens."""
        every = self.full_attention_every
        return tuple(
            None if every and (index + 1) % every == 0 else self.sliding_window for index in range(self.layers)
        )
