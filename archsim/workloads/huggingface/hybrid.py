"""Dimensions of a hybrid from a Hugging Face `config.json`."""

from __future__ import annotations

from typing import Any

from archsim.config.diagnostics import UnplacedError
from archsim.workloads.huggingface.reading import Config, Names, expect, language_model, translated

KINDS = {
    **{letter: letter for letter in "M*-E"},
    **dict.fromkeys(("ssm", "mamba", "mamba2"), "M"),
    "attention": "*",
    "mlp": "-",
    "moe": "E",
}
"""The letter of a kind of layer, by its names."""

_FIELDS: Names = {
    "hidden": "hidden_size",
    "heads": "num_attention_heads",
    "kv_heads": "num_key_value_heads",
    "head_size": ("head_dim", "attention_head_dim"),
    "vocabulary": "vocab_size",
}
_NEMOTRON: Names = {
    "pattern": ("hybrid_override_pattern", "layers_block_type"),
    "feed_forward": "intermediate_size",
    "mixer.heads": "mamba_num_heads",
    "mixer.head_size": "mamba_head_dim",
    "mixer.state_size": "ssm_state_size",
    "mixer.groups": ("n_groups", "mamba_n_groups"),
}
_OPTIONAL_FIELDS: Names = {
    "max_context": "max_position_embeddings",
    "mixer.convolution": ("conv_kernel", "linear_conv_kernel_dim"),
    "mixer.convolution_bias": "use_conv_bias",
    "mixer.chunk": "chunk_size",
}
_NEMOTRON_EXPERTS: Names = {
    "experts.count": "n_routed_experts",
    "experts.top_k": "num_experts_per_tok",
    "experts.width": "moe_intermediate_size",
}
_SHARED: Names = {"experts.shared_width": "moe_shared_expert_intermediate_size"}
_QWEN: Names = {
    "layers": "num_hidden_layers",
    "mixer.key_heads": "linear_num_key_heads",
    "mixer.value_heads": "linear_num_value_heads",
    "mixer.key_size": "linear_key_head_dim",
    "mixer.value_size": "linear_value_head_dim",
    "experts.count": "num_experts",
    "experts.top_k": "num_experts_per_tok",
    "experts.width": "moe_intermediate_size",
    "experts.shared_width": "shared_expert_intermediate_size",
}


_IBM: Names = {
    **{name: field for name, field in _FIELDS.items() if name != "head_size"},
    "layers": "num_hidden_layers",
    "mixer.heads": "mamba_n_heads",
    "mixer.head_size": "mamba_d_head",
    "mixer.state_size": "mamba_d_state",
    "mixer.groups": "mamba_n_groups",
}
_OPTIONAL_IBM: Names = {
    "head_size": "head_dim",
    "max_context": "max_position_embeddings",
    "mixer.convolution": "mamba_d_conv",
    "mixer.convolution_bias": "mamba_conv_bias",
    "mixer.chunk": "mamba_chunk_size",
}
_IBM_EXPERTS: Names = {
    "experts.count": "num_local_experts",
    "experts.top_k": "num_experts_per_tok",
    "experts.width": "intermediate_size",
    "experts.shared_width": "shared_intermediate_size",
}

_LAYERS = {"linear_attention": "ME", "full_attention": "*E"}
"""The letters of a layer of Qwen3-Next."""


def dimensions(config: Config) -> dict[str, Any]:
    """The fields of a `HybridModel`.

    Raises UnplacedError where the architecture is unknown, belongs to another family, or lacks fields.
    """
    kind, config = language_model(config, "hybrid", {**_NEMOTRON, **_FIELDS})
    readers = {"nemotron_h": _nemotron, "qwen3_next": _qwen, "bamba": _bamba, "granitemoehybrid": _granite}
    return readers[kind](config, kind)


