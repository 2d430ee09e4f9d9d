"""Parameters of models whose config.json is read, against what their publishers count."""

from importlib import import_module
from typing import Any

import pytest
from pydantic import ValidationError

from archsim.config.diagnostics import UnplacedError
from archsim.config.document import data, load
from archsim.config.shipped import shipped

GEMMA_7B: dict[str, Any] = {
    "model_type": "gemma",
    "head_dim": 256,
    "hidden_size": 3072,
    "intermediate_size": 24576,
    "max_position_embeddings": 8192,
    "num_attention_heads": 16,
    "num_hidden_layers": 28,
    "num_key_value_heads": 16,
    "vocab_size": 256000,
}
GEMMA_2_9B: dict[str, Any] = {
    **GEMMA_7B,
    "model_type": "gemma2",
    "hidden_size": 3584,
    "intermediate_size": 14336,
    "num_hidden_layers": 42,
    "num_key_value_heads": 8,
    "sliding_window": 4096,
}
GEMMA_3_1B: dict[str, Any] = {
    **GEMMA_7B,
    "model_type": "gemma3_text",
    "hidden_size": 1152,
    "intermediate_size": 6912,
    "max_position_embeddings": 32768,
    "num_attention_heads": 4,
    "num_hidden_layers": 26,
    "num_key_value_heads": 1,
    "sliding_window": 512,
    "sliding_window_pattern": 6,
    "vocab_size": 262144,
}
GEMMA_3_4B: dict[str, Any] = {
    "model_type": "gemma3",
    "text_config": {
        "model_type": "gemma3_text",
        "hidden_size": 2560,
        "intermediate_size": 10240,
        "num_hidden_layers": 34,
        "sliding_window": 1024,
    },
    "vision_config": {"hidden_size": 1152, "model_type": "siglip_vision_model"},
}
GEMMA_3_27B: dict[str, Any] = {
    **GEMMA_3_4B,
    "text_config": {
        **GEMMA_3_4B["text_config"],
        "head_dim": 128,
        "hidden_size": 5376,
        "intermediate_size": 21504,
        "num_attention_heads": 32,
        "num_hidden_layers": 62,
        "num_key_value_heads": 16,
    },
}
GRANITE_3_3_8B: dict[str, Any] = {
    "model_type": "granite",
    "attention_bias": False,
    "attention_multiplier": 0.0078125,
    "hidden_size": 4096,
    "intermediate_size": 12800,
    "max_position_embeddings": 131072,
    "mlp_bias": False,
    "num_attention_heads": 32,
    "num_hidden_layers": 40,
    "num_key_value_heads": 8,
    "tie_word_embeddings": True,
    "vocab_size": 49159,
}
GPT_OSS_20B: dict[str, Any] = {
    "model_type": "gpt_oss",
    "attention_bias": True,
    "experts_per_token": 4,
    "head_dim": 64,
    "hidden_size": 2880,
    "intermediate_size": 2880,
    "layer_types": ["sliding_attention", "full_attention"] * 12,
    "max_position_embeddings": 131072,
    "num_attention_heads": 64,
    "num_experts_per_tok": 4,
    "num_hidden_layers": 24,
    "num_key_value_heads": 8,
    "num_local_experts": 32,
    "sliding_window": 128,
    "tie_word_embeddings": False,
    "vocab_size": 201088,
}
GPT_OSS_120B: dict[str, Any] = {
    **GPT_OSS_20B,
    "layer_types": ["sliding_attention", "full_attention"] * 18,
    "num_hidden_layers": 36,
    "num_local_experts": 128,
}
DEEPSEEK_V2_LITE: dict[str, Any] = {
    "model_type": "deepseek_v2",
    "attention_bias": False,
    "first_k_dense_replace": 1,
    "hidden_size": 2048,
    "intermediate_size": 10944,
    "kv_lora_rank": 512,
    "max_position_embeddings": 163840,
    "moe_intermediate_size": 1408,
    "moe_layer_freq": 1,
    "n_routed_experts": 64,
    "n_shared_experts": 2,
    "num_attention_heads": 16,
    "num_experts_per_tok": 6,
    "num_hidden_layers": 27,
    "q_lora_rank": None,
    "qk_nope_head_dim": 128,
    "qk_rope_head_dim": 64,
    "tie_word_embeddings": False,
    "v_head_dim": 128,
    "vocab_size": 102400,
}
DEEPSEEK_V2: dict[str, Any] = {
    **DEEPSEEK_V2_LITE,
    "hidden_size": 5120,
    "intermediate_size": 12288,
    "moe_intermediate_size": 1536,
    "n_routed_experts": 160,
    "num_attention_heads": 128,
    "num_hidden_layers": 60,
    "q_lora_rank": 1536,
}
KIMI_K2: dict[str, Any] = {
    **DEEPSEEK_V2,
    "model_type": "kimi_k2",
    "hidden_size": 7168,
    "intermediate_size": 18432,
    "moe_intermediate_size": 2048,
    "n_routed_experts": 384,
    "n_shared_experts": 1,
    "num_attention_heads": 64,
    "num_experts_per_tok": 8,
    "num_hidden_layers": 61,
    "vocab_size": 163840,
}
QWEN_1_5_MOE: dict[str, Any] = {
    "model_type": "qwen2_moe",
    "decoder_sparse_step": 1,
    "hidden_size": 2048,
    "intermediate_size": 5632,
    "max_position_embeddings": 8192,
    "moe_intermediate_size": 1408,
    "num_attention_heads": 16,
    "num_experts": 60,
    "num_experts_per_tok": 4,
    "num_hidden_layers": 24,
    "num_key_value_heads": 16,
    "shared_expert_intermediate_size": 5632,
    "tie_word_embeddings": False,
    "use_sliding_window": False,
    "vocab_size": 151936,
}
QWEN3_NEXT: dict[str, Any] = {
    "model_type": "qwen3_next",
    "attention_bias": False,
    "decoder_sparse_step": 1,
    "full_attention_interval": 4,
    "head_dim": 256,
    "hidden_size": 2048,
    "intermediate_size": 5120,
    "linear_conv_kernel_dim": 4,
    "linear_key_head_dim": 128,
    "linear_num_key_heads": 16,
    "linear_num_value_heads": 32,
    "linear_value_head_dim": 128,
    "max_position_embeddings": 262144,
    "mlp_only_layers": [],
    "moe_intermediate_size": 512,
    "num_attention_heads": 16,
    "num_experts": 512,
    "num_experts_per_tok": 10,
    "num_hidden_layers": 48,
    "num_key_value_heads": 2,
    "partial_rotary_factor": 0.25,
    "shared_expert_intermediate_size": 512,
    "tie_word_embeddings": False,
    "vocab_size": 151936,
}


