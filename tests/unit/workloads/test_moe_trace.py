"""What a mixture of experts asks for: operators, rows and weights, each against its closed form."""

from typing import Any

import pytest
from pydantic import ValidationError

from archsim.config.diagnostics import UnplacedError
from archsim.model.trace import Attention, Experts, Gemm, Operator, Trace
from archsim.workloads.moe import SPEC, MoeWorkload, trace

MODEL: dict[str, Any] = {
    "name": "small",
    "layers": 3,
    "hidden": 64,
    "heads": 8,
    "kv_heads": 2,
    "vocabulary": 500,
    "experts": {"count": 16, "top_k": 4, "width": 24},
}
LATENT = {"query_rank": 40, "kv_rank": 32, "nope_size": 12, "rope_size": 4, "value_size": 10}
SHARED = {"experts": {**MODEL["experts"], "shared_width": 48}}
LAYER = [
    *("attn_norm", "qkv", "rotary", "kv_append", "attention", "attn_out", "attn_residual", "ffn_norm"),
    *("router", "experts_gate_up", "experts_activation", "experts_down", "combine"),
]


def workload(model: dict[str, Any] | None = None, **fields: Any) -> MoeWorkload:
    dtypes = {"weights": "bf16", "kv": "bf16", "activations": "bf16"}
    given = {"schema": "archsim.workload/1", "name": "test", "family": "moe", "dtypes": dtypes, "prompt_tokens": 9}
    ignored = {"kv_heads"} if model and "latent" in model else set()
    kept = {key: value for key, value in MODEL.items() if key not in ignored}
    return SPEC.model_validate({**given, **fields, "model": {**kept, **(model or {})}})


def operators(trace: Trace, name: str) -> list[Operator]:
    return [operator for operator, _, times in trace.executions() for _ in range(times) if operator.name == name]


def first(spec: MoeWorkload, name: str) -> Operator:
    return operators(trace(spec), name)[0]


def loads(trace: Trace, name: str) -> list[tuple[int, ...]]:
    return [operator.shape.loads for operator in operators(trace, name) if isinstance(operator.shape, Experts)]


def parameters(**model: Any) -> int:
    return trace(workload(model)).parameters


def finding(model: dict[str, Any], **fields: Any) -> tuple[tuple[int | str, ...], str]:
    with pytest.raises(ValidationError) as raised:
        workload(model, **fields)
    (error,) = raised.value.errors()
    cause = error.get("ctx", {}).get("error")
    return (*error["loc"], *(cause.at if isinstance(cause, UnplacedError) else ())), error["msg"]


def test_a_layer_is_attention_router_experts_and_their_sum() -> None:
    blocks = [[operator.name for operator in block.operators] for block in trace(workload()).blocks]
    assert blocks == [
        ["embedding"],
        LAYER,
        ["ffn_residual", *LAYER],
        ["ffn_residual", *LAYER],
        ["ffn_residual", "final_norm", "head"],
    ]


def test_every_layer_of_every_step_has_its_own_draw() -> None:
    found = trace(workload(batch=8, output_tokens=5))
    assert len(set(loads(found, "experts_gate_up"))) == 3 * 5
    assert loads(found, "experts_gate_up") == loads(found, "experts_down")
    assert [(block.times, block.layer) for block in found.blocks[1:4]] == [(1, True)] * 3


def test_steps_share_all_that_is_not_drawn() -> None:
    found = trace(workload(output_tokens=5))
    assert len({id(operator) for operator in operators(found, "router")}) == 1
    assert len({id(operator) for operator in operators(found, "experts_activation")}) == 1


def test_a_seed_gives_the_same_trace_and_another_a_different_one() -> None:
    assert trace(workload(batch=4, seed=3)) == trace(workload(batch=4, seed=3))
    assert trace(workload(batch=4, seed=3)) != trace(workload(batch=4, seed=4))


