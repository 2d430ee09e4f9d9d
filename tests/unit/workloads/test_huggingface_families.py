"""Mixtures of experts, state-space models and hybrids, read from the config.json that their publishers ship."""

from collections.abc import Callable
from importlib import import_module
from typing import Any

import pytest
from pydantic import ValidationError

from archsim.config.diagnostics import UnplacedError
from archsim.config.document import data, load
from archsim.config.shipped import shipped

MIXTRAL_8X7B: dict[str, Any] = {
    "architectures": ["MixtralForCausalLM"],
    "attention_dropout": 0.0,
    "hidden_act": "silu",
    "hidden_size": 4096,
    "intermediate_size": 14336,
    "max_position_embeddings": 32768,
    "model_type": "mixtral",
    "num_attention_heads": 32,
    "num_experts_per_tok": 2,
    "num_hidden_layers": 32,
    "num_key_value_heads": 8,
    "num_local_experts": 8,
    "sliding_window": None,
    "tie_word_embeddings": False,
    "torch_dtype": "bfloat16",
    "vocab_size": 32000,
}
QWEN3_30B_A3B: dict[str, Any] = {
    "architectures": ["Qwen3MoeForCausalLM"],
    "attention_bias": False,
    "decoder_sparse_step": 1,
    "head_dim": 128,
    "hidden_act": "silu",
    "hidden_size": 2048,
    "intermediate_size": 6144,
    "max_position_embeddings": 40960,
    "max_window_layers": 48,
    "mlp_only_layers": [],
    "model_type": "qwen3_moe",
    "moe_intermediate_size": 768,
    "norm_topk_prob": True,
    "num_attention_heads": 32,
    "num_experts": 128,
    "num_experts_per_tok": 8,
    "num_hidden_layers": 48,
    "num_key_value_heads": 4,
    "sliding_window": None,
    "tie_word_embeddings": False,
    "use_sliding_window": False,
    "vocab_size": 151936,
}
DEEPSEEK_V3: dict[str, Any] = {
    "architectures": ["DeepseekV3ForCausalLM"],
    "attention_bias": False,
    "first_k_dense_replace": 3,
    "hidden_act": "silu",
    "hidden_size": 7168,
    "intermediate_size": 18432,
    "kv_lora_rank": 512,
    "max_position_embeddings": 163840,
    "model_type": "deepseek_v3",
    "moe_intermediate_size": 2048,
    "moe_layer_freq": 1,
    "n_group": 8,
    "n_routed_experts": 256,
    "n_shared_experts": 1,
    "num_attention_heads": 128,
    "num_experts_per_tok": 8,
    "num_hidden_layers": 61,
    "num_key_value_heads": 128,
    "num_nextn_predict_layers": 1,
    "q_lora_rank": 1536,
    "qk_nope_head_dim": 128,
    "qk_rope_head_dim": 64,
    "tie_word_embeddings": False,
    "topk_method": "noaux_tc",
    "v_head_dim": 128,
    "vocab_size": 129280,
}
MAMBA_2_2_7B: dict[str, Any] = {
    "architectures": ["Mamba2ForCausalLM"],
    "chunk_size": 256,
    "conv_kernel": 4,
    "expand": 2,
    "head_dim": 64,
    "hidden_act": "silu",
    "hidden_size": 2560,
    "model_type": "mamba2",
    "n_groups": 1,
    "num_heads": 80,
    "num_hidden_layers": 64,
    "rms_norm": True,
    "state_size": 128,
    "tie_word_embeddings": True,
    "use_bias": False,
    "use_conv_bias": True,
    "vocab_size": 50288,
}
NEMOTRON_NANO_9B_V2: dict[str, Any] = {
    "architectures": ["NemotronHForCausalLM"],
    "attention_bias": False,
    "chunk_size": 128,
    "conv_kernel": 4,
    "expand": 2,
    "head_dim": 128,
    "hidden_size": 4480,
    "hybrid_override_pattern": "M-M-M-MM-M-M-M*-M-M-M*-M-M-M-M*-M-M-M-M*-M-MM-M-M-M-M-M-",
    "intermediate_size": 15680,
    "mamba_head_dim": 80,
    "mamba_hidden_act": "silu",
    "mamba_num_heads": 128,
    "mamba_proj_bias": False,
    "max_position_embeddings": 131072,
    "mlp_bias": False,
    "mlp_hidden_act": "relu2",
    "model_type": "nemotron_h",
    "n_groups": 8,
    "num_attention_heads": 40,
    "num_hidden_layers": 56,
    "num_key_value_heads": 8,
    "ssm_state_size": 128,
    "tie_word_embeddings": False,
    "use_bias": False,
    "use_conv_bias": True,
    "vocab_size": 131072,
}
NEMOTRON_3_NANO_30B: dict[str, Any] = {
    **NEMOTRON_NANO_9B_V2,
    "hidden_size": 2688,
    "hybrid_override_pattern": "MEMEM*EMEMEM*EMEMEM*EMEMEM*EMEMEM*EMEMEMEM*EMEMEMEME",
    "intermediate_size": 1856,
    "mamba_head_dim": 64,
    "mamba_num_heads": 64,
    "moe_intermediate_size": 1856,
    "moe_shared_expert_intermediate_size": 3712,
    "n_routed_experts": 128,
    "n_shared_experts": 1,
    "num_attention_heads": 32,
    "num_experts_per_tok": 6,
    "num_hidden_layers": 52,
    "num_key_value_heads": 2,
}
PUBLISHED = {
    "mixtral-8x7b": ("moe", MIXTRAL_8X7B),
    "qwen3-30b-a3b": ("moe", QWEN3_30B_A3B),
    "deepseek-v3": ("moe", DEEPSEEK_V3),
    "mamba-2-2.7b": ("ssm", MAMBA_2_2_7B),
    "nemotron-nano-9b-v2": ("hybrid", NEMOTRON_NANO_9B_V2),
}


