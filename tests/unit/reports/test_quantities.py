import pytest
from hypothesis import given
from hypothesis import strategies as st

from archsim.reports.quantities import counted, interval, memory, number, part_of, percent, percentages, si

GIB = 1024**3


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (2.8123, "J", "2.81 J"),
        (0.147, "J", "147 mJ"),
        (0.00624, "s", "6.24 ms"),
        (2.9312e12, "B/s", "2.93 TB/s"),
        (15e9, "B", "15.0 GB"),
        (0.9996, "J", "1.00 J"),
        (9.996e-4, "s", "1.00 ms"),
        (12345.0, "s", "12,345 s"),
        (0.25, "B", "0.250 B"),
        (0.0, "W", "0 W"),
        (4e-22, "J", "0.000400 aJ"),
    ],
)
def test_three_figures_and_a_prefix(value: float, unit: str, text: str) -> None:
    assert si(value, unit) == text


@given(st.floats(1e-17, 1e17))
def test_a_quantity_reads_back_within_half_of_its_third_figure(value: float) -> None:
    digits, unit = si(value, "J").split()
    scale = dict(zip("afpnµm", range(-18, 0, 3), strict=True)) | dict(zip("kMGTPE", range(3, 21, 3), strict=True))
    assert float(digits) * 10.0 ** scale.get(unit[:-1], 0) == pytest.approx(value, rel=5.01e-3)
    assert 1 <= float(digits) < 1000


@pytest.mark.parametrize(
    ("part", "text"), [(2.93e12, "2.93 of 3.35 TB/s"), (21e9, "21.0 GB/s of 3.35 TB/s"), (0.0, "0 of 3.35 TB/s")]
)
def test_a_part_has_the_prefix_of_its_whole_unless_it_is_small(part: float, text: str) -> None:
    assert part_of(part, 3.35e12, "B/s") == text


def test_a_range_has_one_prefix() -> None:
    assert interval(0.874e-3, 1.834e-3, "J") == "0.874–1.83 mJ"


@pytest.mark.parametrize(
    ("used", "total", "text"),
    [
        (15 * GIB, 80 * GIB, "15.0 of 80.0 GiB"),
        (3 * 1024**2, 80 * GIB, "3.00 MiB of 80.0 GiB"),
        (0, 80 * GIB, "0 of 80.0 GiB"),
        (15 * GIB, None, "15.0 GiB, no limit"),
        (500, 1000, "500 of 1,000 B"),
    ],
)
def test_memories_are_binary(used: int, total: int | None, text: str) -> None:
    assert memory(used, total) == text


@pytest.mark.parametrize(
    ("share", "text"), [(0.0, "0 %"), (0.004, "<1 %"), (0.872, "87 %"), (1.0, "100 %"), (1.2, "120 %")]
)
def test_a_percentage_is_never_zero_for_something(share: float, text: str) -> None:
    assert percent(share) == text


@given(st.lists(st.floats(0, 1e12), min_size=1).filter(lambda parts: sum(parts) > 0))
def test_percentages_shown_add_up_to_a_hundred(parts: list[float]) -> None:
    assert sum(round(10 * float(text.removesuffix(" %"))) for text in percentages(parts)) == 1000


def test_percentages_of_thirds() -> None:
    assert percentages([1, 1, 1]) == ("33.4 %", "33.3 %", "33.3 %")


def test_percentages_of_nothing() -> None:
    assert percentages([0.0, 0.0]) == ("0.0 %", "0.0 %")


def test_counts_have_a_plural_and_thousands() -> None:
    assert (counted(1, "device"), counted(2048, "token"), number(12345.6)) == ("1 device", "2,048 tokens", "12,346")
