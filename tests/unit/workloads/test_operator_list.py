"""An explicit list of operators: what it asks for, and what it refuses."""

from typing import Any

import pytest
from pydantic import ValidationError

from archsim.config.diagnostics import UnplacedError
from archsim.model.trace import Gemm, Operator, Resident
from archsim.workloads.operators import SPEC, OperatorsWorkload, trace

FC1 = {"kind": "gemm", "name": "fc1", "n": 64, "k": 16}
ACT = {"kind": "vector", "name": "act", "elements": 64, "ops_per_element": 8, "inputs": "fc1"}
FC2 = {"kind": "gemm", "name": "fc2", "n": 16, "k": 64, "inputs": ["act"]}


def workload(*operators: dict[str, Any], **fields: Any) -> OperatorsWorkload:
    dtypes = {"weights": "int8", "kv": "int8", "activations": "bf16"}
    given = {"schema": "archsim.workload/1", "name": "test", "family": "operators", "dtypes": dtypes, **fields}
    return SPEC.model_validate({**given, "operators": list(operators)})


def traced(*operators: dict[str, Any], **fields: Any) -> list[Operator]:
    return [operator for operator, _, _ in trace(workload(*operators, **fields)).executions()]


def finding(*operators: dict[str, Any], **fields: Any) -> tuple[tuple[int | str, ...], str]:
    with pytest.raises(ValidationError) as raised:
        workload(*operators, **fields)
    (error,) = raised.value.errors()
    cause = error.get("ctx", {}).get("error")
    return (*error["loc"], *(cause.at if isinstance(cause, UnplacedError) else ())), error["msg"]


def test_a_product_has_rows_for_every_sequence_and_one_matrix_for_all() -> None:
    (gemm,) = traced({**FC1, "m": 2}, batch=3)
    assert gemm.shape == Gemm(6, 64, 16)
    assert gemm.macs == 6 * 64 * 16
    assert [(tensor.role, tensor.bytes) for tensor in gemm.reads] == [("activations", 6 * 16 * 2), ("weights", 64 * 16)]
    assert [tensor.bytes for tensor in gemm.writes] == [6 * 64 * 2]


def test_an_input_is_the_output_of_the_operator_that_it_names() -> None:
    fc1, act, fc2 = traced(FC1, ACT, FC2)
    assert act.reads == fc1.writes
    assert fc2.reads[0] == act.writes[0]


def test_what_no_operator_makes_comes_from_outside() -> None:
    fc1, act, fc2 = traced(FC1, ACT, FC2)
    made = {tensor.name for operator in (fc1, act, fc2) for tensor in operator.writes}
    assert fc1.reads[0].name not in made


def test_vector_operations_are_counted_for_each_element_of_each_sequence() -> None:
    assert traced(FC1, ACT, batch=5)[1].vector_ops == 5 * 64 * 8


def test_rows_of_a_table_are_read_as_entries() -> None:
    columns = ("kind", "name", "m", "n", "k", "elements", "ops_per_element", "inputs", "after")
    rows = [
        dict(zip(columns, cells.split(","), strict=True))
        for cells in ("gemm,fc1,,64,16,,,,", "vector,act,,,,64,8,fc1,", "gemm,fc2,,16,64,,,act,fc1")
    ]
    assert traced(*rows) == traced(FC1, ACT, {**FC2, "after": ["fc1"]})


@pytest.mark.parametrize(
    ("role", "batch", "expected"), [("weights", 4, 1000), ("kv", 4, 4000), ("state", 4, 8000), ("activations", 4, 8000)]
)
def test_a_stream_moves_weights_for_all_sequences_and_all_else_for_each(role: str, batch: int, expected: int) -> None:
    (stream,) = traced({"kind": "stream", "name": "s", "role": role, "elements": 1000}, batch=batch)
    assert [tensor.bytes for tensor in stream.reads] == [expected]


def test_a_stream_of_bytes_holds_as_many_values_as_fit() -> None:
    (stream,) = traced({"kind": "stream", "name": "s", "role": "activations", "bytes": "1 KiB", "access": "write"})
    assert not stream.reads
    assert (stream.writes[0].bytes, stream.writes[0].elements) == (1024, 512)


def test_waiting_moves_no_bytes() -> None:
    stream = {"kind": "stream", "name": "s", "role": "kv", "elements": 10}
    first, second = traced(stream, {**FC1, "after": "s"})
    assert second.reads[-1] in first.writes
    assert second.reads[-1].bytes == 0


@pytest.mark.parametrize("fields", [{"output_tokens": 2}, {"times": 2}])
def test_an_execution_waits_for_the_one_before(fields: dict[str, int]) -> None:
    fc1, _, fc2 = traced(FC1, ACT, FC2, **fields)[:3]
    assert fc2.writes[0].name in {tensor.name for tensor in fc1.reads}
    assert sum(tensor.bytes for tensor in fc1.reads) == 16 * 2 + 64 * 16


def test_each_token_is_complete_after_all_executions() -> None:
    blocks = trace(workload(FC1, times=7, output_tokens=3)).blocks
    assert [(block.times, block.closes, block.phase) for block in blocks] == [(7, "token", "decode")] * 3


def test_each_execution_has_data_of_its_own() -> None:
    found = trace(workload(FC1, {"kind": "stream", "name": "s", "role": "kv", "elements": 10}, times=7, batch=2))
    assert found.parameters == 7 * 64 * 16
    assert found.residents == (Resident("weights", 7 * 64 * 16), Resident("kv", 7 * 2 * 10))


def test_two_operators_of_one_name_are_refused() -> None:
    assert finding(FC1, FC1) == (("operators", 1, "name"), "Value error, two operators are called `fc1`")


@pytest.mark.parametrize(("field", "name"), [("inputs", "fc2"), ("after", "fc3")])
def test_an_operator_names_earlier_ones_only(field: str, name: str) -> None:
    path, message = finding(FC1, ACT, {**FC2, field: name})
    assert path == ("operators", 2, field)
    assert f"`{name}` is no earlier operator; earlier: fc1, act" in message


def test_the_inputs_of_a_product_must_fit_it() -> None:
    path, message = finding(FC1, {**FC2, "inputs": "fc1", "k": 65})
    assert path == ("operators", 1, "inputs")
    assert "65" in message
    assert "64" in message


@pytest.mark.parametrize("size", [{}, {"elements": 1, "bytes": "1 B"}])
def test_a_stream_has_one_size(size: dict[str, Any]) -> None:
    assert "one of elements and bytes" in finding({"kind": "stream", "name": "s", "role": "kv", **size})[1]


def test_a_list_has_no_prompt_to_simulate() -> None:
    assert finding(FC1, prompt_cached=False)[0] == ("prompt_cached",)


def test_a_list_has_operators() -> None:
    assert finding() == (("operators",), "Value error, the list has no operators")


def test_the_kind_of_an_entry_is_known() -> None:
    assert "'gemm', 'scan', 'collective', 'stream', 'vector'" in finding({**FC1, "kind": "conv"})[1]
