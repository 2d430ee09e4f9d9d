"""A server's steady state: how long the sequences in flight are, when prompts join, and what a mixed step computes."""

from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import ValidationError

from archsim.model.trace import Attention, Experts, Gemm, Operator, Sampling, Scan, Trace
from archsim.model.workload import Served
from archsim.workloads import hybrid, moe, transformer
from archsim.workloads.hybrid import HybridWorkload
from archsim.workloads.moe import MoeWorkload
from archsim.workloads.transformer import TransformerWorkload

HIDDEN, HEADS, KV_HEADS, SIZE, VOCABULARY, LAYERS = 64, 8, 2, 8, 500, 3
BATCH, PROMPT, ANSWER = 4, 30, 16
MODEL: dict[str, Any] = {
    "name": "small",
    "layers": LAYERS,
    "hidden": HIDDEN,
    "heads": HEADS,
    "kv_heads": KV_HEADS,
    "vocabulary": VOCABULARY,
}
GIVEN: dict[str, Any] = {
    "schema": "archsim.workload/1",
    "name": "small",
    "family": "transformer",
    "model": MODEL | {"feed_forward": 160},
    "batch": BATCH,
    "output_tokens": ANSWER // BATCH,
    "served": {"prompt_tokens": PROMPT, "output_tokens": ANSWER},
    "dtypes": {"weights": "bf16", "kv": "bf16", "activations": "bf16"},
}


def served(**fields: Any) -> Served:
    return Served.model_validate({"prompt_tokens": PROMPT, "output_tokens": ANSWER} | fields)


def dense(**fields: Any) -> Trace:
    return transformer.trace(TransformerWorkload.model_validate(GIVEN | fields))


def steps(trace: Trace) -> list[list[tuple[Operator, int]]]:
    """The operators of each step with the times that they run."""
    found: list[list[tuple[Operator, int]]] = [[]]
    for block in trace.blocks:
        found[-1] += [(operator, block.times) for operator in block.operators]
        if block.closes:
            found.append([])
    return found[:-1]


def named(step: list[tuple[Operator, int]], name: str) -> Operator:
    return next(operator for operator, _ in step if operator.name == name)


def gemms(trace: Trace) -> Iterator[tuple[str, Gemm]]:
    return (
        (operator.name, operator.shape) for operator, _, _ in trace.executions() if isinstance(operator.shape, Gemm)
    )


@pytest.mark.parametrize(("variation", "made"), [(0, 100), (1, 200), (0.4, 116), (2, 500)])
def test_a_sequence_in_flight_is_as_long_as_renewal_theory_has_it(variation: float, made: int) -> None:
    assert served(output_tokens=200, variation=variation).context(BATCH) == PROMPT + made


def test_requests_that_were_sent_at_once_are_shorter() -> None:
    """Of 8 equal answers over 4 places half are seen from beginning to end; unequal ones as they begin."""
    assert served(output_tokens=200, requests=8).context(4) == PROMPT + 100
    assert served(output_tokens=200, variation=1, requests=8).context(4) < PROMPT + 100


def test_fewer_requests_than_sequences_in_flight_are_refused() -> None:
    with pytest.raises(ValidationError, match="of 3 requests no 4 are in flight at once"):
        dense(served={"prompt_tokens": PROMPT, "output_tokens": ANSWER, "requests": BATCH - 1})


@pytest.mark.parametrize("batch", [1, 4, 16, 33])
def test_as_many_prompts_begin_as_answers_end(batch: int) -> None:
    assert sum(served().begun(batch, 5 * ANSWER, seed=0)) == 5 * batch


def test_ends_fall_on_steps_as_chance_has_it() -> None:
    """With one prompt a step on average, exp(-1) of the steps have none."""
    begun = served(output_tokens=64).begun(64, 2000, seed=0)
    assert begun.count(0) / 2000 == pytest.approx(0.368, abs=0.03)


def test_the_seed_decides_where_prompts_begin() -> None:
    assert served().begun(3, 40, seed=1) == served().begun(3, 40, seed=1) != served().begun(3, 40, seed=2)


def test_too_few_steps_for_half_a_prompt_have_none() -> None:
    assert served(output_tokens=100).begun(1, 49, seed=0) == (0,) * 49
    assert sum(served(output_tokens=100).begun(1, 51, seed=0)) == 1


def test_all_steps_see_the_mean_context_and_one_has_a_prompt() -> None:
    found = steps(dense())
    contexts = {named(step, "attention").shape for step in found}
    seen = PROMPT + ANSWER // 2
    assert contexts == {Attention(some, 1, seen, HEADS, KV_HEADS, SIZE, causal=True) for some in (BATCH, BATCH - 1)}
    begun = [item for step in found for item in step if item[0].name == "prompt_attention"]
    assert {item.shape for item, _ in begun} == {Attention(1, PROMPT, PROMPT, HEADS, KV_HEADS, SIZE, causal=True)}
    assert sum(times for _, times in begun) == LAYERS