def workload(family: str, given: dict[str, Any], **fields: Any) -> Any:
    dtypes = {"weights": "bf16", "kv": "bf16", "activations": "bf16"}
    shared = {"schema": "archsim.workload/1", "name": "test", "family": family, "dtypes": dtypes}
    return import_module(f"archsim.workloads.{family}").SPEC.model_validate({**shared, "model": given, **fields})


def traced(family: str, given: dict[str, Any], **fields: Any) -> Any:
    return import_module(f"archsim.workloads.{family}").trace(workload(family, given, **fields))


@pytest.mark.parametrize(
    ("family", "config", "published"),
    [
        ("transformer", GEMMA_7B, 8_537_680_896),
        ("transformer", GEMMA_2_9B, 9_241_705_984),
        ("transformer", GEMMA_3_1B, 999_885_952),
        ("moe", GPT_OSS_20B, 20_914_757_184),
        ("moe", GPT_OSS_120B, 116_829_156_672),
        ("moe", DEEPSEEK_V2_LITE, 15_706_484_224),
        ("moe", DEEPSEEK_V2, 235_741_434_880),
        ("moe", QWEN_1_5_MOE, 14_315_784_192),
    ],
    ids=["gemma-7b", "gemma-2-9b", "gemma-3-1b", "gpt-oss-20b", "gpt-oss-120b", "v2-lite", "v2", "qwen-1.5-moe"],
)
def test_parameters_are_those_published(family: str, config: dict[str, Any], published: int) -> None:
    assert traced(family, config).parameters == published


