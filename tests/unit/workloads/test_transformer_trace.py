"""What a transformer asks for: operators, tensors and contexts, each against its closed form."""

import time
from typing import Any

import pytest

from archsim.model.trace import Attention, Block, Gemm, Operator, Trace
from archsim.workloads.transformer import SPEC, TransformerWorkload, trace

MODEL: dict[str, Any] = {
    "name": "small",
    "layers": 3,
    "hidden": 64,
    "feed_forward": 160,
    "heads": 8,
    "kv_heads": 2,
    "vocabulary": 500,
}
HEAD = 8
EVERY_PART = ["embedding", "head", "norms", "rotary", "residuals", "kv_append", "attention", "activation"]
LAYER = [
    *("attn_norm", "qkv", "rotary", "kv_append", "attention", "attn_out"),
    *("attn_residual", "ffn_norm", "gate_up", "activation", "down"),
]


def workload(model: dict[str, Any] | None = None, **fields: Any) -> TransformerWorkload:
    dtypes = {"weights": "bf16", "kv": "bf16", "activations": "bf16"}
    given = {"schema": "archsim.workload/1", "name": "test", "family": "transformer", "dtypes": dtypes, **fields}
    return SPEC.model_validate({**given, "model": {**MODEL, **(model or {})}})


def operators(trace: Trace, name: str) -> list[Operator]:
    return [operator for operator, _, _ in trace.executions() if operator.name == name]


def only(spec: TransformerWorkload, name: str) -> Operator:
    found = set(operators(trace(spec), name))
    assert len(found) == 1
    return found.pop()


def role_bytes(trace: Trace, role: str) -> int:
    return sum(t.bytes * times for operator, _, times in trace.executions() for t in operator.reads if t.role == role)


def names(block: Block) -> list[str]:
    return [operator.name for operator in block.operators]


def contexts(trace: Trace) -> list[int]:
    shapes = [
        block.operators[LAYER.index("attention")].shape for block in trace.blocks if len(names(block)) == len(LAYER)
    ]
    return [shape.context for shape in shapes if isinstance(shape, Attention)]


def test_a_step_is_embedding_first_layer_other_layers_and_head() -> None:
    blocks = trace(workload(prompt_tokens=4)).blocks
    assert [(names(block), block.times, block.closes) for block in blocks] == [
        (["embedding"], 1, ""),
        (LAYER, 1, ""),
        (["ffn_residual", *LAYER], 2, ""),
        (["ffn_residual", "final_norm", "head"], 1, "token"),
    ]


def test_a_model_of_one_layer_has_no_other_layers() -> None:
    blocks = trace(workload({"layers": 1}, prompt_tokens=4)).blocks
    assert [block.times for block in blocks] == [1, 1, 1]


def test_every_residual_is_added_once() -> None:
    executed = trace(workload(prompt_tokens=4)).executions()
    assert sum(times for operator, _, times in executed if operator.name.endswith("_residual")) == 2 * MODEL["layers"]


def test_only_short_operators_join_and_what_they_join_stands_in_their_block() -> None:
    joins = {
        operator.name: operator.joins
        for block in trace(workload(prompt_tokens=4)).blocks
        for operator in block.operators
        if operator.joins and operator.joins in names(block)
    }
    assert joins == {
        "rotary": "attention",
        "kv_append": "attention",
        "attn_residual": "ffn_norm",
        "ffn_residual": "final_norm",
    }


@pytest.mark.parametrize("part", EVERY_PART)
def test_no_operator_joins_one_that_is_left_out(part: str) -> None:
    for block in trace(workload(prompt_tokens=4, without=[part])).blocks:
        assert {operator.joins for operator in block.operators} <= {"", *names(block)}


@pytest.mark.parametrize(
    ("part", "gone"),
    [
        ("embedding", {"embedding"}),
        ("head", {"head"}),
        ("norms", {"attn_norm", "ffn_norm", "final_norm"}),
        ("rotary", {"rotary"}),
        ("residuals", {"attn_residual", "ffn_residual"}),
        ("kv_append", {"kv_append"}),
        ("attention", {"attention"}),
        ("activation", {"activation"}),
    ],
)
def test_a_part_that_is_left_out_takes_its_operators_along(part: str, gone: set[str]) -> None:
    def ran(without: list[str]) -> set[str]:
        return {operator.name for operator, _, _ in trace(workload(prompt_tokens=4, without=without)).executions()}

    assert ran([]) - ran([part]) == gone