def test_a_prompt_shares_the_matrices_and_each_sequence_gets_one_token() -> None:
    mixed = next(step for step in steps(dense()) if any(item.name == "prompt_attention" for item, _ in step))
    rows = BATCH - 1 + PROMPT
    assert named(mixed, "qkv").shape == Gemm(rows, (HEADS + 2 * KV_HEADS) * SIZE, HIDDEN)
    assert named(mixed, "head").shape == Gemm(BATCH, VOCABULARY, HIDDEN)
    assert named(mixed, "sampling").shape == Sampling(BATCH, VOCABULARY)
    appended = sum(tensor.elements for tensor in named(mixed, "kv_append").writes)
    assert appended == 2 * rows * KV_HEADS * SIZE


def test_answers_of_a_single_token_are_prompts_alone() -> None:
    """A step has as many as there are places: none goes on, and what finds all taken waits."""
    found = steps(dense(served={"prompt_tokens": PROMPT, "output_tokens": 1}, output_tokens=3))
    assert served(output_tokens=1).begun(BATCH, 3, seed=0) == (BATCH,) * 3
    assert {named(step, "qkv").shape for step in found} == {Gemm(BATCH * PROMPT, (HEADS + 2 * KV_HEADS) * SIZE, HIDDEN)}
    assert not [item for step in found for item, _ in step if item.name == "attention"]


def test_macs_are_those_of_the_steps_and_of_the_prompt_apart() -> None:
    """A mixed step does what a step of those that go on and a prefill do."""
    alone, seen = {"served": None, "output_tokens": 1}, PROMPT + ANSWER // 2 - 1
    step, fewer = (dense(**alone, prompt_tokens=seen, batch=batch) for batch in (BATCH, BATCH - 1))
    prompt = dense(**alone, prompt_tokens=PROMPT, prompt_cached=False, batch=1)
    whole, each, mixed, begun = (
        sum(times * operator.macs for operator, _, times in it.executions()) for it in (dense(), step, fewer, prompt)
    )
    assert whole == (ANSWER // BATCH - 1) * each + mixed + begun


def test_weights_are_read_once_in_a_mixed_step() -> None:
    read = [
        sum(times * tensor.bytes for operator, times in step for tensor in operator.reads if tensor.role == "weights")
        for step in steps(dense())
    ]
    row = 2 * HIDDEN  # of the embedding table, one for each token
    assert {size - min(read) for size in read} == {0, (PROMPT - 1) * row}


def test_the_cache_holds_the_mean_sequence() -> None:
    held = {resident.role: resident.bytes for resident in dense().residents}
    assert held["kv"] == LAYERS * BATCH * (PROMPT + ANSWER // 2) * 2 * KV_HEADS * SIZE * 2


def test_experts_take_the_rows_of_prompts_too() -> None:
    fields = {"family": "moe", "model": MODEL | {"experts": {"count": 8, "top_k": 2, "width": 32}}}
    trace = moe.trace(MoeWorkload.model_validate(GIVEN | fields))
    shapes = {operator.shape for operator, _, _ in trace.executions() if operator.name == "experts_down"}
    loads = {sum(shape.loads) for shape in shapes if isinstance(shape, Experts)}
    assert loads == {2 * BATCH, 2 * (BATCH - 1 + PROMPT)}


def test_a_recurrence_scans_the_prompt_beside_the_steps() -> None:
    mixer = {"kind": "mamba2", "heads": 4, "head_size": 16, "state_size": 8, "chunk": 8}
    model = {key: size for key, size in MODEL.items() if key != "layers"} | {"pattern": "M*", "mixer": mixer}
    trace = hybrid.trace(HybridWorkload.model_validate(GIVEN | {"family": "hybrid", "model": model}))
    scans = [operator.shape for operator, _, _ in trace.executions() if isinstance(operator.shape, Scan)]
    assert set(scans) == {
        *(Scan(ongoing, 1, 4, 16, 8, 8) for ongoing in (BATCH, BATCH - 1)),
        Scan(1, PROMPT, 4, 16, 8, 8, prompt=True),
    }
    assert ("in_proj", Gemm(BATCH - 1 + PROMPT, 2 * 64 + 2 * 8 + 4, HIDDEN)) in set(gemms(trace))


@pytest.mark.parametrize("fields", [{"prompt_tokens": 5}, {"prompt_cached": False}])
def test_prompts_are_said_once(fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match="`served` says what prompts there are"):
        TransformerWorkload.model_validate(GIVEN | fields)


def test_a_request_fits_the_model() -> None:
    with pytest.raises(ValidationError, match="30 \\+ 16 = 46, and small takes 40"):
        TransformerWorkload.model_validate(GIVEN | {"model": MODEL | {"feed_forward": 160, "max_context": 40}})


def test_a_norm_of_several_groups_is_ten_passes_and_of_one_it_is_five() -> None:
    for groups, passes in ((1, 5), (4, 10)):
        mixer = {"kind": "mamba2", "heads": 4, "head_size": 16, "state_size": 8, "chunk": 8, "groups": groups}
        model = {key: size for key, size in MODEL.items() if key != "layers"} | {"pattern": "M*", "mixer": mixer}
        trace = hybrid.trace(HybridWorkload.model_validate(GIVEN | {"family": "hybrid", "model": model}))
        assert {item.passes for item, _, _ in trace.executions() if item.name == "gated_norm"} == {passes}
