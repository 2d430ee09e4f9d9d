"""Dimensions of a hybrid from a Hugging Face `config.json`."""

from __future__ import annotations

from typing import Any

from archsim.workloads.huggingface import Config, Names, expect, language_model, translated

KINDS = {
    **{letter: letter for letter in "M*-E"},
    **dict.fromkeys(("ssm", "mamba", "mamba2"), "M"),
    "attention": "*",
    "mlp": "-",
    "moe": "E",
}
"""The letter of a kind of layer, by its names."""

_FIELDS: Names = {
    "pattern": ("hybrid_override_pattern", "layers_block_type"),
    "hidden": "hidden_size",
    "feed_forward": "intermediate_size",
    "heads": "num_attention_heads",
    "kv_heads": "num_key_value_heads",
    "head_size": ("head_dim", "attention_head_dim"),
    "vocabulary": "vocab_size",
    "mixer.heads": "mamba_num_heads",
    "mixer.head_size": "mamba_head_dim",
    "mixer.state_size": "ssm_state_size",
    "mixer.groups": ("n_groups", "mamba_n_groups"),
}
_OPTIONAL_FIELDS: Names = {
    "max_context": "max_position_embeddings",
    "mixer.convolution": "conv_kernel",
    "mixer.convolution_bias": "use_conv_bias",
    "mixer.chunk": "chunk_size",
}
_EXPERTS: Names = {
    "experts.count": "n_routed_experts",
    "experts.top_k": "num_experts_per_tok",
    "experts.width": "moe_intermediate_size",
}
_SHARED: Names = {"experts.shared_width": "moe_shared_expert_intermediate_size"}


def dimensions(config: Config) -> dict[str, Any]:
    """The fields of a `HybridModel`.

    Raises UnplacedError where the architecture is unknown, belongs to another family, or lacks fields.
    """
    kind, config = language_model(config, "hybrid", _FIELDS)
    pattern = config.get("hybrid_override_pattern") or config.get("layers_block_type") or ""
    sparse = any(KINDS.get(str(layer)) == "E" for layer in pattern) if isinstance(pattern, str | list) else False
    experts, shared = (_EXPERTS, _SHARED) if sparse else ({}, {})
    found = translated(config, kind, {**_FIELDS, **experts}, {**_OPTIONAL_FIELDS, **shared})
    expect(config, use_bias=False, mamba_proj_bias=False, attention_bias=False, mlp_bias=False)
    expect(config, mlp_hidden_act="relu2", sliding_window=None)
    if sparse:
        expect(config, n_shared_experts=1, moe_latent_size=None)
        found["experts"]["selection_bias"] = True
    found["mixer"]["kind"] = "mamba2"
    return {**found, "rotary": False, "activation": "relu2"}
