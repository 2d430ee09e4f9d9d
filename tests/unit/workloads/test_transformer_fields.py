"""What a transformer's fields may say, and what is said where they may not."""

from typing import Any

import pytest
from pydantic import ValidationError

from archsim.config.diagnostics import UnplacedError
from archsim.workloads.transformer import SPEC

MODEL = {"name": "small", "layers": 3, "hidden": 64, "feed_forward": 160, "heads": 8, "vocabulary": 500}
WORKLOAD = {
    "schema": "archsim.workload/1",
    "name": "test",
    "family": "transformer",
    "dtypes": {"weights": "bf16", "kv": "bf16", "activations": "bf16"},
}


def finding(model: dict[str, Any] | None = None, **fields: Any) -> tuple[tuple[int | str, ...], str]:
    """Where the one finding is placed and what it says."""
    with pytest.raises(ValidationError) as raised:
        SPEC.model_validate({**WORKLOAD, "model": {**MODEL, **(model or {})}, **fields})
    (error,) = raised.value.errors()
    cause = error.get("ctx", {}).get("error")
    return (*error["loc"], *(cause.at if isinstance(cause, UnplacedError) else ())), error["msg"]


def test_kv_heads_and_head_size_follow_from_heads_and_hidden() -> None:
    model = SPEC.model_validate({**WORKLOAD, "model": MODEL}).model
    assert (model.kv_heads, model.head_size) == (8, 8)


def test_kv_heads_divide_heads() -> None:
    path, message = finding({"kv_heads": 3})
    assert path == ("model", "kv_heads")
    assert "8 is not a multiple of 3" in message


def test_a_head_size_that_does_not_follow_must_be_given() -> None:
    assert finding({"hidden": 100})[0] == ("model", "hidden")
    given = SPEC.model_validate({**WORKLOAD, "model": {**MODEL, "hidden": 100, "head_size": 16}})
    assert given.model.head_size == 16


def test_a_context_beyond_the_limit_is_shown_with_both_numbers() -> None:
    path, message = finding({"max_context": 100}, prompt_tokens=90, output_tokens=11)
    assert path == ("prompt_tokens",)
    assert "90 + 11 = 101" in message
    assert "small takes 100" in message


def test_a_context_up_to_the_limit_is_accepted() -> None:
    limited = {**WORKLOAD, "model": {**MODEL, "max_context": 100}, "prompt_tokens": 90}
    assert SPEC.model_validate({**limited, "output_tokens": 10}).output_tokens == 10


def test_a_prompt_of_no_tokens_is_not_simulated() -> None:
    assert finding(prompt_cached=False)[0] == ("prompt_cached",)


def test_a_part_that_is_not_known_is_named_with_those_that_are() -> None:
    path, message = finding(without=["kv_append", "biases"])
    assert path == ("without", 1)
    assert "'norms'" in message


def test_a_misspelt_dimension_is_not_overlooked() -> None:
    assert finding({"kvheads": 2})[0] == ("model", "kvheads")


def test_the_schema_lets_a_model_be_a_path() -> None:
    schema = SPEC.model_json_schema()
    assert {"type": "string"} in schema["properties"]["model"]["anyOf"]
