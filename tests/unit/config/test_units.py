import re
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from archsim.config import units
from archsim.config.diagnostics import UnplacedError
from archsim.config.units import (
    Bandwidth,
    BandwidthOrUnlimited,
    Bytes,
    Dimension,
    MacRate,
    Picoseconds,
    Watts,
    format_quantity,
    parse,
)

DIMENSIONS = [value for value in vars(units).values() if isinstance(value, Dimension)]


class Memory(BaseModel):
    capacity: Bytes
    bandwidth: BandwidthOrUnlimited = None
    latency: Picoseconds = 0
    static: Watts = 0.0


def refused(text: object, dimension: Dimension) -> UnplacedError:
    with pytest.raises(UnplacedError) as caught:
        parse(text, dimension)
    return caught.value


@pytest.mark.parametrize(
    ("text", "dimension", "value"),
    [
        ("80 GiB", units.DATA, 80 * 2**30),
        ("80 GB", units.DATA, 80 * 10**9),
        ("8 Gb", units.DATA, 10**9),
        ("8 Kibit", units.DATA, 1024),
        ("1 b", units.DATA, Fraction(1, 8)),
        ("3.35 TB/s", units.BANDWIDTH, 3_350_000_000_000),
        ("3.35TB/s", units.BANDWIDTH, 3_350_000_000_000),
        ("450 Gb/s", units.BANDWIDTH, 56_250_000_000),
        ("64 B/ns", units.BANDWIDTH, 64_000_000_000),
        ("480 ns", units.TIME, 480_000),
        ("1.5 \N{MICRO SIGN}s", units.TIME, 1_500_000),
        ("1e-3 s", units.TIME, 10**9),
        ("700 W", units.POWER, 700),
        ("0.9 mW", units.POWER, Fraction(9, 10_000)),
        ("1.755 GHz", units.FREQUENCY, 1_755_000_000),
        ("3.75 TMAC/s", units.MAC_RATE, 3_750_000_000_000),
        ("250 Gop/s", units.OP_RATE, 250_000_000_000),
        ("814 mm2", units.AREA, 814),
        ("814 mm\N{SUPERSCRIPT TWO}", units.AREA, 814),
        ("50_000 um2", units.AREA, Fraction(1, 20)),
        ("12 nJ", units.ENERGY, 12_000),
        ("39 pJ/B", units.ENERGY_PER_BYTE, 39),
        ("4.9 pJ/bit", units.ENERGY_PER_BYTE, Fraction(392, 10)),
        ("50 fJ/bit", units.ENERGY_PER_BYTE, Fraction(4, 10)),
        ("1 nJ/B", units.ENERGY_PER_BYTE, 1000),
        ("800 fJ/MAC", units.ENERGY_PER_MAC, Fraction(8, 10)),
        ("1.2 pJ/op", units.ENERGY_PER_OP, Fraction(12, 10)),
    ],
)
def test_a_quantity_is_exact_in_canonical_units(text: str, dimension: Dimension, value: Fraction) -> None:
    assert parse(text, dimension) == value


@pytest.mark.parametrize("text", ["670", 670, 6.7, " 670 ", "0"])
def test_a_bare_number_is_refused_with_an_example(text: object) -> None:
    error = refused(text, units.BANDWIDTH)
    assert "bare number" in str(error)
    assert "e.g. `670 GB/s`" in error.help


def test_a_unit_of_another_dimension_names_both() -> None:
    assert str(refused("670 W", units.BANDWIDTH)) == "`W` is a unit of power, not of bandwidth"
    assert str(refused("39 pJ", units.ENERGY_PER_BYTE)) == "`pJ` is a unit of energy, not of energy per byte"


@pytest.mark.parametrize("text", ["-1 W", "-0.5 W"])
def test_a_negative_quantity_is_refused(text: str) -> None:
    assert "negative" in str(refused(text, units.POWER))


@pytest.mark.parametrize("text", ["7.5 TFLOP/s", "7.5 TFLOPS", "7.5 Tflops"])
def test_flops_are_refused_with_the_way_to_macs(text: str) -> None:
    assert "1 MAC is 2 FLOP" in refused(text, units.MAC_RATE).help


def test_a_capital_k_is_refused_for_it_may_mean_either() -> None:
    assert "`kB` or `KiB`" in refused("5 KB", units.DATA).help


def test_a_misspelt_unit_is_suggested() -> None:
    assert refused("5 GHzz", units.FREQUENCY).help == "did you mean `GHz`?"


@pytest.mark.parametrize(
    ("unit", "size", "plain"),
    [("ms", 1e-3, "s"), ("ps", 1e-12, "s"), ("kWh", 1e3, "Wh"), ("W", 1, "W"), ("token/s", 1, "token/s")],
)
def test_a_prefix_is_a_power_of_ten(unit: str, size: float, plain: str) -> None:
    assert units.unprefixed(unit) == (size, plain)


def test_bits_and_bytes_are_both_suggested_where_either_may_be_meant() -> None:
    assert refused("5 gib", units.DATA).help == "did you mean `GiB` or `Gib`?"


