"""`archsim validate` as a user meets it."""

import csv
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

Cli = Callable[..., Result]

SUITE = """\
schema: archsim.validation/1
title: one product
part: bookkeeping
group: products
about: a product
source: nobody
independence: none
sampling: both
quantity: energy
kind: run
settings:
  workload: gemv-4096
  hardware: toy-xm2
  sets: [workload.batch=$m]
  predicts: energy
  unit: pJ
bound: {median: 1.0e-8}
columns: [m, measured]
cases:
  - [1, 756493189.12]
  - [8, 1236884520.96]
"""


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    path = tmp_path / "mine.yaml"
    path.write_text(SUITE, encoding="utf-8")
    return path


def edited(path: Path, old: str, new: str) -> Path:
    assert SUITE.count(old) == 1
    path.write_text(SUITE.replace(old, new), encoding="utf-8")
    return path


def test_its_json_has_scores_by_suite_and_all_cases(cli: Cli) -> None:
    result = cli("validate", "--suite", "crosscheck", "claims", "--format", "json")
    assert result.exit_code == 0
    content = json.loads(result.stdout)
    assert list(content) == ["suites", "cases"]
    assert list(content["suites"]) == ["claims", "crosscheck-energy", "crosscheck-latency", "crosscheck-layer"]
    assert list(content["suites"]["claims"]) == [
        "n",
        "median_error",
        "p90_error",
        "worst_error",
        "bias",
        "rank_correlation",
        "baseline_median_error",
        "bound",
        "scored",
    ]
    assert content["suites"]["claims"]["n"] == 7
    for case in content["cases"]:
        assert case["error"] == abs(case["predicted"] / case["measured"] - 1)


def test_a_table_tells_each_case_and_each_suite(cli: Cli, suite: Path) -> None:
    result = cli("validate", "--suite", suite)
    assert result.exit_code == 0
    assert "predicted" in result.stdout
    assert "756,493,189 pJ" in result.stdout
    assert result.stdout.splitlines()[-1].split()[:3] == ["mine", "2", "exact"]


def test_csv_has_a_line_for_each_case(cli: Cli, suite: Path) -> None:
    rows = list(csv.DictReader(cli("validate", "--suite", suite, "--format", "csv").stdout.splitlines()))
    assert [row["case"] for row in rows] == ["1", "8"]


def test_markdown_has_a_table_of_suites(cli: Cli, suite: Path) -> None:
    assert "| mine | 2 | exact |" in cli("validate", "--suite", suite, "--format", "markdown").stdout


def test_a_median_above_its_bound_exits_1_and_says_so(cli: Cli, suite: Path) -> None:
    result = cli("validate", "--suite", edited(suite, "756493189.12", "700000000"))
    assert result.exit_code == 1
    assert "mine: median error" in result.stderr


def test_what_is_not_scored_is_shown_and_fails_nothing(cli: Cli, suite: Path) -> None:
    unscored = SUITE.replace("bound: {median: 1.0e-8}", "unscored: nobody knows what was measured")
    text = unscored.replace("[1, 7", "[1, 9")
    suite.write_text(text, encoding="utf-8")
    shown = cli("validate", "--suite", suite)
    assert shown.exit_code == 0
    assert shown.stdout.splitlines()[-1].rstrip().endswith("shown, not scored")
    scores = json.loads(cli("validate", "--suite", suite, "--format", "json").stdout)["suites"]["mine"]
    assert (scores["scored"], scores["bound"], scores["n"]) == (False, None, 2)


def test_a_case_that_cannot_be_run_exits_1_with_its_reason(cli: Cli, suite: Path) -> None:
    result = cli("validate", "--suite", edited(suite, "[1, 756493189.12]", "[-1, 756493189.12]"))
    assert result.exit_code == 1
    assert "no prediction: mine: -1: must be greater than 0" in result.stderr


def test_an_unknown_suite_is_refused_with_the_nearest(cli: Cli) -> None:
    result = cli("validate", "--suite", "decode-step")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "unknown suite `decode-step`" in result.stderr
    assert "did you mean `decode-steps`?" in result.stderr


def test_an_unknown_format_is_refused_before_anything_is_run(cli: Cli, suite: Path) -> None:
    result = cli("validate", "--suite", suite, "--format", "jsn")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "did you mean `json`?" in result.stderr


@pytest.mark.parametrize(
    ("old", "new", "place", "message"),
    [
        ("quantity: energy", "quantity: energi", "9:11", "did you mean `energy`?"),
        ("kind: run", "kind: rnu", "10:7", "did you mean `run`?"),
        ("[1, 756493189.12]", "[1]", "20:5", "a case of 1 values under 2 columns"),
        ("[1, 756493189.12]", "[1, -3]", "20:9", "a number above zero"),
        ("[1, 756493189.12]", "[8, 1236884520.96]", "21:5", "the same as case 1"),
        ("batch=$m", "batch=$n", "14:9", "no column is called `n`"),
        ("predicts: energy", "predicts: enrgy", "20:5", "did you mean `energy`?"),
        ("unit: pJ", "unit: pj", "20:5", "did you mean `pJ`?"),
        ("columns: [m, measured]", "columns: [m, measure]", "18:10", "no column is called `measured`"),
        ("bound: {median: 1.0e-8}", "bound: {median: 1.0e-8}\ntolerance: x0.5", "18:12", "no tolerance: `x0.5`"),
        ("bound: {median: 1.0e-8}\n", "", "1:1", "or says in `unscored` why it has none"),
        ("bound: {median: 1.0e-8}", "bound: {median: 1}\nunscored: no", "1:1", "or says in `unscored` why it has none"),
        ("bound: {median: 1.0e-8}", "bound: {median: 0.2}\ntarget: {median: 0.1}", "17:17", "say why in `miss`"),
    ],
)
def test_a_malformed_file_is_refused_where_it_is_wrong(
    cli: Cli, suite: Path, old: str, new: str, place: str, message: str
) -> None:
    result = cli("validate", "--suite", edited(suite, old, new), "-o", suite.parent / "out")
    assert (result.exit_code, result.stdout) == (2, "")
    assert f"{suite}:{place}\n" in result.stderr
    assert message in result.stderr
    assert not (suite.parent / "out").exists()


def test_a_folder_gets_every_report(cli: Cli, suite: Path) -> None:
    folder = suite.parent / "out"
    assert cli("validate", "--suite", suite, "-o", folder).exit_code == 0
    assert json.loads((folder / "accuracy.json").read_text())["suites"]["mine"]["n"] == 2
