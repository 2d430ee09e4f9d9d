"""Dimensions of a mixture of experts from a Hugging Face `config.json`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from archsim.workloads.huggingface.reading import Config, Names, every, expect, language_model, translated

_FIELDS: Names = {
    "layers": "num_hidden_layers",
    "hidden": "hidden_size",
    "heads": "num_attention_heads",
    "vocabulary": "vocab_size",
    "experts.count": ("num_local_experts", "num_experts", "n_routed_experts"),
    "experts.top_k": "num_experts_per_tok",
}
_OPTIONAL_FIELDS: Names = {"max_context": "max_position_embeddings", "latent.query_rank": "q_lora_rank"}
_GROUPED: Names = {
    "kv_heads": "num_key_value_heads",
    "head_size": "head_dim",
    "experts.width": "moe_intermediate_size",
}
_LATENT: Names = {
    "feed_forward": "intermediate_size",
    "dense_layers": "first_k_dense_replace",
    "experts.width": "moe_intermediate_size",
    "latent.kv_rank": "kv_lora_rank",
    "latent.nope_size": "qk_nope_head_dim",
    "latent.rope_size": "qk_rope_head_dim",
    "latent.value_size": "v_head_dim",
}
_MORE_FIELDS: dict[str, Names] = {
    "mixtral": {"kv_heads": "num_key_value_heads", "experts.width": "intermediate_size"},
    "qwen2_moe": {
        "kv_heads": "num_key_value_heads",
        "experts.width": "moe_intermediate_size",
        "experts.shared_width": "shared_expert_intermediate_size",
    },
    "qwen3_moe": _GROUPED,
    "gpt_oss": {**_GROUPED, "experts.width": "intermediate_size", "sliding_window": "sliding_window"},
    "olmoe": {"kv_heads": "num_key_value_heads", "experts.width": "intermediate_size"},
    "minimax_m2": {**_GROUPED, "experts.width": "intermediate_size"},
    "glm4_moe": {**_GROUPED, "feed_forward": "intermediate_size", "dense_layers": "first_k_dense_replace"},
    "deepseek_v2": _LATENT,
    "deepseek_v3": _LATENT,
    "kimi_k2": _LATENT,
}


def dimensions(config: Config) -> dict[str, Any]:
    """The fields of a `MoeModel`.

    Raises UnplacedError where the architecture is unknown, belongs to another family, or lacks fields.
    """
    kind, config = language_model(config, "moe", _FIELDS)
    found = translated(config, kind, {**_FIELDS, **_MORE_FIELDS[kind]}, _OPTIONAL_FIELDS)
    _ADDED[kind](config, found)
    return found


def _mixtral(config: Config, found: dict[str, Any]) -> None:
    expect(config, attention_bias=False)
    found["sliding_window"] = config.get("sliding_window") or None


def _qwen(config: Config) -> None:
    expect(config, decoder_sparse_step=1, mlp_only_layers=[], use_sliding_window=False)


def _qwen_2(config: Config, found: dict[str, Any]) -> None:
    _qwen(config)
    found["qkv_bias"] = bool(config.get("qkv_bias", True))
    found["experts"]["shared_gate"] = True


def _qwen_3(config: Config, found: dict[str, Any]) -> None:
    _qwen(config)
    expect(config, attention_bias=False)
    found["qk_norm"] = True


def _gpt_oss(config: Config, found: dict[str, Any]) -> None:
    """Windows in every other layer, sinks, and biases everywhere."""
    expect(config, attention_bias=True)
    found |= {"full_attention_every": every(config, 2), "sinks": True, "qkv_bias": True, "out_bias": True}
    found["experts"]["bias"] = True


def _olmoe(config: Config, found: dict[str, Any]) -> None:
    expect(config, attention_bias=False, clip_qkv=None)
    found |= {"qk_norm": True, "qk_norm_whole": True}


def _minimax_m2(config: Config, found: dict[str, Any]) -> None:
    expect(config, qk_norm_type="per_layer", shared_intermediate_size=0)
    normed = bool(config.get("use_qk_norm"))
    found |= {"qk_norm": normed, "qk_norm_whole": normed, "rotary_size": config.get("rotary_dim")}
    found["experts"]["selection_bias"] = bool(config.get("use_routing_bias"))


def _glm_4(config: Config, found: dict[str, Any]) -> None:
    """Grouped attention, half of each head rotated, with the experts of DeepSeek-V3."""
    rotated = round(found["head_size"] * (config.get("partial_rotary_factor") or 0.5))
    found |= {"rotary_size": rotated, "qkv_bias": bool(config.get("attention_bias"))}
    found["qk_norm"] = bool(config.get("use_qk_norm"))
    found["experts"] |= {"shared_width": _shared_width(config, found), "selection_bias": True}


def _shared_width(config: Config, found: dict[str, Any]) -> int | None:
    """The shared experts as one."""
    width: int = found["experts"]["width"]
    return (config.get("n_shared_experts") or 0) * width or None


def _deepseek_2(config: Config, found: dict[str, Any]) -> None:
    expect(config, attention_bias=False, moe_layer_freq=1)
    found["experts"]["shared_width"] = _shared_width(config, found)


def _deepseek_3(config: Config, found: dict[str, Any]) -> None:
    """The same, and the bias that experts are selected by."""
    _deepseek_2(config, found)
    found["experts"]["selection_bias"] = True


_ADDED: dict[str, Callable[[Config, dict[str, Any]], None]] = {
    "mixtral": _mixtral,
    "qwen2_moe": _qwen_2,
    "qwen3_moe": _qwen_3,
    "gpt_oss": _gpt_oss,
    "olmoe": _olmoe,
    "minimax_m2": _minimax_m2,
    "glm4_moe": _glm_4,
    "deepseek_v2": _deepseek_2,
    "deepseek_v3": _deepseek_3,
    "kimi_k2": _deepseek_3,
}
