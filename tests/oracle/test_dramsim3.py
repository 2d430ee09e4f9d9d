"""Energy of a byte of HBM2 against DRAMsim3: streaming and random accesses, two reads to a write.

DRAMsim3 (HBM2_8Gb_x128: 8 channels, 16 banks, BL4 of 128 bit = 64 B in 2 ns, rows of 2 KB) was run for a million
cycles of 1 ns. Its energies are currents x 1.2 V x time, so the prices of its actions are those of that file.
"""

from typing import Any

import pytest

from archsim.components.dram_rows import DramRows

VOLT = 1.2
IDD0, IDD2N, IDD3N, IDD4R, IDD4W, IDD5AB = 65, 40, 55, 390, 500, 250  # mA
RC, RAS, RP, RFC, REFI, BURST_NS, BYTES = 48, 34, 14, 260, 3900, 2, 64
ACTIVATE = VOLT * (IDD0 * RC - IDD3N * RAS - IDD2N * RP)
READ, WRITE = (VOLT * (current - IDD3N) * BURST_NS / BYTES for current in (IDD4R, IDD4W))
CHANNELS, PEAK = 8, 256_000_000_000
TIMING: dict[str, Any] = {
    "channels": CHANNELS, "banks": 16, "row": "2 KiB", "burst": "64 B", "cl": "14 ns", "rcd": "14 ns", "rp": "14 ns",
    "rc": "48 ns", "rrd": "4 ns", "faw": "30 ns", "rfc": "260 ns", "refi": "3900 ns",
}  # fmt: skip


def picojoules_per_byte(run: int | None, rate: float) -> float:
    """Of two reads to a write at `rate` bytes per second, with banks open in between."""
    per_byte_ns = 1e9 / rate
    refreshing = VOLT * (IDD5AB - IDD3N) * RFC / REFI * CHANNELS * per_byte_ns
    standing = VOLT * IDD3N * CHANNELS * per_byte_ns
    rows = DramRows.model_validate(TIMING).opened(run) * ACTIVATE
    return float(rows) + (2 * READ + WRITE) / 3 + refreshing + standing


def test_a_stream_costs_what_dramsim3_says_at_the_rate_that_it_fed_it() -> None:
    assert picojoules_per_byte(None, 152.22e9) == pytest.approx(18.583, rel=0.01)


def test_random_bursts_cost_what_dramsim3_says_at_the_rate_that_we_predict() -> None:
    rate = float(DramRows.model_validate(TIMING).share(BYTES, PEAK)) * PEAK
    assert rate == pytest.approx(60.8e9, rel=0.06)
    assert picojoules_per_byte(BYTES, rate) == pytest.approx(37.501, rel=0.03)


@pytest.mark.parametrize(("run", "opened"), [(None, 78_916), (BYTES, 954_437)])
def test_rows_opened_are_those_that_dramsim3_opened(run: int | None, opened: int) -> None:
    moved = {None: 152_223_616, BYTES: 60_795_200}[run]
    assert float(DramRows.model_validate(TIMING).opened(run) * moved) == pytest.approx(opened, rel=0.06)
