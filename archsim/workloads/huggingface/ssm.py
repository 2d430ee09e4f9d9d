"""Dimensions of a state-space model from a Hugging Face `config.json`."""

from __future__ import annotations

from typing import Any

from archsim.workloads.huggingface.reading import Config, Names, expect, language_model, translated

_FIELDS: Names = {
    "layers": "num_hidden_layers",
    "hidden": "hidden_size",
    "vocabulary": "vocab_size",
    "mixer.heads": ("num_heads", "mamba_num_heads"),
    "mixer.head_size": ("head_dim", "mamba_head_dim"),
    "mixer.state_size": ("state_size", "ssm_state_size"),
    "mixer.groups": ("n_groups", "mamba_n_groups"),
}
_OPTIONAL_FIELDS: Names = {
    "mixer.convolution": "conv_kernel",
    "mixer.convolution_bias": "use_conv_bias",
    "mixer.chunk": "chunk_size",
}


def dimensions(config: Config) -> dict[str, Any]:
    """The fields of an `SsmModel`.

    Raises UnplacedError where the architecture is unknown, belongs to another family, or lacks fields.
    """
    kind, config = language_model(config, "ssm", _FIELDS)
    found = translated(config, kind, _FIELDS, _OPTIONAL_FIELDS)
    expect(config, use_bias=False)
    found["mixer"]["kind"] = "mamba2"
    return found