@pytest.mark.parametrize(
    ("family", "config", "billions"),
    [("moe", KIMI_K2, 1026), ("hybrid", QWEN3_NEXT, 79.7)],
    ids=["kimi-k2", "qwen3-next"],
)
def test_parameters_that_are_published_in_billions(family: str, config: dict[str, Any], billions: float) -> None:
    assert traced(family, config).parameters / 1e9 == pytest.approx(billions, rel=1e-3)


def test_gemma_3_leaves_the_same_vision_tower_at_both_sizes() -> None:
    """4,300,079,472 and 27,432,406,640 parameters with the tower, whose projector is as wide as the text model."""
    tower = {
        published - traced("transformer", config).parameters - 1152 * config["text_config"]["hidden_size"]
        for config, published in ((GEMMA_3_4B, 4_300_079_472), (GEMMA_3_27B, 27_432_406_640))
    }
    assert len(tower) == 1


@pytest.mark.parametrize(
    ("name", "family", "config"),
    [
        ("granite-3.3-8b", "transformer", GRANITE_3_3_8B),
        ("gemma-3-27b", "transformer", GEMMA_3_27B),
        ("gpt-oss-120b", "moe", GPT_OSS_120B),
        ("qwen3-next-80b-a3b", "hybrid", QWEN3_NEXT),
    ],
)
def test_a_config_says_what_the_shipped_file_says(name: str, family: str, config: dict[str, Any]) -> None:
    ours = data(load(shipped("workloads/models")[name]).root)
    given, written = (workload(family, model).model.model_dump() for model in (config, ours))
    unwritten = {"name", "max_context"} - config.keys() - config.get("text_config", config).keys()
    assert {key: given[key] for key in given.keys() - unwritten} == {
        key: written[key] for key in given.keys() - unwritten
    }


@pytest.mark.parametrize(
    ("family", "config", "cached"),
    [
        ("transformer", GEMMA_2_9B, 21 * (4096 + 8000)),
        ("transformer", GEMMA_3_1B, 22 * 512 + 4 * 8000),
        ("moe", GPT_OSS_20B, 12 * (128 + 8000)),
    ],
    ids=["gemma-2", "gemma-3", "gpt-oss"],
)
def test_a_layer_with_a_window_caches_no_more_than_that(family: str, config: dict[str, Any], cached: int) -> None:
    spec = workload(family, config, prompt_tokens=7999, output_tokens=1)
    kv = next(
        part.bytes for part in import_module(f"archsim.workloads.{family}").trace(spec).residents if part.role == "kv"
    )
    assert kv == 2 * 2 * cached * spec.model.kv_heads * spec.model.head_size


def test_layers_in_another_order_are_refused() -> None:
    swapped = {**GPT_OSS_20B, "layer_types": ["full_attention", "sliding_attention", "sliding_attention"] * 8}
    with pytest.raises(UnplacedError, match="layer_types"):
        import_module("archsim.workloads.huggingface.moe").dimensions(swapped)