def _nemotron(config: Config, kind: str) -> dict[str, Any]:
    """Mamba-2, attention without positions, and feed-forward parts or experts, in the order that the file gives."""
    pattern = config.get("hybrid_override_pattern") or config.get("layers_block_type") or ""
    sparse = any(KINDS.get(str(layer)) == "E" for layer in pattern) if isinstance(pattern, str | list) else False
    experts, shared = (_NEMOTRON_EXPERTS, _SHARED) if sparse else ({}, {})
    found = translated(config, kind, {**_NEMOTRON, **_FIELDS, **experts}, {**_OPTIONAL_FIELDS, **shared})
    expect(config, use_bias=False, mamba_proj_bias=False, attention_bias=False, mlp_bias=False)
    expect(config, mlp_hidden_act="relu2", sliding_window=None)
    if sparse:
        expect(config, n_shared_experts=1, moe_latent_size=None)
        found["experts"]["selection_bias"] = True
    found["mixer"]["kind"] = "mamba2"
    return {**found, "rotary": False, "activation": "relu2"}


def _qwen(config: Config, kind: str) -> dict[str, Any]:
    """Gated delta nets, in every fourth layer gated attention instead, each followed by experts."""
    found = translated(config, kind, {**_FIELDS, **_QWEN}, _OPTIONAL_FIELDS)
    expect(config, decoder_sparse_step=1, mlp_only_layers=[], attention_bias=False)
    layers, size, interval = found.pop("layers"), found["head_size"], config.get("full_attention_interval") or 4
    kinds = config.get("layer_types") or [
        "linear_attention" if (index + 1) % interval else "full_attention" for index in range(layers)
    ]
    if unknown := sorted(set(kinds) - _LAYERS.keys()):
        raise UnplacedError(f"layer_types: `{unknown[0]}` is none of {', '.join(_LAYERS)}")
    found["pattern"] = "".join(_LAYERS[name] for name in kinds)
    found["experts"]["shared_gate"] = True
    found["mixer"]["kind"] = "gated_delta_net"
    rotated = round(size * (config.get("partial_rotary_factor") or 1))
    return {**found, "qk_norm": True, "output_gate": True, "rotary_size": rotated}


def _bamba(config: Config, kind: str) -> dict[str, Any]:
    """Mamba-2, in some layers attention instead, each followed by a feed-forward part."""
    found = translated(config, kind, {**_IBM, "feed_forward": "intermediate_size"}, _OPTIONAL_IBM)
    expect(config, mamba_proj_bias=False, attention_bias=False, mlp_bias=False, hidden_act="silu")
    attending = set(config.get("attn_layer_indices") or ())
    kinds = ["attention" if index in attending else "mamba" for index in range(found.pop("layers"))]
    found["mixer"]["kind"] = "mamba2"
    return {**found, "pattern": _each(kinds, "-"), "rotary_size": config.get("attn_rotary_emb")}


def _granite(config: Config, kind: str) -> dict[str, Any]:
    """The same, or each followed by experts; most without positions."""
    sparse = bool(config.get("num_local_experts"))
    followed: Names = _IBM_EXPERTS if sparse else {"feed_forward": "shared_intermediate_size"}
    found = translated(config, kind, {**_IBM, **followed}, _OPTIONAL_IBM)
    expect(config, mamba_proj_bias=False, attention_bias=False, hidden_act="silu")
    kinds = config.get("layer_types") or config.get("layers_block_type") or ["mamba"] * found["layers"]
    del found["layers"]
    found["mixer"]["kind"] = "mamba2"
    return {**found, "pattern": _each(kinds, "E" if sparse else "-"), "rotary": _rotates(config)}


def _each(kinds: list[str], followed: str) -> str:
    """The pattern of layers of Mamba-2 or attention that are each followed by the same part."""
    if unknown := sorted(set(kinds) - {"mamba", "attention"}):
        raise UnplacedError(f"layer_types: `{unknown[0]}` is none of mamba, attention")
    return "".join(KINDS[name] + followed for name in kinds)


def _rotates(config: Config) -> bool:
    return config.get("position_embedding_type") == "rope"
