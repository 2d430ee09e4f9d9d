"""Models read from the config.json that their publishers ship."""

from typing import Any

import pytest

from archsim.config.diagnostics import UnplacedError
from archsim.workloads.huggingface.transformer import dimensions
from archsim.workloads.transformer import SPEC, trace
from archsim.workloads.transformer_model import TransformerModel

LLAMA_3_1_8B: dict[str, Any] = {
    "architectures": ["LlamaForCausalLM"],
    "attention_bias": False,
    "attention_dropout": 0.0,
    "bos_token_id": 128000,
    "eos_token_id": 128001,
    "hidden_act": "silu",
    "hidden_size": 4096,
    "initializer_range": 0.02,
    "intermediate_size": 14336,
    "max_position_embeddings": 131072,
    "mlp_bias": False,
    "model_type": "llama",
    "num_attention_heads": 32,
    "num_hidden_layers": 32,
    "num_key_value_heads": 8,
    "pretraining_tp": 1,
    "rms_norm_eps": 1e-05,
    "rope_scaling": {"factor": 8.0, "original_max_position_embeddings": 8192, "rope_type": "llama3"},
    "rope_theta": 500000.0,
    "tie_word_embeddings": False,
    "torch_dtype": "bfloat16",
    "transformers_version": "4.43.0.dev0",
    "use_cache": True,
    "vocab_size": 128256,
}
LLAMA_2_7B: dict[str, Any] = {
    "_name_or_path": "meta-llama/Llama-2-7b-hf",
    "architectures": ["LlamaForCausalLM"],
    "bos_token_id": 1,
    "eos_token_id": 2,
    "hidden_act": "silu",
    "hidden_size": 4096,
    "intermediate_size": 11008,
    "max_position_embeddings": 4096,
    "model_type": "llama",
    "num_attention_heads": 32,
    "num_hidden_layers": 32,
    "num_key_value_heads": 32,
    "rms_norm_eps": 1e-05,
    "rope_scaling": None,
    "tie_word_embeddings": False,
    "torch_dtype": "float16",
    "vocab_size": 32000,
}
MISTRAL_7B: dict[str, Any] = {
    "architectures": ["MistralForCausalLM"],
    "attention_dropout": 0.0,
    "hidden_act": "silu",
    "hidden_size": 4096,
    "intermediate_size": 14336,
    "max_position_embeddings": 32768,
    "model_type": "mistral",
    "num_attention_heads": 32,
    "num_hidden_layers": 32,
    "num_key_value_heads": 8,
    "rms_norm_eps": 1e-05,
    "rope_theta": 1000000.0,
    "sliding_window": None,
    "tie_word_embeddings": False,
    "torch_dtype": "bfloat16",
    "vocab_size": 32768,
}
QWEN3_8B: dict[str, Any] = {
    "architectures": ["Qwen3ForCausalLM"],
    "attention_bias": False,
    "head_dim": 128,
    "hidden_act": "silu",
    "hidden_size": 4096,
    "intermediate_size": 12288,
    "max_position_embeddings": 40960,
    "max_window_layers": 36,
    "model_type": "qwen3",
    "num_attention_heads": 32,
    "num_hidden_layers": 36,
    "num_key_value_heads": 8,
    "rope_theta": 1000000,
    "sliding_window": None,
    "tie_word_embeddings": False,
    "torch_dtype": "bfloat16",
    "use_sliding_window": False,
    "vocab_size": 151936,
}
QWEN2_5_7B: dict[str, Any] = {
    "architectures": ["Qwen2ForCausalLM"],
    "hidden_act": "silu",
    "hidden_size": 3584,
    "intermediate_size": 18944,
    "max_position_embeddings": 131072,
    "max_window_layers": 28,
    "model_type": "qwen2",
    "num_attention_heads": 28,
    "num_hidden_layers": 28,
    "num_key_value_heads": 4,
    "sliding_window": 131072,
    "tie_word_embeddings": False,
    "use_sliding_window": False,
    "vocab_size": 152064,
}
PHI_3_MINI: dict[str, Any] = {
    "architectures": ["Phi3ForCausalLM"],
    "hidden_act": "silu",
    "hidden_size": 3072,
    "intermediate_size": 8192,
    "max_position_embeddings": 4096,
    "model_type": "phi3",
    "num_attention_heads": 32,
    "num_hidden_layers": 32,
    "num_key_value_heads": 32,
    "sliding_window": 2047,
    "tie_word_embeddings": False,
    "vocab_size": 32064,
}