def test_experts_may_be_stored_in_a_type_of_their_own() -> None:
    dtypes = {"weights": "bf16", "kv": "bf16", "activations": "bf16"}
    experts = {"dtype": "fp4", "group": 32, "scale": "fp8"}
    stored = {
        name: next(part.bytes for part in traced("moe", GPT_OSS_20B, dtypes=given).residents if part.role == "weights")
        for name, given in {"bf16": dtypes, "mxfp4": {**dtypes, "experts": experts}}.items()
    }
    values = 24 * 32 * 3 * 2880**2
    assert stored["bf16"] - stored["mxfp4"] == values * 2 - (values // 2 + values // 32)


def test_a_type_of_experts_where_there_are_none_is_refused() -> None:
    dtypes = {"weights": "bf16", "kv": "bf16", "activations": "bf16", "experts": "fp4"}
    with pytest.raises(ValidationError, match="a data type of experts, and there are none"):
        workload("transformer", GEMMA_7B, dtypes=dtypes)


def test_gates_and_sinks_are_what_the_other_weights_leave() -> None:
    """Against a model without them: of each attention layer a second query matrix, of each mixture a vector."""
    without = workload("hybrid", QWEN3_NEXT).model.model_dump() | {"output_gate": False}
    without["experts"]["shared_gate"] = False
    gone = traced("hybrid", QWEN3_NEXT).parameters - traced("hybrid", without).parameters
    assert gone == 12 * 2048 * 16 * 256 + 48 * 2048
    plain = workload("moe", GPT_OSS_20B).model.model_dump() | {"sinks": False}
    assert traced("moe", GPT_OSS_20B).parameters - traced("moe", plain).parameters == 24 * 64


@pytest.mark.parametrize(
    ("family", "config", "field", "told"),
    [
        ("transformer", GEMMA_2_9B, {"layer_types": 5}, "layer_types must be a list of names"),
        ("transformer", GEMMA_2_9B, {"layer_types": ["full_attention"]}, "names 1 layers, and num_hidden_layers is 42"),
        ("transformer", GEMMA_2_9B, {"sliding_window_pattern": [1]}, "must be a whole number above 0"),
        ("transformer", GEMMA_2_9B, {"sliding_window_pattern": 1.5}, "must be a whole number above 0"),
        ("transformer", GEMMA_2_9B, {"head_dim": True}, "head_dim must be a whole number above 0"),
        ("transformer", GEMMA_2_9B, {"attention_bias": True}, "attention_bias is True, and only False is read"),
        ("transformer", GEMMA_2_9B, {"num_hidden_layers": 10**9}, "at most 10,000 are read"),
        ("transformer", GEMMA_2_9B, {"_name_or_path": 5}, "_name_or_path must be text"),
        ("moe", GPT_OSS_20B, {"tie_word_embeddings": "false"}, "tie_word_embeddings must be true or false"),
        ("moe", GPT_OSS_20B, {"num_local_experts": 0}, "num_local_experts must be a whole number above 0"),
        ("hybrid", QWEN3_NEXT, {"layer_types": [["a"]]}, "layer_types must be a list of names"),
        ("hybrid", QWEN3_NEXT, {"layer_types": ["linear_attention", "chunked"] * 24}, "`chunked` is none of"),
        ("hybrid", QWEN3_NEXT, {"partial_rotary_factor": [1]}, "must be a number above 0 and at most 1"),
        ("hybrid", QWEN3_NEXT, {"num_hidden_layers": 10**9}, "at most 10,000 are read"),
    ],
)
def test_a_value_that_can_not_be_is_told_by_its_field(
    family: str, config: dict[str, Any], field: dict[str, Any], told: str
) -> None:
    with pytest.raises(UnplacedError, match=told):
        import_module(f"archsim.workloads.huggingface.{family}").dimensions({**config, **field})


def test_a_value_is_found_in_the_part_of_the_file_where_it_stands() -> None:
    wrong = {**GEMMA_3_4B, "text_config": {**GEMMA_3_4B["text_config"], "hidden_size": 0}}
    with pytest.raises(UnplacedError) as raised:
        import_module("archsim.workloads.huggingface.transformer").dimensions(wrong)
    assert raised.value.at == ("text_config", "hidden_size")


@pytest.mark.parametrize("field", ["moe_intermediate_size", "shared_expert_intermediate_size", "n_routed_experts"])
def test_a_field_that_the_type_does_not_have_may_say_none(field: str) -> None:
    assert traced("moe", {**GPT_OSS_20B, field: 0}).parameters == traced("moe", GPT_OSS_20B).parameters


def test_the_class_names_the_type_of_a_language_model_that_is_a_part() -> None:
    named = {**GEMMA_3_1B, "model_type": None, "architectures": ["Gemma3ForCausalLM"]}
    assert traced("transformer", named).parameters == traced("transformer", GEMMA_3_1B).parameters


def test_a_layer_without_a_window_that_no_layer_is_is_refused() -> None:
    with pytest.raises(ValidationError, match="none is the last of 99"):
        workload("transformer", workload("transformer", GEMMA_2_9B).model.model_dump() | {"full_attention_every": 99})
