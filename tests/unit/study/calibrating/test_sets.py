"""Measurement sets: a table that can be used, and each way in which one can't, with where."""

from pathlib import Path

import pytest

from archsim.config.diagnostics import InputError
from archsim.study.calibrating.sets import measurement_sets

HEADER = "m,n,k,latency_ms,power_W,note\n"


def table(tmp_path: Path, text: str) -> str:
    path = tmp_path / "own.csv"
    path.write_text(text, encoding="utf-8")
    return str(path)


def findings(tmp_path: Path, text: str) -> list[tuple[str, int, int]]:
    with pytest.raises(InputError) as caught:
        measurement_sets([table(tmp_path, text)])
    places = [(item.message, item.position) for item in caught.value.diagnostics]
    return [(message, at.line, at.column) for message, at in places if at is not None]


def test_a_table_is_read_with_its_comments_and_other_columns_left_aside(tmp_path: Path) -> None:
    [found] = measurement_sets(
        [table(tmp_path, f"# a source\n{HEADER}16,4096,4096,0.02,480,x\n\n32,64,64,0.01,130,y\n")]
    )
    assert (found.name, [row.watts for row in found.rows]) == ("own", [480.0, 130.0])
    assert [row.at.line for row in found.rows] == [3, 5]


def test_columns_that_lack_are_named_with_what_is_near(tmp_path: Path) -> None:
    said = findings(tmp_path, "m,n,k,latency,power_W\n16,4096,4096,0.02,480\n")
    assert said == [("no column is called `latency_ms`", 1, 1)]


@pytest.mark.parametrize(
    ("row", "message", "column"),
    [
        ("16,4096,4096,-0.02,480,x", "`latency_ms` must be a number above zero, and is -0.02", 14),
        ("16,4096,4096,0.02,0,x", "`power_W` must be a number above zero, and is 0", 19),
        ("16.5,4096,4096,0.02,480,x", "`m` must be a whole number above zero, and is 16.5", 1),
        ("16,4096,many,0.02,480,x", "`k` must be a whole number above zero, and is many", 9),
        ("16,4096,,0.02,480,x", "a row without `k`", 1),
    ],
)
def test_a_cell_that_can_not_be_is_named_where_it_stands(tmp_path: Path, row: str, message: str, column: int) -> None:
    assert findings(tmp_path, f"{HEADER}16,1024,4096,0.02,480,x\n{row}\n") == [(message, 3, column)]


def test_a_row_that_stands_twice_is_found(tmp_path: Path) -> None:
    said = findings(tmp_path, f"{HEADER}16,4096,4096,0.02,480,x\n16,4096,4096,0.03,470,y\n")
    assert said == [("the same product as in line 2: a row that stands twice counts twice", 3, 1)]


def test_a_share_that_is_seen_is_none_beyond_one(tmp_path: Path) -> None:
    assert findings(tmp_path, "m,n,k,latency_ms,power_W,seen\n16,4096,4096,0.02,480,1.5\n") == [
        ("`seen` can't be 1.5", 2, 1)
    ]


def test_a_suite_of_times_measures_no_power() -> None:
    with pytest.raises(InputError) as caught:
        measurement_sets(["gemm-h200"])
    assert "measures no board power" in caught.value.diagnostics[0].message


def test_readings_of_unknown_warmth_say_too_little() -> None:
    with pytest.raises(InputError) as caught:
        measurement_sets(["attention-power-h200"])
    assert "how warm the board was is unknown" in caught.value.diagnostics[0].message


def test_a_suite_by_name_is_the_one_and_none_that_begins_alike() -> None:
    [found] = measurement_sets(["gemm-power-h200"])
    assert (found.name, found.hardware) == ("gemm-power-h200", "h200-sxm")