@pytest.mark.parametrize(
    "text", ["", "W", "five W", "1 2 W", "1e999999999 W", "9" * 200 + " W", None, True, [], "1..2 W"]
)
def test_what_is_no_quantity_is_refused(text: object) -> None:
    error = refused(text, units.POWER)
    assert f"{error} {error.help}".count("`0.9 W`") == 1  # how to write it, once


@pytest.mark.parametrize(
    ("value", "dimension", "text"),
    [
        (85_899_345_920, units.DATA, "80 GiB"),
        (52_428_800, units.DATA, "50 MiB"),
        (0, units.DATA, "0 B"),
        (3_350_000_000_000, units.BANDWIDTH, "3.35 TB/s"),
        (670_000_000_000, units.BANDWIDTH, "670 GB/s"),
        (480_000, units.TIME, "480 ns"),
        (0.9, units.POWER, "0.9 W"),
        (Fraction(392, 10), units.ENERGY_PER_BYTE, "39.2 pJ/B"),
        (814.0, units.AREA, "814 mm2"),
    ],
)
def test_a_quantity_is_written_as_people_write_it(value: float | Fraction, dimension: Dimension, text: str) -> None:
    assert format_quantity(value, dimension) == text


@given(st.sampled_from(DIMENSIONS), st.integers(0, 10**24))
def test_integers_survive_writing_and_reading(dimension: Dimension, value: int) -> None:
    assert parse(format_quantity(value, dimension), dimension) == value


@given(st.sampled_from(DIMENSIONS), st.floats(1e-24, 1e24))
def test_floats_survive_writing_and_reading(dimension: Dimension, value: float) -> None:
    assert float(parse(format_quantity(value, dimension), dimension)) == value


@given(st.integers(1, 10**6), st.sampled_from(["k", "M", "G", "T"]))
def test_a_byte_is_eight_bits_under_every_prefix(number: int, prefix: str) -> None:
    octets = parse(f"{number} {prefix}B/s", units.BANDWIDTH)
    assert octets == 8 * parse(f"{number} {prefix}b/s", units.BANDWIDTH)
    assert octets == 8 * parse(f"{number} {prefix}bit/s", units.BANDWIDTH)


def test_fields_hold_canonical_numbers() -> None:
    texts = {"capacity": "1 KiB", "bandwidth": "2 kB/s", "latency": "3 ns", "static": "4 mW"}
    assert Memory.model_validate(texts).model_dump() == {
        "capacity": 1024,
        "bandwidth": 2000,
        "latency": 3000,
        "static": 0.004,
    }


def test_unlimited_is_none_where_it_is_allowed() -> None:
    memory = Memory.model_validate({"capacity": "1 B", "bandwidth": "unlimited"})
    assert memory.bandwidth is None


def test_unlimited_is_refused_where_a_limit_is_needed() -> None:
    with pytest.raises(ValidationError, match="`unlimited` is not allowed here"):
        Memory.model_validate({"capacity": "unlimited"})


def test_a_rate_of_zero_is_refused_and_a_time_of_zero_is_not() -> None:
    with pytest.raises(ValidationError, match="greater than 0"):
        Memory.model_validate({"capacity": "1 B", "bandwidth": "0 B/s"})
    assert Memory.model_validate({"capacity": "0 B", "latency": "0 ns"}).latency == 0


def test_a_fraction_of_a_whole_unit_is_refused_with_the_nearest() -> None:
    with pytest.raises(ValidationError) as caught:
        Memory.model_validate({"capacity": "1 B", "latency": "0.8335 ns"})
    (error,) = caught.value.errors()
    assert str(error["ctx"]["error"]) == "`0.8335 ns` is no whole number of ps"
    assert error["ctx"]["error"].help == "the nearest is `834 ps`"


def test_json_mode_writes_what_is_read_back() -> None:
    memory = Memory.model_validate({"capacity": "80 GiB", "bandwidth": "unlimited", "static": "0.9 W"})
    written = memory.model_dump(mode="json")
    assert written == {"capacity": "80 GiB", "bandwidth": "unlimited", "latency": "0 s", "static": "0.9 W"}
    assert Memory.model_validate(written) == memory


def test_the_schema_accepts_what_the_parser_accepts() -> None:
    class Schema(BaseModel):
        bandwidth: Bandwidth
        macs: MacRate

    schema = Schema.model_json_schema()["properties"]
    assert schema["bandwidth"]["type"] == "string"
    for text in ("670 GB/s", "3.35TB/s", "450 Gb/s", "1e3 KiB/s", *schema["bandwidth"]["examples"]):
        assert re.search(schema["bandwidth"]["pattern"], text)
        assert parse(text, units.BANDWIDTH) > 0
    assert re.search(schema["macs"]["pattern"], "unlimited")
    for text in ("670", "670 W", "unlimited", "-1 B/s"):
        assert not re.search(schema["bandwidth"]["pattern"], text)
