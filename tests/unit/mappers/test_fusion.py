"""Which operators share a kernel, what stays in its registers, and what passes memory all the same."""

from collections.abc import Callable, Iterable, Mapping

import pytest

from archsim.mappers.fusion import fused, groups, readers_of
from archsim.model.trace import Operator, Tensor, Trace

Operators = Mapping[str, Operator]
Readers = Mapping[str, frozenset[str]]


def names(kernels: Iterable[tuple[Operator, ...]]) -> list[tuple[str, ...]]:
    return [tuple(operator.name for operator in kernel) for kernel in kernels]


def traffic(operators: Iterable[Operator]) -> int:
    return sum(tensor.bytes for operator in operators for tensor in (*operator.reads, *operator.writes))


def named(tensors: Iterable[Tensor]) -> set[str]:
    return {tensor.name for tensor in tensors}


@pytest.fixture
def layer(decoder: Callable[..., Trace]) -> tuple[Operator, ...]:
    """A layer that is not the first: it begins with the sum of the one before."""
    return next(block.operators for block in decoder().blocks if block.operators[0].name == "ffn_residual")


def test_a_layer_runs_eight_kernels(layer: tuple[Operator, ...]) -> None:
    assert names(groups(layer, fusion=True)) == [
        ("ffn_residual", "attn_norm"),
        ("qkv",),
        ("rotary", "kv_append", "attention"),
        ("attn_out",),
        ("attn_residual", "ffn_norm"),
        ("gate_up",),
        ("activation",),
        ("down",),
    ]


def test_without_fusion_every_operator_is_a_kernel(layer: tuple[Operator, ...]) -> None:
    assert names(groups(layer, fusion=False)) == [(operator.name,) for operator in layer]


def test_an_operator_joins_only_where_its_host_stands_in_the_block(operators: Operators) -> None:
    assert names(groups([operators["rotary"], operators["qkv"]], fusion=True)) == [("rotary",), ("qkv",)]


def test_a_kernel_of_one_is_the_operator_itself(operators: Operators) -> None:
    assert fused([operators["qkv"]]) is operators["qkv"]


def test_a_kernel_bears_the_name_and_shape_of_its_last(operators: Operators) -> None:
    parts = [operators[name] for name in ("rotary", "kv_append", "attention")]
    kernel = fused(parts)
    assert (kernel.name, kernel.shape, kernel.macs) == ("attention", parts[-1].shape, parts[-1].macs)
    assert kernel.vector_ops == sum(part.vector_ops for part in parts)


@pytest.fixture
def readers(decoder: Callable[..., Trace]) -> Mapping[str, frozenset[str]]:
    """Who reads each activation of a decode step."""
    return readers_of(decoder())


def test_a_norm_with_its_sum_drops_one_pass_over_the_stream(operators: Operators, readers: Readers) -> None:
    parts = [operators["attn_residual"], operators["ffn_norm"]]
    kernel = fused(parts, readers)
    assert named(kernel.reads) == {"hidden", "delta", "ffn_norm.weight"}
    assert named(kernel.writes) == {"hidden", "normed"}
    stream = 2 * 128
    assert traffic(parts) - traffic([kernel]) == stream  # the norm no longer reads what the sum has just made


def test_attention_keeps_the_cache_and_drops_the_turned_queries_and_keys(
    operators: Operators, readers: Readers
) -> None:
    parts = [operators[name] for name in ("rotary", "kv_append", "attention")]
    kernel = fused(parts, readers)
    assert named(kernel.reads) == {"q", "k", "v", "kv"}
    assert named(kernel.writes) == {"kv", "attn"}
    queries, keys = 2 * 8 * 16, 2 * 4 * 16
    # q and k are no longer written by rotary, nor k read by the append, nor q by attention
    assert traffic(parts) - traffic([kernel]) == 2 * queries + 2 * keys


@pytest.mark.parametrize(("reader", "writes"), [("last", {"z"}), ("another", {"y", "z"})])
def test_what_only_the_kernel_itself_reads_never_passes_memory(reader: str, writes: set[str]) -> None:
    x, y, z = (Tensor(name, "activations", 8, "bf16", 16) for name in "xyz")
    parts = [Operator("first", (x,), (y,), joins="last"), Operator("last", (y,), (z,))]
    kernel = fused(parts, {"y": frozenset({"last", reader})})
    assert (named(kernel.reads), named(kernel.writes)) == ({"x"}, writes)


def test_every_reader_of_a_tensor_is_known(readers: Readers) -> None:
    assert readers["delta"] == {"attn_residual", "ffn_residual"}
    assert readers["activated"] == {"down"}
    assert "logits" not in readers


def test_a_tensor_is_read_and_written_once(operators: Operators, readers: Readers) -> None:
    kernel = fused([operators["ffn_residual"], operators["attn_norm"]], readers)
    assert len(kernel.writes) == len(named(kernel.writes))
    assert len(kernel.reads) == len(named(kernel.reads))


def test_what_stands_apart_joins_no_kernel(layer: tuple[Operator, ...]) -> None:
    kernels = names(groups(layer, fusion=True, apart=("rotary", "kv_append")))
    assert kernels[2:5] == [("rotary",), ("kv_append",), ("attention",)]
