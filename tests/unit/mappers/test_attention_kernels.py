"""How attention occupies the tiles: splits of the context worked out by hand, and the triangle of a causal mask."""

from fractions import Fraction
from typing import Any

import pytest

from archsim.mappers.attention_kernels import appending, decode_attention, prefill_attention
from archsim.mappers.kernels import Kernel
from archsim.model.kernel_table import DecodeAttentionKernels, PrefillAttentionKernels
from archsim.model.trace import Attention

# As FlashAttention on the two GPUs: H100 has 132 tiles of one slot, A100 108 of two.
H100, A100 = 132, 108


def decode(**fields: Any) -> DecodeAttentionKernels:
    given = {"launch": "10 us", "wave": "2 us", "max_splits": 32, "block": 128, "split_cost": "34 ns", "rows": 64}
    return DecodeAttentionKernels.model_validate(given | fields)


def prefill(**fields: Any) -> PrefillAttentionKernels:
    given = {"launch": "5 us", "tile": "6 us", "rows": 128, "append": "0.5 ns"}
    return PrefillAttentionKernels.model_validate(given | fields)


def token(batch: int = 1, kv_heads: int = 8, context: int = 2049) -> Attention:
    return Attention(batch, 1, context, heads=32, kv_heads=kv_heads, head_size=128, causal=True)


def kernel_of(shape: Attention, offered: DecodeAttentionKernels, tiles: int) -> Kernel:
    """The only kernel, where waves are not told apart."""
    [kernel] = decode_attention(shape, offered, tiles)
    return kernel


def test_batch_1_splits_until_the_last_wave_is_nearly_full() -> None:
    # 8 blocks on 132 slots: 16 parts fill 128 of them, the best; 0.85 of that is 108.8, 14 x 8 = 112 the first above
    kernel = kernel_of(token(), decode(), H100)
    assert (kernel.text, kernel.ways, kernel.share) == ("KV split in 14", 112, Fraction(1, 112))


def test_two_slots_a_tile_take_more_parts() -> None:
    # at most 17 parts of 128 tokens: 136 of 216 slots; 0.85 of that is 115.6, and 15 x 8 = 120 is the first above
    kernel = kernel_of(token(), decode(slots=2, max_splits=128), A100)
    assert (kernel.text, kernel.ways, kernel.share) == ("KV split in 15", A100, Fraction(1, A100))


@pytest.mark.parametrize(("batch", "waves"), [(14, 1), (16, 1), (17, 2), (32, 2)])
def test_a_machine_that_is_full_enough_is_not_split_for(batch: int, waves: int) -> None:
    # from 0.8 x 132 = 105.6 blocks on
    kernel = kernel_of(token(batch), decode(), H100)
    assert (kernel.text, kernel.partials) == ("", 0)
    assert kernel.launch == 10_000_000 + waves * 2_000_000


def test_just_full_enough_is_left_as_it_is_and_just_less_is_split() -> None:
    # two KV heads: 106 blocks are 0.803 of the slots, 104 are 0.788; more parts would fill 0.96 of the waves
    assert kernel_of(token(53, kv_heads=2), decode(), H100).text == ""
    assert kernel_of(token(52, kv_heads=2), decode(), H100).text != ""


def test_a_short_context_has_too_few_blocks_to_split() -> None:
    # 300 tokens are 3 blocks of 128
    assert kernel_of(token(context=300), decode(), H100).text == "KV split in 3"
    assert kernel_of(token(context=128), decode(), H100).text == ""


def test_parts_are_combined_at_a_price_and_their_sums_pass_memory() -> None:
    kernel = kernel_of(token(), decode(combine="5 us"), H100)
    assert kernel.launch == 10_000_000 + 2_000_000 + 5_000_000 + 13 * 34_000
    assert kernel.partials == 32 * 128 * 4 * 14


def test_parts_as_long_as_those_of_one_split_less_are_not_eligible() -> None:
    # 4 blocks of context: 3 parts are 2 blocks, as 2 parts are. 64 sequences' heads in 3 parts fill 192 of 216 slots
    shape = token(8, context=512)
    assert kernel_of(shape, decode(), 216).text == "KV split in 3"
    assert kernel_of(shape, decode(eligible=True), 216).text == "KV split in 2"


@pytest.mark.parametrize("fields", [{"splits": False}, {"splits_ungrouped": False}])
def test_an_ungrouped_head_is_split_only_where_the_software_does(fields: dict[str, bool]) -> None:
    assert kernel_of(token(kv_heads=32), decode(), H100).text != ""
    assert kernel_of(token(kv_heads=32), decode(**fields), H100).text == ""


def test_at_batch_1_without_splits_eight_of_132_tiles_are_at_work() -> None:
    kernel = kernel_of(token(), decode(splits=False), H100)
    assert (kernel.ways, kernel.share) == (8, Fraction(1, 8))