def test_prefill_routes_every_token_of_the_prompt() -> None:
    found = trace(workload(batch=2, prompt_tokens=50, prompt_cached=False, output_tokens=2))
    assert [sum(drawn) for drawn in loads(found, "experts_down")] == [2 * 50 * 4] * 3 + [2 * 4] * 3


def test_prefill_and_the_first_step_of_decode_are_drawn_each_for_itself() -> None:
    found = loads(trace(workload(batch=8, prompt_tokens=1, prompt_cached=False, output_tokens=2)), "experts_down")
    assert len(found) == len(set(found)) == 2 * 3


def test_experts_multiply_every_routed_row() -> None:
    up, down = (first(workload(batch=5), name) for name in ("experts_gate_up", "experts_down"))
    assert (up.macs, down.macs) == (5 * 4 * 64 * 48, 5 * 4 * 24 * 64)
    assert isinstance(up.shape, Experts)
    assert isinstance(down.shape, Experts)
    assert (up.shape.n, up.shape.k, down.shape.n, down.shape.k) == (48, 64, 64, 24)
    assert (up.reads[0].elements, up.writes[0].elements) == (5 * 4 * 64, 5 * 4 * 48)
    assert (down.reads[0].elements, down.writes[0].elements) == (5 * 4 * 24, 5 * 4 * 64)


@pytest.mark.parametrize("batch", [1, 3, 40])
def test_only_experts_with_rows_read_their_weights(batch: int) -> None:
    up = first(workload(batch=batch), "experts_gate_up")
    assert isinstance(up.shape, Experts)
    active = sum(load > 0 for load in up.shape.loads)
    assert up.reads[-1].bytes == active * 48 * 64 * 2
    assert 4 <= active <= min(16, 4 * batch)


def test_the_router_scores_every_expert_for_every_token() -> None:
    router = first(workload(batch=5), "router")
    assert router.shape == Gemm(5, 16, 64)
    assert router.vector_ops == 3 * 5 * 16
    biased = first(workload({"experts": {**MODEL["experts"], "selection_bias": True}}, batch=5), "router")
    assert biased.vector_ops == 4 * 5 * 16


def test_the_sum_of_experts_weighs_each_row() -> None:
    assert first(workload(batch=5), "combine").vector_ops == 2 * 5 * 4 * 64
    assert first(workload(SHARED, batch=5), "combine").vector_ops == 2 * 5 * 4 * 64 + 5 * 64


def test_a_shared_expert_is_a_dense_feed_forward_beside_the_others() -> None:
    spec = workload(SHARED, batch=5)
    assert first(spec, "shared_gate_up").shape == Gemm(5, 96, 64)
    assert first(spec, "shared_down").shape == Gemm(5, 64, 48)
    assert parameters(**SHARED) - parameters() == 3 * 3 * 64 * 48


def test_leading_layers_may_be_dense() -> None:
    found = trace(workload({"dense_layers": 2, "feed_forward": 160}))
    assert len(operators(found, "experts_down")) == 1
    assert [operator.shape for operator in operators(found, "down")] == [Gemm(1, 64, 160)] * 2
    assert found.parameters - parameters() == 2 * (3 * 64 * 160 - 16 * 3 * 64 * 24 - 16 * 64)


def test_all_experts_are_stored_whoever_is_active() -> None:
    per_layer = 64 * (8 + 2 * 2) * 8 + 64 * 64 + 2 * 64 + 16 * 64 + 16 * 3 * 64 * 24
    assert parameters() == 3 * per_layer + 2 * 500 * 64 + 64
    assert {trace(workload(batch=n)).residents[0].bytes for n in (1, 7)} == {2 * parameters()}


def test_a_trace_names_what_bounds_parallelism() -> None:
    found = trace(workload())
    assert (found.heads, found.kv_heads, found.experts) == (8, 2, 16)
    assert trace(workload({"latent": LATENT})).kv_heads == 1


