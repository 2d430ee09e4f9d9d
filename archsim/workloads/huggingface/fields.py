"""Fields of a Hugging Face `config.json`: what values the readers take, checked where they stand."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from archsim.config.diagnostics import UnplacedError
from archsim.workloads.language_model import MOST_LAYERS

_SIZES = frozenset(
    [
        "attention_head_dim",
        "attn_rotary_emb",
        "chunk_size",
        "conv_kernel",
        "full_attention_interval",
        "head_dim",
        "hidden_size",
        "linear_conv_kernel_dim",
        "linear_key_head_dim",
        "linear_num_key_heads",
        "linear_num_value_heads",
        "linear_value_head_dim",
        "mamba_chunk_size",
        "mamba_d_conv",
        "mamba_d_head",
        "mamba_d_state",
        "mamba_head_dim",
        "mamba_n_groups",
        "mamba_n_heads",
        "mamba_num_heads",
        "max_position_embeddings",
        "n_groups",
        "num_attention_heads",
        "num_heads",
        "num_hidden_layers",
        "num_key_value_heads",
        "qk_nope_head_dim",
        "qk_rope_head_dim",
        "rotary_dim",
        "sliding_window_pattern",
        "ssm_state_size",
        "state_size",
        "v_head_dim",
        "vocab_size",
    ]
)
_COUNTS = frozenset(
    [
        "first_k_dense_replace",
        "intermediate_size",
        "kv_lora_rank",
        "max_window_layers",
        "moe_intermediate_size",
        "moe_shared_expert_intermediate_size",
        "n_routed_experts",
        "n_shared_experts",
        "num_experts",
        "num_experts_per_tok",
        "num_local_experts",
        "q_lora_rank",
        "shared_expert_intermediate_size",
        "shared_intermediate_size",
        "sliding_window",
    ]
)
"""Of these 0 says that there are none."""
_FLAGS = frozenset(
    [
        "attention_bias",
        "mamba_conv_bias",
        "mamba_proj_bias",
        "mlp_bias",
        "qkv_bias",
        "tie_word_embeddings",
        "use_bias",
        "use_conv_bias",
        "use_qk_norm",
        "use_routing_bias",
        "use_sliding_window",
    ]
)
_NAMES = frozenset(("_name_or_path", "model_type"))
_LISTS = frozenset(("layer_types", "layers_block_type"))

Path = tuple[str, ...]


def place(config: Mapping[str, Any], name: str) -> Path:
    """Where a field stands: in the language model's part, where there is one that has it."""
    nested = config.get("text_config")
    return ("text_config", name) if isinstance(nested, Mapping) and name in nested else (name,)


def check(config: Mapping[str, Any], below: Path = ()) -> None:
    """Raise UnplacedError, at its place, where a field that is read has a value that it can't have; None is none."""
    for name, value in config.items():
        wanted = None if value is None else _wanted(name, value)
        if wanted:
            raise UnplacedError(f"{name} must be {wanted}: {value!r}", at=(*below, name))
    layers, kinds = config.get("num_hidden_layers"), config.get("layer_types")
    if layers is not None and layers > MOST_LAYERS:
        raise UnplacedError(f"{layers:,} layers: at most {MOST_LAYERS:,} are read", at=(*below, "num_hidden_layers"))
    if layers is not None and kinds and len(kinds) != layers:
        message = f"layer_types names {len(kinds)} layers, and num_hidden_layers is {layers}"
        raise UnplacedError(message, at=(*below, "layer_types"))


def _wanted(name: str, value: Any) -> str:
    """What the value of a field must be and is not; nothing where it may be as it is."""
    whole = isinstance(value, int) and not isinstance(value, bool)
    listed = isinstance(value, list) and all(isinstance(item, str) for item in value)
    numbered = isinstance(value, list) and all(isinstance(item, int) and not isinstance(item, bool) for item in value)
    rotated = (whole or isinstance(value, float)) and 0 < value <= 1
    return next(
        (
            text
            for names, fits, text in (
                (_SIZES, whole and value > 0, "a whole number above 0"),
                (_COUNTS, whole and value >= 0, "a whole number"),
                (_FLAGS, isinstance(value, bool), "true or false"),
                (_NAMES, isinstance(value, str), "text"),
                (_LISTS, listed, "a list of names"),
                (("attn_layer_indices",), numbered, "a list of whole numbers"),
                (("partial_rotary_factor",), rotated, "a number above 0 and at most 1"),
            )
            if name in names and not fits
        ),
        "",
    )
