"""Parameters of models with unusual norms, or with Mamba-2 in most layers, against those of their published weights."""

from importlib import import_module
from typing import Any

import pytest

from archsim.config.diagnostics import UnplacedError

OLMO_2_7B: dict[str, Any] = {
    "model_type": "olmo2",
    "attention_bias": False,
    "hidden_size": 4096,
    "intermediate_size": 11008,
    "max_position_embeddings": 4096,
    "num_attention_heads": 32,
    "num_hidden_layers": 32,
    "num_key_value_heads": 32,
    "tie_word_embeddings": False,
    "vocab_size": 100352,
}
OLMO_2_13B: dict[str, Any] = {
    **OLMO_2_7B,
    "hidden_size": 5120,
    "intermediate_size": 13824,
    "num_attention_heads": 40,
    "num_hidden_layers": 40,
    "num_key_value_heads": 40,
}
OLMO_3_7B: dict[str, Any] = {
    **OLMO_2_7B,
    "model_type": "olmo3",
    "layer_types": [*["sliding_attention"] * 3, "full_attention"] * 8,
    "sliding_window": 4096,
}
OLMOE_7B: dict[str, Any] = {
    **OLMO_2_7B,
    "model_type": "olmoe",
    "hidden_size": 2048,
    "intermediate_size": 1024,
    "num_attention_heads": 16,
    "num_experts": 64,
    "num_experts_per_tok": 8,
    "num_hidden_layers": 16,
    "num_key_value_heads": 16,
    "vocab_size": 50304,
}
GLM_4_5: dict[str, Any] = {
    "model_type": "glm4_moe",
    "attention_bias": True,
    "first_k_dense_replace": 3,
    "head_dim": 128,
    "hidden_size": 5120,
    "intermediate_size": 12288,
    "max_position_embeddings": 131072,
    "moe_intermediate_size": 1536,
    "n_routed_experts": 160,
    "n_shared_experts": 1,
    "num_attention_heads": 96,
    "num_experts_per_tok": 8,
    "num_hidden_layers": 92,
    "num_key_value_heads": 8,
    "num_nextn_predict_layers": 1,
    "partial_rotary_factor": 0.5,
    "tie_word_embeddings": False,
    "use_qk_norm": True,
    "vocab_size": 151552,
}
GLM_4_5_AIR: dict[str, Any] = {
    **GLM_4_5,
    "first_k_dense_replace": 1,
    "hidden_size": 4096,
    "intermediate_size": 10944,
    "moe_intermediate_size": 1408,
    "n_routed_experts": 128,
    "num_hidden_layers": 46,
    "use_qk_norm": False,
}
MINIMAX_M2: dict[str, Any] = {
    "model_type": "minimax_m2",
    "head_dim": 128,
    "hidden_size": 3072,
    "intermediate_size": 1536,
    "max_position_embeddings": 196608,
    "num_attention_heads": 48,
    "num_experts_per_tok": 8,
    "num_hidden_layers": 62,
    "num_key_value_heads": 8,
    "num_local_experts": 256,
    "qk_norm_type": "per_layer",
    "rotary_dim": 64,
    "shared_intermediate_size": 0,
    "tie_word_embeddings": False,
    "use_qk_norm": True,
    "use_routing_bias": True,
    "vocab_size": 200064,
}
BAMBA_9B: dict[str, Any] = {
    "model_type": "bamba",
    "attention_bias": False,
    "attn_layer_indices": [9, 18, 27],
    "attn_rotary_emb": 64,
    "hidden_act": "silu",
    "hidden_size": 4096,
    "intermediate_size": 14336,
    "mamba_chunk_size": 256,
    "mamba_conv_bias": True,
    "mamba_d_conv": 4,
    "mamba_d_head": 64,
    "mamba_d_state": 128,
    "mamba_n_groups": 1,
    "mamba_n_heads": 128,
    "mamba_proj_bias": False,
    "max_position_embeddings": 262144,
    "mlp_bias": False,
    "num_attention_heads": 32,
    "num_hidden_layers": 32,
    "num_key_value_heads": 8,
    "tie_word_embeddings": False,
    "vocab_size": 128256,
}
GRANITE_4_H_SMALL: dict[str, Any] = {
    **{key: value for key, value in BAMBA_9B.items() if not key.startswith("attn_")},
    "model_type": "granitemoehybrid",
    "intermediate_size": 768,
    "layer_types": [*["mamba"] * 5, "attention", *["mamba"] * 4] * 4,
    "max_position_embeddings": 131072,
    "num_experts_per_tok": 10,
    "num_hidden_layers": 40,
    "num_local_experts": 72,
    "position_embedding_type": "nope",
    "shared_intermediate_size": 1536,
    "tie_word_embeddings": True,
    "vocab_size": 100352,
}
GRANITE_4_H_1B: dict[str, Any] = {
    **GRANITE_4_H_SMALL,
    "hidden_size": 1536,
    "mamba_n_heads": 48,
    "num_attention_heads": 12,
    "num_experts_per_tok": 0,
    "num_key_value_heads": 4,
    "num_local_experts": 0,
    "shared_intermediate_size": 4096,
}


