"""What is left of LPDDR's and GDDR's peak by timing and refresh, against what was measured on machines with them."""

from typing import Any

import pytest

from archsim.components.dram_rows import DramRows
from archsim.config.document import data
from archsim.study.entries import laid
from archsim.study.shelves import library_entries

ENTRIES = library_entries("kind")


def entry(name: str) -> dict[str, Any]:
    found: dict[str, Any] = data(laid(ENTRIES[name]))
    return found


def rows(name: str) -> DramRows:
    return DramRows.model_validate(entry(name)["rows"])


@pytest.mark.parametrize(
    ("name", "channel", "measured"),
    [
        ("lpddr5", 12.8e9, 183.3 / 204.8),  # a copy on an AGX Orin (infinigence/ApxInf 21ae1dc, doc/jetson-roofline.md)
        ("lpddr5x", 17.07e9, 257.0 / 273.1),  # reads on a Thor, as there
        ("gddr6x", 42e9, 921.3 / 1008.4),  # reads on an RTX 4090 (krrishnarraj/clpeak, issue 106)
    ],
)
def test_a_stream_gets_within_a_twentieth_what_was_measured(name: str, channel: float, measured: float) -> None:
    known = rows(name)
    assert float(known.share(None, int(channel * known.channels))) == pytest.approx(measured, rel=0.05)


def test_miss_a_stream_through_strix_halos_fabric() -> None:
    """212 of 256 GB/s copied (rocm_bandwidth_test, llm-tracker.info): the fabric's loss, not the memory's."""
    assert float(rows("lpddr5x").share(None, 16_000_000_000)) / (212 / 256) == pytest.approx(1.12, rel=0.01)


@pytest.mark.parametrize("name", ["lpddr5", "lpddr5x", "gddr6", "gddr6x", "gddr7"])
def test_one_thing_derates_each_of_them(name: str) -> None:
    assert "efficiency" not in entry(name)


@pytest.mark.parametrize(
    ("name", "channel", "pace_ns"),
    [("lpddr5", 12.8e9, 5.0), ("gddr6", 28e9, 4.0)],  # tRRD and tFAW / 4 are alike
)
def test_single_bursts_go_by_the_pace_of_activations(name: str, channel: float, pace_ns: float) -> None:
    known = rows(name)
    peak = int(channel * known.channels)
    of_stream = float(known.share(32, peak) / known.share(None, peak))
    assert of_stream == pytest.approx(32 / channel * 1e9 / pace_ns, rel=0.03)


@pytest.mark.parametrize(("name", "pj_per_bit"), [("lpddr5", 4.5), ("lpddr5x", 4.5), ("gddr6", 7.0), ("gddr7", 4.5)])
def test_a_streamed_byte_costs_what_it_did_with_its_rows_in_it(name: str, pj_per_bit: float) -> None:
    energy = entry(name)["energy"]
    opening = energy["activate"]
    row = opening["value"] if "value" in opening else data(laid(library_entries("figure")[opening["library"]]))["value"]
    total = float(energy["read"]["value"].split()[0]) + float(row.split()[0]) * float(rows(name).opened(None))
    assert total == pytest.approx(8 * pj_per_bit, rel=1e-3)
