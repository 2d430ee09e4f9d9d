"""What layers with a state ask for: state, scan and convolution of Mamba-2 and of the gated delta net."""

from typing import Any

import pytest
from pydantic import ValidationError

from archsim.config.diagnostics import UnplacedError
from archsim.model.trace import Gemm, Operator, Resident, Scan, Trace
from archsim.workloads.ssm import SPEC, SsmWorkload, trace

MAMBA: dict[str, Any] = {"kind": "mamba2", "heads": 6, "head_size": 4, "state_size": 10, "groups": 2, "chunk": 8}
DELTA: dict[str, Any] = {"kind": "gated_delta_net", "key_heads": 2, "value_heads": 6, "key_size": 5, "value_size": 4}
STATE = {"mamba2": 6 * 4 * 10, "gated_delta_net": 6 * 4 * 5}
CHANNELS = {"mamba2": 24 + 2 * 2 * 10, "gated_delta_net": 24 + 2 * 2 * 5}
MIXERS = pytest.mark.parametrize("mixer", [MAMBA, DELTA], ids=["mamba2", "gated-delta-net"])


def workload(mixer: dict[str, Any], model: dict[str, Any] | None = None, **fields: Any) -> SsmWorkload:
    dtypes = {"weights": "int8", "kv": "bf16", "activations": "bf16"}
    given = {"schema": "archsim.workload/1", "name": "test", "family": "ssm", "dtypes": dtypes, "prompt_tokens": 9}
    shape = {"name": "small", "layers": 3, "hidden": 16, "vocabulary": 50, "mixer": mixer}
    return SPEC.model_validate({**given, **fields, "model": {**shape, **(model or {})}})


def only(spec: SsmWorkload, name: str) -> Operator:
    found = {operator for operator, _, _ in trace(spec).executions() if operator.name == name}
    assert len(found) == 1
    return found.pop()


def state_bytes(operator: Operator) -> tuple[int, int]:
    """Read and written."""
    read, written = (
        sum(tensor.bytes for tensor in tensors if tensor.role == "state")
        for tensors in (operator.reads, operator.writes)
    )
    return read, written


def prefill(mixer: dict[str, Any], tokens: int, **fields: Any) -> SsmWorkload:
    return workload(mixer, prompt_tokens=tokens, prompt_cached=False, **fields)


def held(found: Trace) -> int:
    return {resident.role: resident.bytes for resident in found.residents}["state"]


@MIXERS
def test_a_layer_is_projection_convolution_scan_norm_and_projection(mixer: dict[str, Any]) -> None:
    blocks = trace(workload(mixer)).blocks
    layer = ["ssm_norm", "in_proj", "conv", "scan", "gated_norm", "out_proj"]
    assert [[operator.name for operator in block.operators] for block in blocks] == [
        ["embedding"],
        layer,
        ["ssm_residual", *layer],
        ["ssm_residual", "final_norm", "head"],
    ]
    assert [block.times for block in blocks] == [1, 1, 2, 1]


@MIXERS
@pytest.mark.parametrize(("dtype", "size"), [("fp32", 4), ("bf16", 2)])
def test_one_token_reads_and_writes_the_state_in_its_own_type(mixer: dict[str, Any], dtype: str, size: int) -> None:
    scan = only(workload(mixer, batch=3, state=dtype), "scan")
    assert state_bytes(scan) == (3 * STATE[mixer["kind"]] * size,) * 2
    assert scan.mac_dtype == "bf16"


@MIXERS
def test_a_state_is_in_full_precision_where_nothing_is_said(mixer: dict[str, Any]) -> None:
    assert workload(mixer).state == "fp32"


@pytest.mark.parametrize(("mixer", "per_value"), [(MAMBA, 3), (DELTA, 4)])
def test_one_token_costs_a_few_macs_for_each_value_of_the_state(mixer: dict[str, Any], per_value: int) -> None:
    assert only(workload(mixer, batch=3), "scan").macs == 3 * per_value * STATE[mixer["kind"]]


@MIXERS
def test_one_token_keeps_the_inputs_that_the_convolution_sees_next(mixer: dict[str, Any]) -> None:
    conv = only(workload(mixer, batch=3), "conv")
    assert state_bytes(conv) == (3 * 3 * CHANNELS[mixer["kind"]] * 2,) * 2


@MIXERS
def test_a_prompt_starts_from_nothing_and_leaves_its_last_state(mixer: dict[str, Any]) -> None:
    spec = prefill(mixer, 100, batch=3)
    assert state_bytes(only(spec, "scan")) == (0, 3 * STATE[mixer["kind"]] * 4)
    assert state_bytes(only(spec, "conv")) == (0, 3 * 3 * CHANNELS[mixer["kind"]] * 2)


@MIXERS
def test_the_state_does_not_grow(mixer: dict[str, Any]) -> None:
    short, long = (trace(workload(mixer, prompt_tokens=n, output_tokens=5)) for n in (0, 10**6))
    assert held(short) == held(long) == 3 * (STATE[mixer["kind"]] * 4 + 3 * CHANNELS[mixer["kind"]] * 2)
    assert "kv" not in {resident.role for resident in long.residents}


