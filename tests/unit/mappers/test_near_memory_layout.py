"""How a product lies over the units: shares, copies and partial sums, each counted by hand."""

from fractions import Fraction
from typing import Any

import pytest

from archsim.mappers.near_products import Layout, Product, products
from archsim.model.trace import Attention, Experts, Gemm, Operator, Tensor


def product(**fields: Any) -> Product:
    given: dict[str, Any] = {
        "tensor": "weights",
        "blocks": 1,
        "rows": 1,
        "n": 64,
        "k": 32,
        "macs": 2048,
        "held": 4096,
        "read": 4096,
    }
    return Product(**(given | {"inputs": 64, "outputs": 128} | fields))


def layout(split: int = 1, units: int = 16, lanes: int = 8, **fields: Any) -> Layout:
    return Layout(product(**fields), units, lanes, split)


def tensor(role: Any, count: int) -> Tensor:
    return Tensor(role, role, count, "bf16", 2 * count)


def test_outputs_divide_over_the_units() -> None:
    assert layout().share == Fraction(1, 16)


def test_outputs_that_do_not_divide_leave_units_idle() -> None:
    assert layout(n=17).share == Fraction(2, 17)
    assert layout(n=4).share == Fraction(1, 4)


def test_every_lane_gets_a_copy_of_the_inputs() -> None:
    whole = layout()
    assert (whole.brought, whole.brought_by_busiest, whole.partials, whole.additions) == (8 * 64, 64, 128, 0)


def test_a_split_reduction_brings_less_and_takes_partial_sums_back() -> None:
    halved = layout(split=2)
    assert (halved.brought, halved.brought_by_busiest) == (4 * 64, 32)
    assert (halved.partials, halved.taken_by_busiest) == (64 * 2 * 4, 64 * 2 * 4 // 8)
    assert halved.additions == 64
    assert halved.share == Fraction(1, 16)


def test_only_parts_that_divide_the_lanes_are_tried() -> None:
    assert [one.split for one in layout().candidates(None)] == [1, 2, 4, 8]
    assert [one.split for one in layout(blocks=2).candidates(None)] == [1, 2, 4]
    assert [one.split for one in layout(lanes=6).candidates(4)] == [2]


def test_blocks_have_lanes_of_their_own() -> None:
    each = layout(blocks=2)
    assert each.lanes_of_block == 4
    assert each.share == Fraction(64 // 8 * 32, 2 * 64 * 32)
    assert each.brought == 4 * 64


def test_more_blocks_than_lanes_take_turns_and_the_fullest_lane_counts() -> None:
    assert layout(blocks=9, n=2).share == Fraction(2 * 1, 9 * 2)
    assert layout(blocks=9).brought_by_busiest == -(-64 * 2 // 9)


@pytest.mark.parametrize(("rows", "reuse", "passes"), [(1, 1, 1), (8, 1, 8), (8, 4, 2), (9, 4, 3)])
def test_weights_are_read_again_for_rows_that_share_no_read(rows: int, reuse: int, passes: int) -> None:
    reads = (tensor("activations", rows * 32), tensor("weights", 64 * 32))
    operator = Operator("up", reads, (tensor("activations", rows * 64),), rows * 2048, shape=Gemm(rows, 64, 32))
    (found,) = products(operator, reuse)
    assert found.read == passes * found.held == passes * 2 * 64 * 32


def test_experts_are_read_for_their_own_rows_only() -> None:
    shape = Experts((3, 0, 1), 64, 32)
    reads = (tensor("activations", 4 * 32), tensor("weights", 2 * 64 * 32))
    operator = Operator("experts", reads, (tensor("activations", 4 * 64),), 4 * 2048, shape=shape)
    (found,) = products(operator, reuse=1)
    assert (found.rows, found.read) == (4, 4 * 2 * 64 * 32)


def test_attention_is_two_products_that_read_the_cache_for_each_query_of_a_group() -> None:
    shape = Attention(batch=1, queries=1, context=100, heads=8, kv_heads=2, head_size=16, causal=True)
    reads = (tensor("activations", 128), tensor("kv", 2 * 100 * 2 * 16))
    operator = Operator("attention", reads, (tensor("activations", 128),), 2 * 8 * 100 * 16, shape=shape)
    scores, values = products(operator, reuse=1)
    assert (scores.blocks, scores.rows, scores.n, scores.k) == (2, 4, 100, 16)
    assert (values.blocks, values.rows, values.n, values.k) == (2, 4, 16, 100)
    assert scores.macs + values.macs == operator.macs
    assert scores.held + values.held == 2 * 2 * 100 * 2 * 16
    assert (scores.read, scores.outputs) == (4 * scores.held, 8 * 100 * 2)
    assert values.inputs == scores.outputs


def test_latent_attention_reads_its_values_out_of_the_keys() -> None:
    shape = Attention(batch=1, queries=1, context=10, heads=4, kv_heads=1, head_size=24, causal=True, value_size=16)
    reads = (tensor("activations", 96), tensor("kv", 240))
    operator = Operator("attention", reads, (tensor("activations", 64),), 4 * 10 * 40, shape=shape)
    scores, values = products(operator, reuse=4)
    assert (scores.held, values.held) == (480, 320)
    assert (scores.macs, values.macs) == (4 * 10 * 24, 4 * 10 * 16)
