"""The choice of a matrix kernel: brute force over all tiles and splits, and the numbers of the one that is taken."""

from dataclasses import replace
from fractions import Fraction
from itertools import product
from math import ceil
from typing import Any

import pytest

from archsim.mappers.gemm_kernels import Operands, gemm
from archsim.mappers.kernels import Kernel, Rates, even
from archsim.model.kernel_table import GemmKernels, Rise
from archsim.model.trace import Gemm

TILES = ((64, 64), (64, 128), (128, 64), (128, 128), (128, 256), (256, 128))
SPLITS = (1, 2, 3, 4, 6, 8, 12, 16)
RATES = Rates(tiles=132, supply=2_998_250_000_000, operands=6_500_000_000_000, macs=3_750_000_000_000)
SHAPES = {
    "down at batch 1": Gemm(1, 4096, 14336),
    "qkv at batch 1": Gemm(1, 6144, 4096),
    "gate_up at batch 32": Gemm(32, 28672, 4096),
    "head at batch 128": Gemm(128, 128256, 4096),
    "a square of 4096": Gemm(4096, 4096, 4096),
    "a short reduction": Gemm(512, 512, 64),
}
MICROSECOND = 1_000_000


def offered(**fields: Any) -> GemmKernels:
    given = {"launch": "2 us", "wave": "0.36 us", "tiles": TILES, "splits": SPLITS, "split_cost": "1.75 us"}
    return GemmKernels.model_validate(given | {"slots": 2, "multicast": 2, "efficiency": 0.8} | fields)


def chosen(shape: Gemm, kernels: GemmKernels, rates: Rates = RATES) -> Kernel:
    return gemm(shape, Operands(2 * shape.n * shape.k, 2 * shape.m * shape.k, 2), kernels, rates)


def seconds(shape: Gemm, tile: tuple[int, int], split: int, *, quantised: bool) -> float:
    """The closed form a second time: the slowest of supply, operands and MACs, stores, the sum, what software adds."""
    rows, columns = ceil(shape.m / tile[0]), ceil(shape.n / tile[1])
    load = rows * columns * split / 132
    rounds = ceil(load) if quantised else max(1.0, load)
    waves = rounds / 2
    weights, inputs = 2 * shape.n * shape.k, 2 * shape.m * shape.k
    read = weights * ceil(rows / 2) + inputs * ceil(columns / 2)
    macs = rounds * tile[0] * tile[1] * 64 * ceil(shape.k / split / 64) / 0.8 / 3.75e12
    software = 2e-6 + 0.36e-6 * (ceil(waves) if quantised else max(1.0, waves))
    written = min(tile[0], shape.m) * min(tile[1], shape.n) * (4 if split > 1 else 2)
    stores = rounds * written / (6.5e12 / 132) if quantised else 0
    added = 1.75e-6 + 4 * shape.m * shape.n * split / 6.5e12 if split > 1 else 0
    return software + max((weights + inputs) / 2.99825e12, read / 6.5e12, macs) + stores + added


@pytest.mark.parametrize("quantised", [False, True])
@pytest.mark.parametrize("name", SHAPES)
def test_the_fastest_of_all_kernels_is_taken(name: str, quantised: bool) -> None:
    shape = SHAPES[name]
    times = {
        f"{tile[0]}x{tile[1]}" + (f", K split in {split}" if split > 1 else ""): seconds(
            shape, tile, split, quantised=quantised
        )
        for tile, split in product(TILES, SPLITS)
    }
    taken = chosen(shape, offered(quantised=quantised))
    assert times[taken.text] == pytest.approx(min(times.values()), rel=1e-9)


def test_one_kernel_on_offer_has_the_numbers_worked_out_by_hand() -> None:
    # 300 x 1000 by 128 x 256 tiles: 3 x 4 blocks, split in 2: 24 of 100 tiles at work; K = 500 per part, padded to 512.
    rates = Rates(tiles=100, supply=None, operands=None, macs=None)
    kernel = chosen(Gemm(300, 1000, 1000), offered(tiles=[(128, 256)], splits=[2], efficiency=1), rates)
    assert kernel == Kernel(
        ways=24,
        critical=128 * 256 * 512,
        share=Fraction(1, 24),
        launch=2 * MICROSECOND + 360_000,
        weight_reads=Fraction(2),
        input_reads=Fraction(2),
        partials=300 * 1000 * 4 * 2,
        text="128x256, K split in 2",
        issued=300 * 1000 * 1000,
        adding=1_750_000,
    )


