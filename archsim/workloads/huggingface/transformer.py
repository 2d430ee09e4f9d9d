"""Dimensions of a dense transformer from a Hugging Face `config.json`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from archsim.config.diagnostics import UnplacedError
from archsim.workloads.huggingface.reading import Config, Names, every, expect, language_model, translated

_FIELDS: Names = {
    "layers": "num_hidden_layers",
    "hidden": "hidden_size",
    "feed_forward": "intermediate_size",
    "heads": "num_attention_heads",
    "vocabulary": "vocab_size",
}
_OPTIONAL_FIELDS: Names = {
    "kv_heads": "num_key_value_heads",
    "head_size": "head_dim",
    "max_context": "max_position_embeddings",
}
_UNEVEN = "some layers have an attention window and others none, and this reader knows equal layers"


def dimensions(config: Config) -> dict[str, Any]:
    """The fields of a `TransformerModel`.

    Raises UnplacedError where the architecture is unknown, belongs to another family, or lacks fields.
    """
    kind, config = language_model(config, "transformer", _FIELDS)
    architecture = _ARCHITECTURES[kind]
    config = {**architecture.unsaid, **config}
    required = {**_FIELDS, **{ours: _OPTIONAL_FIELDS[ours] for ours in architecture.requires}}
    found = translated(config, kind, required, _OPTIONAL_FIELDS)
    if architecture.even:
        _refuse_uneven_layers(config)
    return {**found, "sliding_window": architecture.window(config), **architecture.more(config)}


@dataclass(frozen=True, slots=True)
class _Architecture:
    """What a `model_type` needs beyond the common fields, what its layers have, and its attention window.

    `unsaid` are fields that files leave out where they have these values; layers of what is `even` are all alike.
    """

    requires: tuple[str, ...] = ()
    more: Callable[[Config], dict[str, Any]] = lambda _: {}
    window: Callable[[Config], int | None] = lambda config: config.get("sliding_window") or None
    even: bool = True
    unsaid: Config = field(default_factory=dict)


def _llama_flags(config: Config) -> dict[str, bool]:
    attention, feed_forward = bool(config.get("attention_bias")), bool(config.get("mlp_bias"))
    return {"qkv_bias": attention, "out_bias": attention, "feed_forward_bias": feed_forward}


def _qwen3_flags(config: Config) -> dict[str, bool]:
    attention = bool(config.get("attention_bias"))
    return {"qkv_bias": attention, "out_bias": attention, "qk_norm": True}


def _gemma_layers(config: Config) -> dict[str, Any]:
    expect(config, attention_bias=False)
    return {"activation": "geglu"}


def _gemma_2_layers(config: Config) -> dict[str, Any]:
    return {**_gemma_layers(config), "post_norms": True, "full_attention_every": every(config, 2)}


def _gemma_3_layers(config: Config) -> dict[str, Any]:
    return {**_gemma_layers(config), "post_norms": True, "qk_norm": True, "full_attention_every": every(config, 6)}


def _olmo_2_layers(config: Config) -> dict[str, Any]:
    """Norms after the parts of a layer, none before."""
    expect(config, attention_bias=False)
    return {"pre_norms": False, "post_norms": True, "qk_norm": True, "qk_norm_whole": True}


def _olmo_3_layers(config: Config) -> dict[str, Any]:
    return {**_olmo_2_layers(config), "full_attention_every": every(config, 4)}


def _qwen_window(config: Config) -> int | None:
    """The layers from `max_window_layers` on have the window."""
    unlimited = config.get("max_window_layers") or 0
    if not config.get("use_sliding_window") or unlimited >= config["num_hidden_layers"]:
        return None
    if unlimited:
        raise UnplacedError(f"max_window_layers is {unlimited}: {_UNEVEN}")
    return config.get("sliding_window") or None


_HEADS = ("kv_heads", "head_size")
_TIED = {"tie_word_embeddings": True}
_GEMMA_3 = {"num_attention_heads": 8, "num_key_value_heads": 4, "head_dim": 256, "vocab_size": 262208}
"""What transformers' Gemma3TextConfig takes where a file, as that of the 4B model, does not say."""

_ARCHITECTURES = {
    "llama": _Architecture((), _llama_flags, lambda _: None),
    "granite": _Architecture((), _llama_flags, lambda _: None),
    "mistral": _Architecture(("kv_heads",)),
    "phi3": _Architecture(),
    "qwen2": _Architecture(("kv_heads",), lambda _: {"qkv_bias": True}, _qwen_window),
    "qwen3": _Architecture(_HEADS, _qwen3_flags, _qwen_window),
    "olmo2": _Architecture((), _olmo_2_layers, lambda _: None),
    "olmo3": _Architecture((), _olmo_3_layers, even=False),
    "gemma": _Architecture(_HEADS, _gemma_layers, unsaid=_TIED),
    "gemma2": _Architecture(_HEADS, _gemma_2_layers, even=False, unsaid=_TIED),
    "gemma3_text": _Architecture(_HEADS, _gemma_3_layers, even=False, unsaid={**_TIED, **_GEMMA_3}),
}


def _refuse_uneven_layers(config: Config) -> None:
    kinds = config.get("layer_types")
    if kinds and len(set(kinds)) > 1:
        raise UnplacedError(f"layer_types differ: {_UNEVEN}")
    if (rotated := config.get("partial_rotary_factor") or 1) != 1:
        raise UnplacedError(f"partial_rotary_factor is {rotated}: this reader rotates whole heads")