@pytest.mark.parametrize("without", [[], *([part] for part in EVERY_PART), EVERY_PART])
def test_each_matrix_of_a_step_depends_on_all_before_it(without: list[str]) -> None:
    blocks = trace(workload(prompt_tokens=4, without=without)).blocks
    executed = [operator for block in blocks for _ in range(block.times) for operator in block.operators]
    makers: dict[str, int] = {}
    behind: list[set[int]] = []  # for each operator, all that it depends on
    for index, operator in enumerate(executed):
        made_by = {makers[tensor.name] for tensor in operator.reads if tensor.name in makers}
        behind.append(made_by.union(*(behind[maker] for maker in made_by)))
        makers |= {tensor.name: index for tensor in operator.writes}
    matrices = [index for index, operator in enumerate(executed) if isinstance(operator.shape, Gemm)]
    assert len(matrices) >= 4 * 3
    assert all({*matrices[:n]} <= behind[index] for n, index in enumerate(matrices))


def test_the_next_token_waits_for_the_head() -> None:
    spec = workload(prompt_tokens=4)
    written = {tensor.name for tensor in only(spec, "head").writes}
    assert written & {tensor.name for tensor in only(spec, "embedding").reads}


@pytest.mark.parametrize("without", [[], ["head"], ["head", "norms", "residuals"]])
def test_the_last_block_of_each_step_makes_the_token(without: list[str]) -> None:
    blocks = trace(workload(prompt_tokens=4, output_tokens=5, without=without)).blocks
    assert [block.closes for block in blocks].count("token") == 5
    assert blocks[-1].closes == "token"


def test_decode_sees_the_prompt_and_every_token_up_to_its_own() -> None:
    assert contexts(trace(workload(prompt_tokens=100, output_tokens=4))) == [101, 102, 103, 104]


def test_without_append_the_cache_does_not_grow() -> None:
    spec = workload(prompt_tokens=100, output_tokens=4, without=["kv_append", "residuals"])
    attentions = operators(trace(spec), "attention")
    assert {attention.shape for attention in attentions} == {Attention(1, 1, 100, 8, 2, HEAD, causal=True)}


def test_without_append_and_prompt_there_is_nothing_to_attend_to() -> None:
    spec = workload(prompt_tokens=0, without=["kv_append"])
    assert not operators(trace(spec), "attention")
    assert role_bytes(trace(spec), "kv") == 0


def test_a_window_caps_what_decode_sees_and_what_the_cache_holds() -> None:
    spec = workload({"sliding_window": 102}, prompt_tokens=100, output_tokens=4)
    assert contexts(trace(spec)) == [101, 102, 102, 102]
    assert trace(spec).residents[1].bytes == 3 * 102 * 2 * 2 * HEAD * 2


def test_prefill_makes_the_first_token_and_decode_the_others() -> None:
    found = trace(workload(prompt_tokens=100, prompt_cached=False, output_tokens=3))
    assert [(block.phase, block.closes) for block in found.blocks if block.closes] == [
        ("prefill", "prompt"),
        ("decode", "token"),
        ("decode", "token"),
    ]
    assert contexts(found) == [100, 101, 102]


def test_prefill_counts_only_what_causality_lets_each_token_see() -> None:
    attention = only(workload(prompt_tokens=100, prompt_cached=False, batch=2), "attention")
    seen = sum(range(1, 101))
    assert attention.macs == 2 * 2 * 8 * HEAD * seen
    assert attention.vector_ops == 5 * 2 * 8 * seen


@pytest.mark.parametrize("window", [1, 7, 99, 100, 101])
def test_a_window_caps_what_each_token_of_a_prompt_sees(window: int) -> None:
    attention = only(workload({"sliding_window": window}, prompt_tokens=100, prompt_cached=False), "attention")
    assert attention.macs == 2 * 8 * HEAD * sum(min(token, window) for token in range(1, 101))


def test_prefill_computes_the_logits_of_the_last_token_only() -> None:
    spec = workload(prompt_tokens=100, prompt_cached=False, batch=3)
    assert only(spec, "head").shape == Gemm(3, 500, 64)
    assert only(spec, "down").shape == Gemm(300, 64, 160)


def test_the_embedding_reads_the_rows_that_are_named() -> None:
    read = only(workload(batch=5), "embedding").reads[1]
    assert (read.elements, read.bytes) == (5 * 64, 5 * 64 * 2)


def test_the_embedding_reads_no_row_twice() -> None:
    read = only(workload(prompt_tokens=1000, prompt_cached=False, output_tokens=1), "embedding").reads[1]
    assert read.elements == MODEL["vocabulary"] * MODEL["hidden"]


