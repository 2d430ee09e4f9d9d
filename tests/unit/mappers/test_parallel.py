"""Tensor parallelism: the parts of all devices make up the whole."""

from collections.abc import Callable, Mapping

import pytest

from archsim.mappers.parallel import kv_degree, shard, tensor_degree
from archsim.model.plan import PlanError
from archsim.model.trace import Attention, Gemm, Operator, Trace

DIVIDED = ("qkv", "rotary", "kv_append", "attention", "attn_out", "gate_up", "activation", "down", "head")


@pytest.mark.parametrize("degree", [2, 4])
@pytest.mark.parametrize("name", DIVIDED)
def test_parts_add_up_to_the_macs_operations_weights_and_cache(
    operators: Mapping[str, Operator], name: str, degree: int
) -> None:
    whole, part = operators[name], shard(operators[name], degree)
    assert degree * part.macs == whole.macs
    assert degree * part.vector_ops == whole.vector_ops
    for tensor, piece in zip((*whole.reads, *whole.writes), (*part.reads, *part.writes), strict=True):
        if tensor.role in ("weights", "kv"):
            assert (degree * piece.bytes, degree * piece.elements) == (tensor.bytes, tensor.elements)


def test_columns_read_all_inputs_and_write_a_part_of_the_outputs(operators: Mapping[str, Operator]) -> None:
    whole, part = operators["gate_up"], shard(operators["gate_up"], 4)
    assert part.shape == Gemm(1, 640 // 4, 128)
    assert (part.reads[0].bytes, part.writes[0].bytes) == (whole.reads[0].bytes, whole.writes[0].bytes // 4)


def test_rows_read_a_part_of_the_inputs_and_write_a_sum_of_all_outputs(operators: Mapping[str, Operator]) -> None:
    whole, part = operators["down"], shard(operators["down"], 4)
    assert part.shape == Gemm(1, 128, 320 // 4)
    assert (part.reads[0].bytes, part.writes[0].bytes) == (whole.reads[0].bytes // 4, whole.writes[0].bytes)


def test_heads_are_divided_and_never_fewer_than_one(operators: Mapping[str, Operator]) -> None:
    for degree, expected in ((2, (4, 2)), (4, (2, 1)), (8, (1, 1))):
        shape = shard(operators["attention"], degree).shape
        assert isinstance(shape, Attention)
        assert (shape.heads, shape.kv_heads) == expected


def test_beyond_the_kv_heads_devices_keep_copies(operators: Mapping[str, Operator]) -> None:
    kv = {
        degree: next(t.bytes for t in shard(operators["attention"], degree).reads if t.role == "kv")
        for degree in (1, 4, 8)
    }
    assert kv[4] * 4 == kv[1]
    assert kv[8] == kv[4]
    assert (kv_degree(8, 4), kv_degree(2, 4), kv_degree(8, 0)) == (4, 2, 8)


def test_what_is_not_divided_is_done_by_every_device(operators: Mapping[str, Operator]) -> None:
    assert shard(operators["attn_norm"], 4) is operators["attn_norm"]


def test_one_device_does_the_operator_as_it_is(operators: Mapping[str, Operator]) -> None:
    assert shard(operators["qkv"], 1) is operators["qkv"]


def test_the_degree_is_all_devices_where_none_is_given(decoder: Callable[..., Trace]) -> None:
    assert tensor_degree(None, 4, decoder()) == 4


@pytest.mark.parametrize(
    ("given", "devices", "text"),
    [(2, 4, "`devices` is 4"), (16, 16, "8 attention heads"), (3, 3, "does not divide")],
)
def test_a_degree_that_does_not_go_is_refused(
    decoder: Callable[..., Trace], given: int, devices: int, text: str
) -> None:
    with pytest.raises(PlanError, match=text) as caught:
        tensor_degree(given, devices, decoder())
    assert caught.value.where == ("hardware", "mapper", "tensor_parallel")


def test_degrees_that_would_go_are_named(decoder: Callable[..., Trace]) -> None:
    with pytest.raises(PlanError) as caught:
        tensor_degree(3, 3, decoder())
    assert caught.value.help == "degrees that do: 1, 2, 4, 8"