def parameters(config: dict[str, Any]) -> int:
    dtypes = {"weights": "bf16", "kv": "bf16", "activations": "bf16"}
    fields = {"schema": "archsim.workload/1", "name": "test", "family": "transformer", "dtypes": dtypes}
    return trace(SPEC.model_validate({**fields, "model": config})).parameters


def changed(config: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {key: value for key, value in {**config, **fields}.items() if value is not ...}


def refusal(config: dict[str, Any]) -> UnplacedError:
    with pytest.raises(UnplacedError) as raised:
        dimensions(config)
    return raised.value


@pytest.mark.parametrize(
    ("config", "published"),
    [
        (LLAMA_2_7B, 6_738_415_616),
        (LLAMA_3_1_8B, 8_030_261_248),
        (MISTRAL_7B, 7_248_023_552),
        (QWEN2_5_7B, 7_615_616_512),
        (QWEN3_8B, 8_190_735_360),
        (PHI_3_MINI, 3_821_079_552),
    ],
    ids=["llama-2-7b", "llama-3.1-8b", "mistral-7b-v0.3", "qwen2.5-7b", "qwen3-8b", "phi-3-mini"],
)
def test_parameters_are_those_published(config: dict[str, Any], published: int) -> None:
    assert parameters(config) == published


def test_every_dimension_of_llama_3_1_8b_is_translated() -> None:
    assert TransformerModel.model_validate(dimensions(LLAMA_3_1_8B)) == TransformerModel(
        name="llama",
        layers=32,
        hidden=4096,
        feed_forward=14336,
        heads=32,
        kv_heads=8,
        head_size=128,
        vocabulary=128256,
        max_context=131072,
    )


def test_a_model_is_called_what_its_file_calls_it() -> None:
    assert dimensions(LLAMA_2_7B)["name"] == "meta-llama/Llama-2-7b-hf"


def test_the_architecture_is_recognised_by_its_class() -> None:
    assert parameters(changed(QWEN3_8B, model_type=...)) == parameters(QWEN3_8B)


def test_the_language_model_is_taken_from_a_model_of_several_parts() -> None:
    config = {"model_type": "llava", "vision_config": {"hidden_size": 1024}, "text_config": LLAMA_3_1_8B}
    assert dimensions(config) == dimensions(LLAMA_3_1_8B)


def test_a_window_counts_where_the_model_uses_it() -> None:
    assert dimensions(changed(MISTRAL_7B, sliding_window=4096))["sliding_window"] == 4096
    assert dimensions(QWEN2_5_7B)["sliding_window"] is None
    everywhere = changed(QWEN2_5_7B, use_sliding_window=True, max_window_layers=0)
    assert dimensions(everywhere)["sliding_window"] == 131072


@pytest.mark.parametrize(
    "config",
    [
        changed(QWEN2_5_7B, use_sliding_window=True, max_window_layers=14),
        changed(LLAMA_3_1_8B, layer_types=["sliding_attention", "full_attention"] * 16),
    ],
)
def test_layers_that_differ_are_refused(config: dict[str, Any]) -> None:
    assert "equal layers" in str(refusal(config))


def test_an_unknown_type_is_named_with_those_that_are_known() -> None:
    error = refusal(changed(LLAMA_3_1_8B, model_type="lama"))
    assert "`lama`" in str(error)
    assert "llama, mistral" in str(error)
    assert "did you mean `llama`" in error.help


def test_an_unknown_type_says_which_fields_its_file_lacks() -> None:
    error = refusal({"model_type": "ctrl", "n_embd": 768, "n_layer": 12, "vocab_size": 50257})
    assert "lacks num_hidden_layers, hidden_size, intermediate_size, num_attention_heads" in str(error)


def test_missing_fields_are_called_by_the_names_of_the_file() -> None:
    error = refusal(changed(QWEN3_8B, intermediate_size=..., head_dim=...))
    assert "intermediate_size, head_dim" in str(error)


def test_a_model_of_another_family_is_refused_by_its_type() -> None:
    error = refusal({"model_type": "mixtral"})
    assert "model_type `mixtral` is a mixture of experts, which family `transformer` does not cover" in str(error)
    assert "`family: moe`, which reads mixtral, qwen2_moe, qwen3_moe, deepseek_v2, " in error.help


def test_a_mixture_of_experts_is_refused_by_its_fields() -> None:
    for kind in ("new", "qwen3"):
        assert "mixture of experts" in str(refusal(changed(LLAMA_3_1_8B, model_type=kind, num_experts=64)))


@pytest.mark.parametrize("config", [{"model_type": "mamba2"}, {"architectures": ["Mamba2ForCausalLM"]}])
def test_a_state_space_model_is_refused(config: dict[str, Any]) -> None:
    assert "state-space model" in str(refusal(config))
