"""Which rows of a table stand in a suite follows from seed and shapes alone."""

import subprocess
import sys
from pathlib import Path

import yaml

SCRIPT = Path(__file__).parents[4] / "validation" / "sample.py"
SUITE = """\
sample: {seed: one, where: "m < 90", strata: "m % 3", take: 12, cells: [m, n, 2 * ms]}
columns: [m, n, measured]
cases:
"""
SHAPES = [(m, n) for m in range(100) for n in (64, 128)]


def drawn(folder: Path, times: list[float], suite: str = SUITE) -> list[list[float]]:
    """The cases that the script writes for a table of these times."""
    table, path = folder / "table.csv", folder / "suite.yaml"
    rows = (f"{m},{n},{time}" for (m, n), time in zip(SHAPES, times, strict=True))
    table.write_text("# a comment\nm,n,ms\n" + "\n".join(rows) + "\n", encoding="utf-8")
    path.write_text(suite, encoding="utf-8")
    subprocess.run([sys.executable, SCRIPT, path, f"there={table}"], check=True, capture_output=True)
    cases: list[list[float]] = yaml.safe_load(path.read_text(encoding="utf-8"))["cases"]
    return cases


def test_what_was_measured_decides_nothing(tmp_path: Path) -> None:
    one = drawn(tmp_path, [float(index) for index in range(200)])
    other = drawn(tmp_path, [float(index) for index in range(200, 0, -1)])
    assert [case[:2] for case in one] == [case[:2] for case in other]
    assert one != other


def test_each_stratum_gives_its_share(tmp_path: Path) -> None:
    cases = drawn(tmp_path, [1.0] * 200)
    assert [sum(case[0] % 3 == rest for case in cases) for rest in range(3)] == [4, 4, 4]
    assert all(case[0] < 90 and case[2] == 2 for case in cases)


def test_a_larger_sample_holds_the_smaller_one(tmp_path: Path) -> None:
    small = drawn(tmp_path, [1.0] * 200)
    large = drawn(tmp_path, [1.0] * 200, SUITE.replace("take: 12", "take: 30"))
    assert len(large) == 30
    assert all(case in large for case in small)


def test_another_seed_draws_others(tmp_path: Path) -> None:
    assert drawn(tmp_path, [1.0] * 200) != drawn(tmp_path, [1.0] * 200, SUITE.replace("seed: one", "seed: two"))


def test_a_column_that_a_suite_got_later_draws_the_same_rows(tmp_path: Path) -> None:
    told = SUITE.replace("cells: [m, n,", "added: [odd], cells: [m, n, m % 2,").replace(
        "[m, n, meas", "[m, n, odd, meas"
    )
    cases = drawn(tmp_path, [1.0] * 200, told)
    assert [case[:2] for case in cases] == [case[:2] for case in drawn(tmp_path, [1.0] * 200)]
    assert all(case[2] == case[0] % 2 for case in cases)