def model(family: str, config: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = import_module(f"archsim.workloads.huggingface.{family}").dimensions(config)
    return found


def trace(family: str, config: dict[str, Any]) -> Any:
    dtypes = {"weights": "bf16", "kv": "bf16", "activations": "bf16"}
    fields = {"schema": "archsim.workload/1", "name": "test", "family": family, "dtypes": dtypes, "model": config}
    module = import_module(f"archsim.workloads.{family}")
    return module.trace(module.SPEC.model_validate(fields))


@pytest.mark.parametrize(
    ("family", "config", "published"),
    [
        ("transformer", OLMO_2_7B, 7_298_617_344),
        ("transformer", OLMO_2_13B, 13_716_198_400),
        ("transformer", OLMO_3_7B, 7_298_617_344),
        ("moe", OLMOE_7B, 6_919_161_856),
        ("moe", GLM_4_5, 352_797_829_024),  # without the layer that predicts a second token
        ("moe", GLM_4_5_AIR, 106_852_251_264),
        ("moe", MINIMAX_M2, 228_689_764_864),
    ],
    ids=["olmo-2-7b", "olmo-2-13b", "olmo-3-7b", "olmoe-7b", "glm-4.5", "glm-4.5-air", "minimax-m2"],
)
def test_parameters_are_those_published(family: str, config: dict[str, Any], published: int) -> None:
    assert trace(family, config).parameters == published


@pytest.mark.parametrize(
    ("config", "billions"),
    [(BAMBA_9B, 9.78), (GRANITE_4_H_SMALL, 32.207), (GRANITE_4_H_1B, 1.46)],
    ids=["bamba-9b", "granite-4.0-h-small", "granite-4.0-h-1b"],
)
def test_parameters_that_are_published_in_billions(config: dict[str, Any], billions: float) -> None:
    assert trace("hybrid", config).parameters / 1e9 == pytest.approx(billions, rel=2e-3)


def test_a_layer_of_olmo_2_norms_what_it_puts_out_and_not_what_it_takes_in() -> None:
    names = [operator.name for block in trace("transformer", OLMO_2_7B).blocks for operator in block.operators]
    assert {"attn_post_norm", "ffn_post_norm", "final_norm"} <= set(names)
    assert not {"attn_norm", "ffn_norm"} & set(names)


def test_what_no_norm_takes_in_is_the_stream_itself() -> None:
    operators = [operator for block in trace("transformer", OLMO_2_7B).blocks for operator in block.operators]
    read = {operator.name: {tensor.name for tensor in operator.reads} for operator in operators}
    assert "hidden" in read["qkv"] & read["gate_up"]
    assert "normed" in read["head"]
    assert "normed" not in read["qkv"] | read["gate_up"]


def test_layers_of_bamba_attend_where_the_file_says() -> None:
    found = model("hybrid", BAMBA_9B)
    assert [index for index, letter in enumerate(found["pattern"][::2]) if letter == "*"] == [9, 18, 27]
    assert set(found["pattern"][1::2]) == {"-"}
    assert (found["rotary_size"], found["mixer"]["heads"]) == (64, 128)


def test_experts_of_granite_give_way_to_a_feed_forward_part_where_there_are_none() -> None:
    assert set(model("hybrid", GRANITE_4_H_SMALL)["pattern"]) == set("M*E")
    assert set(model("hybrid", GRANITE_4_H_1B)["pattern"]) == set("M*-")


@pytest.mark.parametrize(("kind", "rotates"), [("nope", False), ("rope", True)])
def test_granite_knows_positions_where_the_file_says(kind: str, rotates: bool) -> None:
    assert model("hybrid", {**GRANITE_4_H_SMALL, "position_embedding_type": kind})["rotary"] is rotates


@pytest.mark.parametrize(
    ("family", "config", "field", "told"),
    [
        ("transformer", OLMO_2_7B, {"attention_bias": True}, "attention_bias is True, and only False is read"),
        ("moe", OLMOE_7B, {"clip_qkv": 8.0}, "clip_qkv is 8.0"),
        ("moe", MINIMAX_M2, {"qk_norm_type": "per_head"}, "only 'per_layer' is read"),
        ("moe", MINIMAX_M2, {"rotary_dim": 0}, "rotary_dim must be a whole number above 0"),
        ("hybrid", BAMBA_9B, {"attn_layer_indices": 9}, "attn_layer_indices must be a list of whole numbers"),
        ("hybrid", BAMBA_9B, {"mamba_d_head": "auto"}, "mamba_d_head must be a whole number above 0"),
        ("hybrid", GRANITE_4_H_SMALL, {"layer_types": ["mamba", "rwkv"] * 20}, "`rwkv` is none of mamba, attention"),
        ("hybrid", GRANITE_4_H_1B, {"shared_intermediate_size": None}, "lacks shared_intermediate_size"),
    ],
)
def test_what_would_be_counted_wrongly_is_refused(
    family: str, config: dict[str, Any], field: dict[str, Any], told: str
) -> None:
    with pytest.raises(UnplacedError, match=told):
        model(family, {**config, **field})


@pytest.mark.parametrize(
    ("family", "config", "why"),
    [
        ("transformer", {"model_type": "falcon"}, "its norms have biases"),
        ("transformer", {"model_type": "gpt2"}, "its positions are learned"),
        ("transformer", {"architectures": ["OPTForCausalLM"]}, "its positions are learned"),
        ("transformer", {"model_type": "starcoder2"}, "its norms have biases"),
        ("moe", {"model_type": "llama4", "text_config": {"model_type": "llama4_text"}}, "within chunks of the context"),
        ("hybrid", {"model_type": "jamba"}, "its recurrent layers are those of Mamba-1"),
        ("hybrid", {"model_type": "minimax_text_01"}, "its linear attention is not modelled"),
    ],
)
def test_a_type_that_is_not_read_is_told_why_and_what_is_read(family: str, config: dict[str, Any], why: str) -> None:
    with pytest.raises(UnplacedError, match="is not read") as raised:
        model(family, config)
    assert why in str(raised.value)
    assert "; read are " in str(raised.value)