@MIXERS
def test_all_steps_are_the_same(mixer: dict[str, Any]) -> None:
    one, ten = (trace(workload(mixer, output_tokens=n)) for n in (1, 10))
    assert ten.blocks == one.blocks * 10
    assert len({id(operator) for operator, _, _ in ten.executions()}) == 1 + 6 + 2 + 3  # others share all but the sum


def test_a_scan_says_what_is_parallel_and_what_is_a_chain() -> None:
    assert only(prefill(MAMBA, 100, batch=3), "scan").shape == Scan(3, 100, 6, 4, 10, 8, prompt=True)
    assert only(prefill(DELTA, 100, batch=3), "scan").shape == Scan(3, 100, 6, 4, 5, 64, prompt=True)


def chunks(tokens: int, chunk: int) -> list[int]:
    return [min(chunk, tokens - start) for start in range(0, tokens, chunk)]


@pytest.mark.parametrize("tokens", [2, 8, 16, 19, 100])
def test_a_prompt_is_scanned_by_mamba_2_in_chunks(tokens: int) -> None:
    heads, size, state, groups = 6, 4, 10, 2
    expected = 0
    for length in chunks(tokens, 8):
        expected += groups * length * length * state  # C B'
        expected += heads * length * length * size  # its product with the inputs
        expected += heads * length * size * state  # what the chunk adds to the state
        expected += heads * length * size * state  # what the state gives to the outputs
        expected += heads * size * state  # from state to state
    assert only(prefill(MAMBA, tokens, batch=2), "scan").macs == 2 * expected


@pytest.mark.parametrize("tokens", [2, 64, 100])
def test_a_prompt_is_scanned_by_the_gated_delta_net_in_chunks(tokens: int) -> None:
    expected = 0
    for length in chunks(tokens, 64):
        pairs, inverse = length * length, sum((row - column - 1) for row in range(length) for column in range(row))
        expected += 2 * 2 * pairs * 5  # K K' and Q K'
        expected += 6 * (inverse + pairs * 5 + pairs * 4)  # of the triangle, with keys and with values
        expected += 6 * pairs * 4  # the masked sum over values
        expected += 6 * (3 * length + 1) * 4 * 5  # the state: asked, read, updated, decayed
    assert only(prefill(DELTA, tokens, batch=2), "scan").macs == 2 * expected


def test_long_prompts_cost_in_proportion_to_their_chunks() -> None:
    one, ten = (only(prefill(MAMBA, 8 * n), "scan") for n in (1, 10))
    assert (ten.macs, ten.vector_ops) == (10 * one.macs, 10 * one.vector_ops)


def test_the_parameters_of_mamba_2_are_two_projections_and_short_vectors() -> None:
    inner, channels = 24, 64
    layer = 16 * (inner + channels + 6) + channels * (4 + 1) + 3 * 6 + inner + inner * 16 + 16
    assert trace(workload(MAMBA)).parameters == 3 * layer + 2 * 50 * 16 + 16


def test_the_parameters_of_a_gated_delta_net_are_two_projections_and_short_vectors() -> None:
    inner, channels = 24, 44
    layer = 16 * (inner + channels + 12) + channels * 4 + 2 * 6 + 4 + inner * 16 + 16
    assert trace(workload(DELTA)).parameters == 3 * layer + 2 * 50 * 16 + 16


def test_projections_are_quantised_and_short_vectors_are_not() -> None:
    spec = workload(MAMBA)
    assert only(spec, "in_proj").shape == Gemm(1, 24 + 64 + 6, 16)
    assert only(spec, "in_proj").reads[1].bytes == 94 * 16
    assert only(spec, "conv").reads[2].bytes == 64 * 4 * 2


def test_a_layer_may_have_a_feed_forward_part() -> None:
    with_it, without = (trace(workload(DELTA, {"feed_forward": n})) for n in (40, None))
    assert with_it.parameters - without.parameters == 3 * (3 * 16 * 40 + 16)
    names = [operator.name for operator in with_it.blocks[1].operators]
    assert names[-5:] == ["ssm_residual", "ffn_norm", "gate_up", "activation", "down"]


def test_a_state_space_model_has_no_attention_and_its_heads_bound_tensor_parallelism() -> None:
    found = trace(workload(MAMBA))
    assert (found.heads, found.kv_heads, found.experts) == (6, 0, 0)
    assert found.residents[0] == Resident("weights", found.residents[0].bytes)


def test_equal_groups_of_value_heads_share_keys() -> None:
    with pytest.raises(ValidationError) as raised:
        workload({**DELTA, "key_heads": 4})
    (error,) = raised.value.errors()
    cause = error["ctx"]["error"]
    assert "6 is not a multiple of 4" in error["msg"]
    assert isinstance(cause, UnplacedError)
    assert cause.at == ("key_heads",)
