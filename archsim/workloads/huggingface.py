"""Dimensions of a dense transformer from a Hugging Face `config.json`, as published.

Only architectures whose parameters come out exactly are translated. Fields that do not change the shape are ignored;
of a model with several parts, the language model (`text_config`) is taken.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from archsim.config.diagnostics import UnplacedError, did_you_mean, listed

Config = Mapping[str, Any]

_FIELDS = {
    "layers": "num_hidden_layers",
    "hidden": "hidden_size",
    "feed_forward": "intermediate_size",
    "heads": "num_attention_heads",
    "vocabulary": "vocab_size",
}
_OPTIONAL_FIELDS = {
    "kv_heads": "num_key_value_heads",
    "head_size": "head_dim",
    "max_context": "max_position_embeddings",
}
_OTHER_FAMILIES = {
    "a mixture of experts": ("num_local_experts", "num_experts", "n_routed_experts", "moe_num_experts"),
    "a state-space model": ("state_size", "ssm_state_size", "mamba_d_state", "mamba_num_heads"),
}
_OTHER_TYPES = {
    "a mixture of experts": ("mixtral", "qwen2_moe", "qwen3_moe", "deepseek_v2", "deepseek_v3", "gpt_oss", "dbrx"),
    "a state-space model": ("mamba", "mamba2", "falcon_mamba", "jamba", "nemotron_h", "bamba", "zamba2"),
}


def is_huggingface(model: object) -> bool:
    """Whether this is the content of a `config.json`, and not of a file of dimensions."""
    return isinstance(model, Mapping) and not {"model_type", "architectures", "text_config"}.isdisjoint(model)


def dimensions(config: Config) -> dict[str, Any]:
    """The fields of a `TransformerModel`.

    Raises ValueError where the architecture is unknown, belongs to another family, or lacks fields.
    """
    nested = config.get("text_config")
    config = {**config, **nested} if isinstance(nested, Mapping) else config
    kind = _model_type(config)
    _refuse_other_families(kind, config)
    if kind not in _ARCHITECTURES:
        raise _unknown(kind, config)
    architecture = _ARCHITECTURES[kind]
    if lacking := _lacking(config, architecture.requires):
        raise UnplacedError(f"the config.json of model_type `{kind}` lacks {listed(lacking)}")
    _refuse_uneven_layers(config)
    optional = {ours: config[theirs] for ours, theirs in _OPTIONAL_FIELDS.items() if config.get(theirs) is not None}
    return {
        "name": config.get("_name_or_path") or kind,
        **{ours: config[theirs] for ours, theirs in _FIELDS.items()},
        **optional,
        "tied_embeddings": bool(config.get("tie_word_embeddings", False)),
        "sliding_window": architecture.window(config),
        **architecture.flags(config),
    }


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


_UNEVEN = "some layers have an attention window and others none, and family `transformer` has equal layers"
_ARCHITECTURES = {
    "llama": _Architecture((), _llama_flags, lambda _: None),
    "mistral": _Architecture(("num_key_value_heads",)),
    "phi3": _Architecture(),
    "qwen2": _Architecture(("num_key_value_heads",), lambda _: {"qkv_bias": True}, _qwen_window),
    "qwen3": _Architecture(("num_key_value_heads", "head_dim"), _qwen3_flags, _qwen_window),
}


def _model_type(config: Config) -> str:
    """`model_type`, or else the type that the first of `architectures` names (LlamaForCausalLM: llama)."""
    if given := config.get("model_type"):
        return str(given)
    named = config.get("architectures") or "(none)"
    name = str(named[0] if isinstance(named, list) else named)
    stem = name.partition("For")[0].lower()
    known = (*_ARCHITECTURES, *(kind for kinds in _OTHER_TYPES.values() for kind in kinds))
    return next((kind for kind in known if kind.replace("_", "") == stem), name)


def _refuse_other_families(kind: str, config: Config) -> None:
    for family, fields in _OTHER_FAMILIES.items():
        if kind in _OTHER_TYPES[family] or any(config.get(field) for field in fields):
            raise UnplacedError(
                f"model_type `{kind}` is {family}, which family `transformer` does not cover",
                help=f"it covers dense transformers: {listed(_ARCHITECTURES)}",
            )


def _refuse_uneven_layers(config: Config) -> None:
    kinds = config.get("layer_types")
    if kinds and not (isinstance(kinds, list) and all(kind == kinds[0] for kind in kinds)):
        raise UnplacedError(f"layer_types differ: {_UNEVEN}")
    if (rotated := config.get("partial_rotary_factor") or 1) != 1:
        raise UnplacedError(f"partial_rotary_factor is {rotated}: family `transformer` rotates whole heads")


def _lacking(config: Config, more: tuple[str, ...] = ()) -> list[str]:
    return [field for field in (*_FIELDS.values(), *more) if config.get(field) is None]


def _unknown(kind: str, config: Config) -> UnplacedError:
    message, lacking = f"unknown model_type `{kind}`; known: {listed(_ARCHITECTURES)}", _lacking(config)
    if lacking:
        message += f"; the file also lacks {listed(lacking)}"
    instead = "if its layers are those of a dense transformer, write the dimensions in a YAML file"
    return UnplacedError(message, help=f"{did_you_mean(kind, _ARCHITECTURES)} {instead}".strip())
