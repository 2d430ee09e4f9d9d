"""Entries for whole kernels: the operators that they become, and what they refuse."""

from collections.abc import Callable
from typing import Any

import pytest
from pydantic import ValidationError

from archsim.config.diagnostics import UnplacedError
from archsim.model.trace import Attention, Collective, Convolution, Experts, Operator, Resident, Scan
from archsim.workloads.loads import loads
from archsim.workloads.operators import SPEC, OperatorsWorkload, trace

ATTENTION = {"kind": "attention", "name": "a", "context": 100, "heads": 8, "kv_heads": 2, "head_size": 16}
EXPERTS = {"kind": "experts", "name": "e", "tokens": 4, "experts": 8, "top_k": 2, "hidden": 64, "inner": 32}
SCAN = {"kind": "scan", "name": "s", "heads": 4, "groups": 2, "head_size": 16, "state_size": 8}
CONVOLUTION = {"kind": "convolution", "name": "c", "channels": 64}
COLLECTIVE = {"kind": "collective", "name": "x", "operation": "all_gather", "bytes": "1 MiB"}


def workload(*operators: dict[str, Any], **fields: Any) -> OperatorsWorkload:
    dtypes = {"weights": "int8", "kv": "fp8", "activations": "bf16"}
    given = {"schema": "archsim.workload/1", "name": "test", "family": "operators", "dtypes": dtypes, **fields}
    return SPEC.model_validate({**given, "operators": list(operators)})


def traced(*operators: dict[str, Any], **fields: Any) -> list[Operator]:
    return [operator for operator, _, _ in trace(workload(*operators, **fields)).executions()]


def moved(operator: Operator, role: str) -> tuple[int, int]:
    """Bytes read and written of a role."""
    read, written = (
        sum(tensor.bytes for tensor in tensors if tensor.role == role) for tensors in (operator.reads, operator.writes)
    )
    return read, written


def finding(operator: dict[str, Any]) -> tuple[tuple[int | str, ...], str]:
    with pytest.raises(ValidationError) as raised:
        workload(operator)
    (error,) = raised.value.errors()
    cause = error.get("ctx", {}).get("error")
    return (*error["loc"], *(cause.at if isinstance(cause, UnplacedError) else ())), error["msg"]


def test_a_step_of_attention_reads_the_cache_and_appends_a_token() -> None:
    (operator,) = traced(ATTENTION, batch=3)
    assert operator.shape == Attention(3, 1, 100, 8, 2, 16, causal=True)
    assert operator.macs == 3 * 8 * 100 * 2 * 16
    assert moved(operator, "kv") == (3 * 100 * 2 * 2 * 16, 3 * 2 * 2 * 16)
    assert moved(operator, "activations") == (3 * (8 + 2 * 2) * 16 * 2, 3 * 8 * 16 * 2)


@pytest.mark.parametrize(("causal", "pairs"), [(True, 1 + 2 + 3 + 4), (False, 16)])
def test_a_prompt_sees_itself_under_the_mask(causal: bool, pairs: int) -> None:
    (operator,) = traced({**ATTENTION, "queries": 4, "context": 4, "causal": causal})
    assert operator.macs == 8 * pairs * 2 * 16


def test_a_cache_may_be_stored_in_a_type_of_its_own() -> None:
    assert moved(traced({**ATTENTION, "kv": "bf16"})[0], "kv")[0] == 2 * moved(traced(ATTENTION)[0], "kv")[0]


def test_the_cache_is_held_once_with_the_new_tokens_in_it() -> None:
    assert trace(workload(ATTENTION)).residents == (Resident("kv", 100 * 2 * 2 * 16),)


def test_experts_are_two_products_around_an_activation_and_a_sum() -> None:
    up, activation, down, combine = traced(EXPERTS, batch=2)
    assert isinstance(up.shape, Experts)
    assert sum(up.shape.loads) == 2 * 4 * 2
    assert (up.shape.n, up.shape.k) == (64, 64)
    assert activation.vector_ops == 5 * 16 * 32
    assert down.shape == Experts(up.shape.loads, 64, 32, 2)
    assert combine.vector_ops == 2 * 16 * 64
    assert [moved(each, "activations")[1] for each in (down, combine)] == [16 * 64 * 2, 8 * 64 * 2]
    assert up.macs == 16 * 64 * 64