def test_a_trace_of_loads_is_replayed_in_every_step() -> None:
    row = [2, 2, 1, 1, 1, 1, *[0] * 10]
    rows = [{"layer": layer, "expert": e, "load": load} for layer in range(3) for e, load in enumerate(row)]
    found = trace(workload(batch=2, output_tokens=3, routing={"kind": "trace", "file": rows}))
    assert set(loads(found, "experts_down")) == {tuple(row)}


def test_a_latent_vector_is_cached_per_token_for_all_heads() -> None:
    spec = workload({"latent": LATENT}, prompt_tokens=100, batch=2)
    attention = first(spec, "attention")
    assert attention.shape == Attention(2, 1, 101, 8, 1, 36, causal=True, value_size=32)
    assert attention.reads[-1].bytes == 2 * 101 * 36 * 2
    assert first(spec, "kv_append").writes[0].bytes == 2 * 36 * 2
    assert trace(spec).residents[1].bytes == 3 * 2 * 101 * 36 * 2


def test_decode_attends_to_latent_vectors_and_absorbs_the_expansion() -> None:
    spec = workload({"latent": LATENT}, prompt_tokens=100, batch=2)
    assert first(spec, "attention").macs == 2 * 8 * 101 * (36 + 32)
    assert [t.elements for t in first(spec, "attention").reads[:2]] == [2 * 8 * 32, 2 * 8 * 4]
    assert first(spec, "q_absorb").macs == 2 * 8 * 12 * 32
    assert first(spec, "v_absorb").macs == 2 * 8 * 32 * 10


def test_a_prompt_attends_to_expanded_heads() -> None:
    spec = workload({"latent": LATENT}, prompt_tokens=100, prompt_cached=False, batch=2)
    assert first(spec, "kv_b").macs == 2 * 100 * 32 * 8 * (12 + 10)
    assert first(spec, "attention").macs == 2 * 8 * (100 * 101 // 2) * (16 + 10)
    assert not operators(trace(spec), "q_absorb")


def test_both_forms_of_latent_attention_have_the_same_weights() -> None:
    def weights(cached: bool) -> int:
        found = trace(workload({"latent": LATENT}, prompt_tokens=9, prompt_cached=cached))
        names = ("q_absorb", "v_absorb", "kv_b")
        return sum(t.elements for name in names for o in operators(found, name) for t in o.reads if t.role == "weights")

    assert weights(cached=True) == weights(cached=False) == 3 * 32 * 8 * (12 + 10)


def test_queries_need_no_latent_vector() -> None:
    direct = {key: value for key, value in LATENT.items() if key != "query_rank"}
    assert first(workload({"latent": direct}), "q").shape == Gemm(1, 8 * 16, 64)
    assert parameters(latent=direct) - parameters(latent=LATENT) == 3 * (64 * 8 * 16 - 40 * (64 + 8 * 16) - 40)


@pytest.mark.parametrize(
    ("model", "place", "words"),
    [
        ({"experts": {**MODEL["experts"], "top_k": 17}}, ("model", "experts", "top_k"), "17 of 16"),
        ({"dense_layers": 3}, ("model", "dense_layers"), "none has experts"),
        ({"dense_layers": 1}, ("model", "dense_layers"), "feed_forward"),
        ({"latent": LATENT, "head_size": 8}, ("model", "head_size"), "leave out head_size"),
    ],
)
def test_a_model_that_does_not_hang_together_is_refused(
    model: dict[str, Any], place: tuple[str, ...], words: str
) -> None:
    where, message = finding(model)
    assert where == place
    assert words in message


def test_a_trace_of_another_model_is_refused_at_its_row() -> None:
    rows = [{"layer": 0, "expert": 16, "load": 1}]
    where, message = finding({}, routing={"kind": "trace", "file": rows})
    assert where == ("routing", "file", 0)
    assert "row 1 of the routing trace: there is no expert 16: layers have experts 0 to 15" in message


def test_a_routing_that_is_not_known_is_named_with_those_that_are() -> None:
    assert "'uniform', 'power_law', 'trace'" in finding({}, routing={"kind": "zipf"})[1]
