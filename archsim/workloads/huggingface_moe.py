"""Dimensions of a mixture of experts from a Hugging Face `config.json`."""

from __future__ import annotations

from typing import Any

from archsim.config.diagnostics import UnplacedError
from archsim.workloads.huggingface import Config, Names, expect, language_model, translated

_FIELDS: Names = {
    "layers": "num_hidden_layers",
    "hidden": "hidden_size",
    "heads": "num_attention_heads",
    "vocabulary": "vocab_size",
    "experts.count": ("num_local_experts", "num_experts", "n_routed_experts"),
    "experts.top_k": "num_experts_per_tok",
}
_OPTIONAL_FIELDS: Names = {"max_context": "max_position_embeddings", "latent.query_rank": "q_lora_rank"}
_MORE_FIELDS: dict[str, Names] = {
    "mixtral": {"kv_heads": "num_key_value_heads", "experts.width": "intermediate_size"},
    "qwen3_moe": {
        "kv_heads": "num_key_value_heads",
        "head_size": "head_dim",
        "experts.width": "moe_intermediate_size",
    },
    "deepseek_v3": {
        "feed_forward": "intermediate_size",
        "dense_layers": "first_k_dense_replace",
        "experts.width": "moe_intermediate_size",
        "latent.kv_rank": "kv_lora_rank",
        "latent.nope_size": "qk_nope_head_dim",
        "latent.rope_size": "qk_rope_head_dim",
        "latent.value_size": "v_head_dim",
    },
}


def dimensions(config: Config) -> dict[str, Any]:
    """The fields of a `MoeModel`.

    Raises UnplacedError where the architecture is unknown, belongs to another family, or lacks fields.
    """
    kind, config = language_model(config, "moe", _FIELDS)
    found = translated(config, kind, {**_FIELDS, **_MORE_FIELDS[kind]}, _OPTIONAL_FIELDS)
    expect(config, attention_bias=False)
    if kind == "mixtral":
        found["sliding_window"] = config.get("sliding_window")
    elif kind == "qwen3_moe":
        expect(config, decoder_sparse_step=1, mlp_only_layers=[], use_sliding_window=False)
        found["qk_norm"] = True
    else:
        expect(config, moe_layer_freq=1)
        found["experts"] |= _shared(config, found["experts"]["width"])
    return found


def _shared(config: Config, width: Any) -> dict[str, Any]:
    """The shared experts as one, and the bias that DeepSeek-V3 selects by."""
    count = config.get("n_shared_experts") or 0
    if not (isinstance(count, int) and isinstance(width, int)):
        raise UnplacedError("n_shared_experts and moe_intermediate_size must be whole numbers")
    return {"shared_width": count * width or None, "selection_bias": True}