@pytest.mark.parametrize("kv_heads", [8, 2, 1])
def test_a_cached_token_takes_two_vectors_per_kv_head(kv_heads: int) -> None:
    spec = workload({"kv_heads": kv_heads}, prompt_tokens=100)
    read = only(workload({"kv_heads": kv_heads, "layers": 1}, prompt_tokens=100), "attention").reads[1]
    assert read.bytes == 101 * 2 * kv_heads * HEAD * 2
    assert only(spec, "kv_append").writes[0].bytes == 2 * kv_heads * HEAD * 2
    assert only(spec, "qkv").shape == Gemm(1, (8 + 2 * kv_heads) * HEAD, 64)
    assert trace(spec).residents[1].bytes == 3 * read.bytes


def test_the_macs_of_attention_do_not_depend_on_the_kv_heads() -> None:
    found = {only(workload({"kv_heads": n, "layers": 1}, prompt_tokens=9), "attention").macs for n in (1, 2, 8)}
    assert found == {2 * 8 * HEAD * 10}


@pytest.mark.parametrize(("gated", "name", "matrices", "ops"), [(True, "gate_up", 3, 5), (False, "up", 2, 8)])
def test_a_gated_feed_forward_has_three_matrices_and_a_plain_one_two(
    gated: bool, name: str, matrices: int, ops: int
) -> None:
    spec = workload({"gated": gated}, prompt_tokens=4, batch=2)
    assert only(spec, name).macs + only(spec, "down").macs == matrices * 2 * 64 * 160
    assert only(spec, "activation").vector_ops == ops * 2 * 160
    assert only(spec, "activation").reads[0].elements == (matrices - 1) * 2 * 160


def test_weights_in_groups_carry_a_scale_for_each_group() -> None:
    int4 = {"dtype": "int4", "group": 32}
    spec = workload(prompt_tokens=4, dtypes={"weights": int4, "kv": "bf16", "activations": "bf16"})
    matrix = only(spec, "down").reads[1]
    assert matrix.bytes == 64 * 160 // 2 + 64 * (160 // 32) * 2
    assert only(spec, "ffn_norm").reads[1].bytes == 64 * 2


def test_weights_are_read_once_for_all_sequences_and_the_cache_for_each() -> None:
    one, eight = (trace(workload(prompt_tokens=50, batch=n, without=["embedding"])) for n in (1, 8))
    assert role_bytes(eight, "weights") == role_bytes(one, "weights")
    assert role_bytes(eight, "kv") == 8 * role_bytes(one, "kv")


def test_a_step_reads_every_weight_but_the_rows_of_the_table_that_no_token_names() -> None:
    found = trace(workload(prompt_tokens=4))
    assert role_bytes(found, "weights") == found.residents[0].bytes - (500 - 1) * 64 * 2


@pytest.mark.parametrize("without", [[], ["embedding"], ["head"]])
def test_a_tied_table_is_stored_once(without: list[str]) -> None:
    tied = trace(workload({"tied_embeddings": True}, prompt_tokens=4, without=without))
    bare = trace(workload(prompt_tokens=4, without=["embedding", "head"]))
    assert tied.parameters - bare.parameters == 500 * 64
    assert tied.residents[0].bytes - bare.residents[0].bytes == 500 * 64 * 2


def test_biases_are_stored_and_added() -> None:
    biased = {"qkv_bias": True, "out_bias": True, "feed_forward_bias": True}
    plain, with_bias = trace(workload(prompt_tokens=4)), trace(workload(biased, prompt_tokens=4))
    assert with_bias.parameters - plain.parameters == 3 * ((8 + 4) * HEAD + 64 + 2 * 160 + 64)
    assert only(workload(biased, prompt_tokens=4), "attn_out").vector_ops == 64


def test_queries_and_keys_are_normed_with_one_scale_for_all_heads() -> None:
    spec = workload({"qk_norm": True}, prompt_tokens=4)
    assert trace(spec).parameters - trace(workload(prompt_tokens=4)).parameters == 3 * 2 * HEAD
    assert only(spec, "qk_norm").vector_ops == 4 * (8 + 2) * HEAD


def test_steps_share_every_operator_but_attention() -> None:
    found = trace(workload(prompt_tokens=4, output_tokens=10))
    assert len({id(operator) for operator in operators(found, "qkv")}) == 1
    assert len({id(operator) for operator in operators(found, "attention")}) == 10


def test_a_thousand_steps_are_traced_at_once() -> None:
    spec = workload({"layers": 80}, prompt_tokens=4, output_tokens=1000)
    start = time.perf_counter()
    trace(spec)
    assert time.perf_counter() - start < 1  # takes 0.03 s: anything that grows with layers x steps would not