def dimensions(family: str) -> Callable[[dict[str, Any]], dict[str, Any]]:
    found: Callable[[dict[str, Any]], dict[str, Any]] = import_module(
        f"archsim.workloads.huggingface.{family}"
    ).dimensions
    return found


def workload(family: str, given: dict[str, Any]) -> Any:
    dtypes = {"weights": "bf16", "kv": "bf16", "activations": "bf16"}
    fields = {"schema": "archsim.workload/1", "name": "test", "family": family, "dtypes": dtypes}
    return import_module(f"archsim.workloads.{family}").SPEC.model_validate({**fields, "model": given})


def model(family: str, given: dict[str, Any]) -> Any:
    return workload(family, given).model


def changed(config: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {key: value for key, value in {**config, **fields}.items() if value is not ...}


def refusal(family: str, config: dict[str, Any]) -> UnplacedError:
    with pytest.raises(UnplacedError) as raised:
        dimensions(family)(config)
    return raised.value


@pytest.mark.parametrize("name", PUBLISHED)
def test_a_config_says_what_the_shipped_file_says(name: str) -> None:
    family, config = PUBLISHED[name]
    ours = data(load(shipped("workloads/models")[name]).root)
    assert model(family, config) == model(family, {**ours, "name": config["model_type"]})


@pytest.mark.parametrize("name", PUBLISHED)
@pytest.mark.parametrize("other", ["transformer", "moe", "ssm", "hybrid"])
def test_every_other_family_refuses_it_and_names_the_right_one(name: str, other: str) -> None:
    family, config = PUBLISHED[name]
    if other != family:
        error = refusal(other, config)
        assert f"which family `{other}` does not cover" in str(error)
        assert f"`family: {family}`" in error.help


@pytest.mark.parametrize("family", ["moe", "ssm", "hybrid"])
def test_a_dense_transformer_is_sent_to_its_family(family: str) -> None:
    error = refusal(family, {"model_type": "llama"})
    assert "model_type `llama` is a dense transformer" in str(error)
    assert "`family: transformer`" in error.help


@pytest.mark.parametrize(
    ("kind", "family"), [("dbrx", "moe"), ("falcon_mamba", "ssm"), ("jamba", "hybrid"), ("zamba2", "hybrid")]
)
def test_a_type_that_no_reader_knows_is_named_with_those_that_are_known(kind: str, family: str) -> None:
    assert f"model_type `{kind}` is not read: " in str(refusal(family, {"model_type": kind}))
    assert f"`family: {family}`" in refusal("transformer", {"model_type": kind}).help


@pytest.mark.parametrize(
    ("family", "config", "fields"),
    [
        ("moe", MIXTRAL_8X7B, ["num_local_experts", "intermediate_size"]),
        ("moe", QWEN3_30B_A3B, ["head_dim", "moe_intermediate_size"]),
        ("moe", DEEPSEEK_V3, ["first_k_dense_replace", "kv_lora_rank"]),
        ("ssm", MAMBA_2_2_7B, ["num_heads", "n_groups"]),
        ("hybrid", NEMOTRON_NANO_9B_V2, ["hybrid_override_pattern", "head_dim"]),
    ],
)
def test_missing_fields_are_called_by_the_names_of_the_file(
    family: str, config: dict[str, Any], fields: list[str]
) -> None:
    error = refusal(family, changed(config, **dict.fromkeys(fields, ...)))
    assert f"lacks {', '.join(fields)}" in str(error)


@pytest.mark.parametrize(
    ("family", "config", "field"),
    [
        ("moe", QWEN3_30B_A3B, {"mlp_only_layers": [0, 1]}),
        ("moe", QWEN3_30B_A3B, {"decoder_sparse_step": 2}),
        ("moe", DEEPSEEK_V3, {"moe_layer_freq": 2}),
        ("ssm", MAMBA_2_2_7B, {"use_bias": True}),
        ("hybrid", NEMOTRON_NANO_9B_V2, {"mlp_bias": True}),
        ("hybrid", NEMOTRON_NANO_9B_V2, {"mlp_hidden_act": "silu"}),
    ],
)
def test_what_would_be_counted_wrongly_is_refused(family: str, config: dict[str, Any], field: dict[str, Any]) -> None:
    error = refusal(family, {**config, **field})
    assert str(error).startswith(f"{next(iter(field))} is ")


def test_a_query_without_a_latent_vector_is_read() -> None:
    assert "query_rank" not in dimensions("moe")(changed(DEEPSEEK_V3, q_lora_rank=None))["latent"]


def test_several_shared_experts_are_as_wide_as_all_of_them() -> None:
    assert dimensions("moe")(changed(DEEPSEEK_V3, n_shared_experts=2))["experts"]["shared_width"] == 4096
    assert dimensions("moe")(changed(DEEPSEEK_V3, n_shared_experts=0))["experts"]["shared_width"] is None


def test_a_newer_file_lists_the_kinds_of_layers() -> None:
    kinds = {"M": "mamba", "-": "mlp", "*": "attention"}
    listed = [kinds[letter] for letter in NEMOTRON_NANO_9B_V2["hybrid_override_pattern"]]
    newer = changed(NEMOTRON_NANO_9B_V2, hybrid_override_pattern=..., layers_block_type=listed)
    assert model("hybrid", newer) == model("hybrid", NEMOTRON_NANO_9B_V2)


def test_layers_with_experts_are_read_where_the_pattern_has_them() -> None:
    found = model("hybrid", NEMOTRON_3_NANO_30B).experts
    assert (found.count, found.top_k, found.width, found.shared_width) == (128, 6, 1856, 3712)
    assert model("hybrid", {**NEMOTRON_3_NANO_30B, "hybrid_override_pattern": "M*-"}).experts is None


def test_the_parameters_of_a_hybrid_with_experts_are_those_published() -> None:
    family = import_module("archsim.workloads.hybrid")
    assert family.trace(workload("hybrid", NEMOTRON_3_NANO_30B)).parameters == 31_577_940_288  # 31.6 B


def test_what_is_no_number_is_a_finding_and_no_crash() -> None:
    with pytest.raises(UnplacedError):
        dimensions("moe")(changed(DEEPSEEK_V3, n_shared_experts="one"))
    for family, config in PUBLISHED.values():
        with pytest.raises(ValidationError):
            model(family, changed(config, vocab_size="many"))
