"""A pattern of layers: which parts stand where, and what a pattern may not say."""

from typing import Any

import pytest
from pydantic import ValidationError

from archsim.model.trace import Experts, Trace
from archsim.workloads.hybrid import SPEC, HybridWorkload, trace

MODEL: dict[str, Any] = {
    "name": "small",
    "pattern": "M-*MME",
    "hidden": 16,
    "feed_forward": 40,
    "activation": "relu2",
    "heads": 4,
    "kv_heads": 2,
    "head_size": 8,
    "rotary": False,
    "vocabulary": 50,
    "mixer": {"kind": "mamba2", "heads": 6, "head_size": 4, "state_size": 10},
    "experts": {"count": 8, "top_k": 2, "width": 12},
}


def workload(model: dict[str, Any] | None = None, **fields: Any) -> HybridWorkload:
    dtypes = {"weights": "bf16", "kv": "bf16", "activations": "bf16"}
    given = {"schema": "archsim.workload/1", "name": "test", "family": "hybrid", "dtypes": dtypes, "prompt_tokens": 9}
    kept = {key: value for key, value in {**MODEL, **(model or {})}.items() if value is not ...}
    return SPEC.model_validate({**given, **fields, "model": kept})


def names(trace: Trace) -> list[str]:
    return [operator.name for operator, _, times in trace.executions() for _ in range(times)]


def held(found: Trace) -> dict[str, int]:
    return {str(resident.role): resident.bytes for resident in found.residents}


def message(model: dict[str, Any]) -> str:
    with pytest.raises(ValidationError) as raised:
        workload(model)
    return str(raised.value)


def test_each_letter_is_a_layer_with_a_norm_and_a_residual_of_its_own() -> None:
    found = trace(workload())
    norms = [name for name in names(found) if name.endswith("_norm") and name != "gated_norm"]
    assert norms == ["ssm_norm", "ffn_norm", "attn_norm", "ssm_norm", "ssm_norm", "ffn_norm", "final_norm"]
    added = [name for name in names(found) if name.endswith("_residual")]
    assert added == ["ssm_residual", "ffn_residual", "attn_residual", "ssm_residual", "ssm_residual", "ffn_residual"]
    assert sum(block.times for block in found.blocks if block.layer) == 6


def test_a_residual_joins_the_norm_of_the_next_layer() -> None:
    joined = [operator.joins for block in trace(workload()).blocks for operator in block.operators if operator.joins]
    assert [name for name in joined if name != "attention"] == [
        *("ffn_norm", "attn_norm", "ssm_norm", "ssm_norm", "ffn_norm", "final_norm")
    ]


def test_each_kind_of_layer_does_its_own_work() -> None:
    found = names(trace(workload()))
    assert {name: found.count(name) for name in ("scan", "down", "attention", "experts_down", "rotary")} == {
        "scan": 3,
        "down": 1,
        "attention": 1,
        "experts_down": 1,
        "rotary": 0,
    }


def test_a_list_of_kinds_is_a_pattern() -> None:
    kinds = ["ssm", "mlp", "attention", "mamba", "ssm", "moe"]
    assert workload({"pattern": kinds}).model == workload().model


def test_caches_and_states_are_held_by_the_layers_that_have_them() -> None:
    found = held(trace(workload(prompt_tokens=99, batch=2)))
    assert found["kv"] == 2 * 100 * 2 * 2 * 8 * 2
    assert found["state"] == 2 * 3 * (6 * 4 * 10 * 4 + 3 * (24 + 20) * 2)


@pytest.mark.parametrize(("activation", "matrices", "ops"), [("relu2", 2, 2), ("gelu", 2, 8), ("swiglu", 3, 5)])
def test_the_activation_says_how_many_matrices_there_are(activation: str, matrices: int, ops: int) -> None:
    spec = workload({"pattern": "-*E", "activation": activation})
    executed = {operator.name: operator for operator, _, _ in trace(spec).executions()}
    assert executed["activation"].vector_ops == ops * 40
    assert executed["up" if matrices == 2 else "gate_up"].macs == (matrices - 1) * 16 * 40
    experts = executed["experts_up" if matrices == 2 else "experts_gate_up"].shape
    assert isinstance(experts, Experts)
    assert experts.n == (matrices - 1) * 12


def test_every_mixture_of_a_pattern_is_drawn() -> None:
    found = trace(workload({"pattern": "EE*EE"}, batch=8))
    drawn = [operator.shape for operator, _, _ in found.executions() if operator.name == "experts_down"]
    assert len(set(drawn)) == 4
    assert found.experts == 8


def test_without_attention_no_heads_bound_tensor_parallelism() -> None:
    found = trace(workload({"pattern": "MM"}))
    assert (found.heads, found.kv_heads, found.experts) == (0, 0, 0)


def test_equal_layers_in_a_row_stand_once() -> None:
    times = [block.times for block in trace(workload({"pattern": "MMMM-----"})).blocks]
    assert times == [1, 1, 3, 1, 4, 1]


@pytest.mark.parametrize(
    ("model", "words"),
    [
        ({"pattern": "M-X"}, "`X`, letter 3 of the pattern, is none of M, *, -, E"),
        ({"mixer": ...}, "the pattern has `M`, and the model no `mixer`"),
        ({"feed_forward": ...}, "the pattern has `-`, and the model no `feed_forward`"),
        ({"experts": ...}, "the pattern has `E`, and the model no `experts`"),
        ({"pattern": ""}, "the pattern has no layers"),
    ],
)
def test_a_pattern_that_can_not_be_built_is_refused(model: dict[str, Any], words: str) -> None:
    assert words in message(model)
