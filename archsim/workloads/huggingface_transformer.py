"""Dimensions of a dense transformer from a Hugging Face `config.json`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from archsim.config.diagnostics import UnplacedError
from archsim.workloads.huggingface import Config, Names, language_model, translated

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
_UNEVEN = "some layers have an attention window and others none, and family `transformer` has equal layers"


def dimensions(config: Config) -> dict[str, Any]:
    """The fields of a `TransformerModel`.

    Raises UnplacedError where the architecture is unknown, belongs to another family, or lacks fields.
    """
    kind, config = language_model(config, "transformer", _FIELDS)
    architecture = _ARCHITECTURES[kind]
    required = {**_FIELDS, **{ours: _OPTIONAL_FIELDS[ours] for ours in architecture.requires}}
    found = translated(config, kind, required, _OPTIONAL_FIELDS)
    _refuse_uneven_layers(config)
    return {**found, "sliding_window": architecture.window(config), **architecture.flags(config)}


@dataclass(frozen=True, slots=True)
class _Architecture:
    """What a `model_type` needs beyond the common fields, what its layers have, and its attention window."""

    requires: tuple[str, ...] = ()
    flags: Callable[[Config], dict[str, bool]] = lambda _: {}
    window: Callable[[Config], int | None] = lambda config: config.get("sliding_window")


def _llama_flags(config: Config) -> dict[str, bool]:
    attention, feed_forward = bool(config.get("attention_bias")), bool(config.get("mlp_bias"))
    return {"qkv_bias": attention, "out_bias": attention, "feed_forward_bias": feed_forward}


def _qwen3_flags(config: Config) -> dict[str, bool]:
    attention = bool(config.get("attention_bias"))
    return {"qkv_bias": attention, "out_bias": attention, "qk_norm": True}


def _qwen_window(config: Config) -> int | None:
    """The layers from `max_window_layers` on have the window."""
    unlimited, layers = config.get("max_window_layers") or 0, config["num_hidden_layers"]
    if not (isinstance(unlimited, int) and isinstance(layers, int)):
        raise UnplacedError("max_window_layers and num_hidden_layers must be whole numbers")
    if not config.get("use_sliding_window") or unlimited >= layers:
        return None
    if unlimited:
        raise UnplacedError(f"max_window_layers is {unlimited}: {_UNEVEN}")
    return config.get("sliding_window")


_ARCHITECTURES = {
    "llama": _Architecture((), _llama_flags, lambda _: None),
    "mistral": _Architecture(("kv_heads",)),
    "phi3": _Architecture(),
    "qwen2": _Architecture(("kv_heads",), lambda _: {"qkv_bias": True}, _qwen_window),
    "qwen3": _Architecture(("kv_heads", "head_size"), _qwen3_flags, _qwen_window),
}


def _refuse_uneven_layers(config: Config) -> None:
    kinds = config.get("layer_types")
    if kinds and not (isinstance(kinds, list) and all(kind == kinds[0] for kind in kinds)):
        raise UnplacedError(f"layer_types differ: {_UNEVEN}")
    if (rotated := config.get("partial_rotary_factor") or 1) != 1:
        raise UnplacedError(f"partial_rotary_factor is {rotated}: family `transformer` rotates whole heads")