@pytest.mark.parametrize(("quantised", "rounds", "waves"), [(True, 3, 2), (False, Fraction(5, 2), Fraction(5, 4))])
def test_a_started_wave_costs_a_whole_one_where_waves_are_quantised(
    quantised: bool, rounds: Fraction, waves: Fraction
) -> None:
    # 250 blocks on 100 tiles, 2 at once
    rates = Rates(tiles=100, supply=None, operands=None, macs=None)
    kernel = chosen(Gemm(64, 250 * 64, 64), offered(tiles=[(64, 64)], splits=[1], quantised=quantised), rates)
    assert kernel.share == Fraction(rounds, 250)
    assert kernel.launch == 2 * MICROSECOND + round(360_000 * waves)
    assert kernel.critical == rounds * 64**3 / Fraction(8, 10)


def test_splits_pay_where_idle_tiles_leave_their_lanes_unused() -> None:
    # 64 blocks of 64 columns on 132 tiles: with lanes of 25 GB/s each, half the machine stands still without a split
    shape, slow = Gemm(1, 4096, 14336), replace(RATES, lane=25_000_000_000)
    assert chosen(shape, offered(splits=[1]), slow).ways == 64
    assert chosen(shape, offered(), slow).ways > 64


def test_a_sum_in_one_part_writes_no_partials_and_needs_no_kernel_to_add_them() -> None:
    kernel = chosen(Gemm(64, 64, 64), offered(splits=[1]))
    assert (kernel.partials, kernel.adding) == (0, None)


@pytest.mark.parametrize(("split", "size"), [(1, 2), (2, 4)])
def test_whole_waves_store_their_results_after_their_products(split: int, size: int) -> None:
    # 250 blocks of 64 x 64 on 100 tiles, or twice as many: 3 or 5 rounds; rows that only pad the tile are not stored
    rates = Rates(tiles=100, supply=None, operands=None, macs=None, lane=40_000_000_000)
    kernel = chosen(Gemm(50, 250 * 64, 64), offered(tiles=[(64, 64)], splits=[split], quantised=True), rates)
    assert kernel.stores == {1: 3, 2: 5}[split] * 50 * 64 * size * 25


def test_persistent_kernels_store_beside_the_next_products() -> None:
    assert chosen(Gemm(64, 250 * 64, 64), offered(quantised=False)).stores == 0


def test_ideal_work_divides_evenly_and_the_last_tile_rounds_up() -> None:
    assert even(1001, 10) == Kernel(10, 101, Fraction(1, 10))
    assert even(1001, 10, issued=4096).critical == 4096


@pytest.mark.parametrize(("m", "rows"), [(1, 1), (2, 64), (64, 64), (65, 128), (8192, 8192)])
def test_macs_are_issued_for_whole_matrix_instructions_but_for_a_single_row(m: int, rows: int) -> None:
    kernel = chosen(Gemm(m, 1024, 512), offered(rows=64, vector_rows=1))
    assert kernel.billed(m * 1024 * 512) == rows * 1024 * 512


def test_without_rows_of_an_instruction_as_many_are_issued_as_asked() -> None:
    assert chosen(Gemm(3, 1024, 512), offered()).billed(3 * 1024 * 512) == 3 * 1024 * 512


RISE = {"first": 0.8, "then": 1.2, "time": "5.4 ms", "before": 18, "timed": 36}
"""5.4 ms are 54 products of 100 us, 18 of 300 us, and 36 of 150 us: half of those that are timed."""


@pytest.mark.parametrize(("microseconds", "supply"), [(50, 0.8), (100, 0.8), (150, 0.96), (300, 1.2), (900, 1.2)])
def test_memory_that_rises_serves_slower_what_is_timed_before_it_is_up(microseconds: int, supply: float) -> None:
    assert Rise.model_validate(RISE).supply(microseconds * MICROSECOND) == pytest.approx(supply)


def test_a_product_that_takes_no_time_is_timed_before_memory_is_up() -> None:
    assert Rise.model_validate(RISE).supply(0) == pytest.approx(0.8)


def test_how_long_memory_rises_for_a_product_goes_by_its_own_closed_form() -> None:
    # 54.5 GB of weights at 2.998 TB/s are 18.2 ms, 65,536 bytes 22 ns: up before, and not in any replay
    long, short = Gemm(1, 1 << 20, 26_000), Gemm(1, 256, 128)
    assert chosen(long, offered(rise=RISE)).supply == pytest.approx(1.2)
    assert chosen(short, offered(rise=RISE)).supply == pytest.approx(0.8)
    assert chosen(short, offered()).supply == 1
