"""Which `model_type` of a Hugging Face `config.json` is read by which family, and why others are not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

TYPES = {
    "transformer": (
        *("llama", "mistral", "phi3", "qwen2", "qwen3", "granite", "gemma", "gemma2", "gemma3_text", "olmo2", "olmo3"),
    ),
    "moe": (
        *("mixtral", "qwen2_moe", "qwen3_moe", "deepseek_v2", "deepseek_v3", "kimi_k2", "gpt_oss"),
        *("glm4_moe", "minimax_m2", "olmoe"),
    ),
    "ssm": ("mamba2",),
    "hybrid": ("nemotron_h", "qwen3_next", "bamba", "granitemoehybrid"),
}
"""Values of `model_type` by the family that reads them."""

MEANINGS = {
    "transformer": "a dense transformer",
    "moe": "a mixture of experts",
    "ssm": "a state-space model",
    "hybrid": "a hybrid of state-space model and attention",
}

_BIASED = "its norms have biases"
_BESIDE = "attention and feed-forward part stand beside each other"
_LEARNED = "its positions are learned"
_MAMBA_1 = "its recurrent layers are those of Mamba-1"

UNREAD = {
    "transformer": {
        "bloom": _BIASED,
        "cohere": _BESIDE,
        "cohere2": _BESIDE,
        "falcon": f"{_BIASED}, and {_BESIDE}",
        "gpt2": f"{_BIASED}, and {_LEARNED}",
        "gpt_bigcode": f"{_BIASED}, and {_LEARNED}",
        "gpt_neox": f"{_BIASED}, and {_BESIDE}",
        "gptj": f"{_BIASED}, and {_BESIDE}",
        "nemotron": _BIASED,
        "olmo": "its norms have no weights",
        "opt": f"{_BIASED}, and {_LEARNED}",
        "phi": f"{_BIASED}, and {_BESIDE}",
        "smollm3": "some of its layers know positions and others do not",
        "stablelm": _BIASED,
        "starcoder2": _BIASED,
    },
    "moe": {
        "dbrx": "its fields have names of their own",
        "llama4_text": "most of its layers attend within chunks of the context, and layers without experts may stand "
        "between those with them",
        "phimoe": _BIASED,
    },
    "ssm": {"falcon_mamba": _MAMBA_1, "mamba": _MAMBA_1},
    "hybrid": {
        "falcon_h1": "a layer has Mamba-2 and attention beside each other",
        "jamba": _MAMBA_1,
        "minimax": "its linear attention is not modelled",
        "minimax_text_01": "its linear attention is not modelled",
        "zamba2": "its attention layers share their weights",
    },
}
"""Values of `model_type` that no family reads, by the one that they are nearest to, and why not."""

_SIGNS = {
    "hybrid": ("hybrid_override_pattern", "layers_block_type", "mamba_num_heads", "mamba_d_state"),
    "ssm": ("state_size", "ssm_state_size"),
    "moe": ("num_local_experts", "num_experts", "n_routed_experts", "moe_num_experts"),
}
"""Fields that only models of a family have."""

_READ = {kind for family in _SIGNS for kind in TYPES[family]}


def family_of(kind: str, config: Mapping[str, Any]) -> str | None:
    """The family of a type; of one that is unknown, or dense by its name, that of its fields; None where none is."""
    for family, signs in _SIGNS.items():
        if kind in (*TYPES[family], *UNREAD[family]):
            return family
        if kind not in _READ and any(config.get(sign) for sign in signs):
            return family
    return "transformer" if kind in (*TYPES["transformer"], *UNREAD["transformer"]) else None


def type_of(config: Mapping[str, Any]) -> str:
    """`model_type`, or else the type that the first of `architectures` names (LlamaForCausalLM: llama)."""
    if given := config.get("model_type"):
        return str(given)
    named = config.get("architectures") or "(none)"
    name = str(named[0] if isinstance(named, list) else named)
    stem = name.partition("For")[0].lower()
    known = [kind for kinds in (*TYPES.values(), *UNREAD.values()) for kind in kinds]
    return next((kind for kind in known if kind.removesuffix("_text").replace("_", "") == stem), name)