def test_experts_without_rows_are_held_and_not_read() -> None:
    spec = workload({**EXPERTS, "tokens": 1})
    up, _, down, _ = (operator for operator, _, _ in trace(spec).executions())
    assert moved(up, "weights")[0] + moved(down, "weights")[0] == 2 * 3 * 64 * 32
    assert trace(spec).residents == (Resident("weights", 8 * 3 * 64 * 32),)


def test_a_step_of_a_scan_reads_its_state_and_a_prompt_leaves_one() -> None:
    state = 4 * 16 * 8 * 4
    (step,), (prompt,) = traced(SCAN), traced({**SCAN, "tokens": 128})
    assert (moved(step, "state"), moved(prompt, "state")) == ((state, state), (0, state))
    assert prompt.shape == Scan(1, 128, 4, 16, 8, 64, prompt=True)
    assert step.macs == 4 * 4 * 16 * 8


def test_a_convolution_keeps_what_the_next_token_sees() -> None:
    (step,), (prompt,) = traced(CONVOLUTION, batch=2), traced({**CONVOLUTION, "tokens": 10}, batch=2)
    kept = 2 * 3 * 64 * 2
    assert (moved(step, "state"), moved(prompt, "state")) == ((kept, kept), (0, kept))
    assert prompt.shape == Convolution(2, 10, 64, prompt=True)


def test_a_state_may_be_left_from_an_earlier_run() -> None:
    kept = [tensor for tensor in traced({**CONVOLUTION, "warm": True})[0].reads if tensor.role == "state"]
    assert [tensor.warm for tensor in kept] == [True]


def test_a_collective_moves_what_it_says_whatever_the_batch() -> None:
    (operator,) = traced({**COLLECTIVE, "devices": 4}, batch=7)
    assert operator.shape == Collective("all_gather", 2**20, 4)


@pytest.mark.parametrize("distribution", ["balanced", "uniform", "power_law_loads"])
@pytest.mark.parametrize(("experts", "top_k", "rows"), [(128, 8, 1), (128, 8, 100), (10, 6, 7), (8, 2, 5000)])
def test_every_row_goes_to_as_many_experts_as_it_should(distribution: Any, experts: int, top_k: int, rows: int) -> None:
    found = loads(distribution, 1.2, experts, top_k, rows, "0")
    assert len(found) == experts
    assert sum(found) == rows * top_k
    assert max(found) <= rows


def test_drawn_loads_are_uneven_and_follow_the_seed() -> None:
    drawn = [loads("power_law_loads", 1.2, 64, 8, 1000, seed) for seed in ("1", "1", "2")]
    assert drawn[0] == drawn[1] != drawn[2]
    assert max(drawn[0]) > 3 * max(loads("balanced", 1.2, 64, 8, 1000, "1"))


@pytest.mark.parametrize("seed", ["0", "1", "2"])
def test_rows_that_rounding_leaves_go_to_experts_that_have_none(seed: str) -> None:
    # 256 loads between 0.01 and 2, scaled to 32 rows, are all below 1.5: as many experts as rows
    assert sorted(loads("power_law_loads", 1.2, 256, 8, 4, seed), reverse=True)[:33] == [1] * 32 + [0]


@pytest.mark.parametrize(
    ("operator", "field", "says"),
    [
        ({**ATTENTION, "kv_heads": 3}, "kv_heads", "8 is not a multiple of 3"),
        ({**ATTENTION, "queries": 101}, "context", "101 new tokens are among the context, and it has 100"),
        ({**EXPERTS, "top_k": 9}, "top_k", "a row can't go to 9 of 8 experts"),
        ({**SCAN, "groups": 3}, "groups", "4 is not a multiple of 3"),
        ({**COLLECTIVE, "devices": 1}, "devices", "greater than or equal to 2"),
    ],
)
def test_what_does_not_hang_together_is_refused(operator: dict[str, Any], field: str, says: str) -> None:
    path, message = finding(operator)
    assert path[-1] == field
    assert says in message


@pytest.mark.parametrize(
    ("operator", "takes"), [(ATTENTION, 12 * 16), (EXPERTS, 4 * 64), (SCAN, 2 * 2 * 8 + 4 * 16), (CONVOLUTION, 64)]
)
def test_inputs_must_be_as_many_values_as_the_kernel_takes(operator: dict[str, Any], takes: int) -> None:
    def fed(size: int) -> Callable[[], list[Operator]]:
        before = {"kind": "vector", "name": "v", "elements": size}
        return lambda: traced(before, {**operator, "inputs": "v"})

    assert fed(takes)()[1].reads[0].elements == takes
    with pytest.raises(ValidationError, match=f"takes {takes} values"):
        fed(takes + 1)()