def test_a_query_group_is_padded_to_the_rows_of_a_mac_tile() -> None:
    # scores and values: 2 x 64 rows (for a group of 4) x context x head size, for each of 8 KV heads on 112 tiles
    kernel = kernel_of(token(), decode(), H100)
    assert kernel.critical == -(-2 * 8 * 64 * 2049 * 128 // 112)
    assert kernel_of(token(), decode(rows=1), H100).critical == -(-2 * 8 * 4 * 2049 * 128 // 112)


def test_half_the_efficiency_takes_twice_the_slots() -> None:
    whole, half = (kernel_of(token(), decode(efficiency=value), H100).critical for value in (1, 0.5))
    assert half in (2 * whole - 1, 2 * whole)  # each rounded up


def test_a_last_thin_wave_runs_by_itself_where_waves_are_quantised() -> None:
    # 17 sequences of 8 heads are 136 blocks: 132 fill the machine, 4 come after
    full, thin = decode_attention(token(17), decode(quantised=True), H100)
    assert (full.ways, full.share, full.covers) == (132, Fraction(1, 132), (Fraction(0), Fraction(132, 136)))
    assert (thin.ways, thin.share, thin.covers) == (4, Fraction(1, 4), (Fraction(132, 136), Fraction(1)))
    assert (full.launch, thin.launch) == (10_000_000 + 2 * 2_000_000, 0)
    assert full.critical == thin.critical == 2 * 64 * 2049 * 128


@pytest.mark.parametrize("batch", [1, 17, 33])
def test_waves_divide_every_count_without_a_rest(batch: int) -> None:
    waves = decode_attention(token(batch), decode(quantised=True), H100)
    for count in (0, 1, 7, 1000, 10**9 + 7):
        assert sum(wave.portion(count) for wave in waves) == count


def prompt(queries: int, context: int, *, causal: bool = True) -> Attention:
    return Attention(1, queries, context, heads=32, kv_heads=8, head_size=128, causal=causal)


def test_a_causal_prompt_costs_the_strips_of_its_triangle() -> None:
    # 4 strips of 128 queries see 128, 256, 384 and 512 tokens
    kernel = prefill_attention(prompt(512, 512), prefill(), 4)
    assert kernel.critical == 2 * 32 * 128 * (128 + 256 + 384 + 512) * 128 // 4
    assert kernel.ways == 4
    assert kernel.weight_reads == Fraction(4 * (128 + 256 + 384 + 512), 512)


def test_without_a_mask_every_strip_sees_all() -> None:
    causal, full = (prefill_attention(prompt(512, 512, causal=mask), prefill(), 4).critical for mask in (True, False))
    assert full == 2 * 32 * 128 * 4 * 512 * 128 // 4
    assert causal < full


def test_the_busiest_tile_has_at_least_the_longest_strip() -> None:
    kernel = prefill_attention(prompt(256, 256), prefill(), 1000)
    assert kernel.ways == 64
    assert kernel.critical == 2 * 128 * 256 * 128


def test_new_tokens_after_a_cached_context_see_it_all() -> None:
    # the two strips of 128 end at 1000 - 128 and 1000
    kernel = prefill_attention(prompt(256, 1000), prefill(), 1)
    assert kernel.weight_reads == Fraction(4 * (872 + 1000), 1000)


def test_prefill_launches_its_tiles() -> None:
    kernel = prefill_attention(prompt(512, 512), prefill(), 4)
    assert kernel.launch == 5_000_000 + 6_000_000 * 32 * 4 // 4


@pytest.mark.parametrize(("threads", "share"), [(1, 1), (512, 1), (1024, 1), (2048, Fraction(1, 2)), (4096, 0.25)])
def test_tokens_with_fewer_values_than_threads_are_through_sooner(threads: int, share: float) -> None:
    # 8 KV heads of 128 are 1024 values of keys
    offered = prefill().model_copy(update={"token": 4_000, "threads": threads})
    kernel = appending(prompt(512, 512), offered, 4)
    assert kernel is not None
    assert kernel.chain == 512 * (500 * 8 + 4_000 * share)
    assert (kernel.ways, kernel.critical) == (4, 0)


def test_a_cache_that_costs_bytes_alone_is_written_by_no_kernel_of_its_own() -> None:
    assert appending(prompt(512, 512), prefill(append="0 ns"), 4) is None


@pytest.mark.parametrize(("kv_heads", "asked"), [(8, 4), (32, 1)])
def test_a_query_group_is_issued_as_whole_rows_of_the_matrix_instruction(kv_heads: int, asked: int) -> None:
    values = kv_heads * 2049 * 2 * 128
    kernel = kernel_of(token(kv_heads=kv_heads), decode(rows=64), H100)
    assert kernel.billed(asked * values) == 64 * values


def test_waves_share_what_their_kernel_issues() -> None:
    waves = decode_attention(token(17), decode(rows=64, quantised=True), H100)
    values = 17 * 8 * 2049 * 2 * 128
    assert sum(wave.billed(4 * values) for wave in waves) == 64 * values
