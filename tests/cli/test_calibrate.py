"""`archsim calibrate`: what it prints, what it writes, and what it refuses."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from click.testing import Result

Cli = Callable[..., Result]


def rows(count: int, watts: float = 400.0) -> str:
    """Products whose bytes and MACs differ, each read as so many watts."""
    shapes = [(m, 1024 * n, 4096) for m in (16, 256, 512, 1024) for n in range(1, count)][:count]
    return "m,n,k,latency_ms,power_W\n" + "".join(f"{m},{n},{k},0.1,{watts}\n" for m, n, k in shapes)


def test_a_fit_is_told_and_written_as_a_machine(cli: Cli, tmp_path: Path) -> None:
    done = cli("calibrate", "h200-sxm", "--set", "gemm-power-h200", "-o", tmp_path / "out")
    assert done.exit_code == 0, done.stderr
    assert "cross-validated, 5 folds of groups" in done.stdout
    written = yaml.safe_load((tmp_path / "out" / "h200-sxm-calibrated.yaml").read_text(encoding="utf-8"))
    assert written["extends"] == "h200-sxm"
    assert written["components"]["sm"]["energy"]["mac"]["bf16"]["source"].startswith("calibrated on gemm-power-h200")
    figures = json.loads((tmp_path / "out" / "h200-sxm-calibrated.json").read_text(encoding="utf-8"))
    assert [item["name"] for item in figures["parameters"]] == ["path", "compute"]
    assert figures["cross_validated"]["median"] < 0.05
    assert (tmp_path / "out" / "h200-sxm-calibrated.svg").read_text(encoding="utf-8").startswith("<svg")
    assert cli("check", tmp_path / "out" / "h200-sxm-calibrated.yaml").exit_code == 0


def test_a_fit_of_served_points_tells_the_path_from_tiles_at_work_and_shows_how_narrowly(cli: Cli) -> None:
    """Refused above 0.95: before tokens were drawn at a power of their own it was."""
    done = cli("calibrate", "h100-sxm", "--set", "served-power-h100")
    assert done.exit_code == 0, done.stderr
    path = next(line.split() for line in done.stdout.splitlines() if line.startswith("path"))
    assert -0.95 < float(path[-1].replace("\N{MINUS SIGN}", "-")) < -0.85


def test_what_is_held_makes_the_rest_fit_and_what_the_mix_takes_stays_out_of_the_machine(
    cli: Cli, tmp_path: Path
) -> None:
    done = cli("calibrate", "h100-sxm", "--set", "served-power-h100", "--hold", "path", "-o", tmp_path)
    assert done.exit_code == 0, done.stderr
    assert "active" in done.stdout
    comment, fitted = (tmp_path / "h100-sxm-calibrated.yaml").read_text(encoding="utf-8").split("schema:")
    assert "`active`, 1.3" in comment
    assert "active" not in fitted


@pytest.mark.parametrize(
    ("arguments", "text", "said"),
    [
        (
            ("h200-sxm",),
            "\n".join(rows(9).splitlines()[:2]),
            "1 point is too few for 2 parameters (path, compute): 16 are needed",
        ),
        (("h200-sxm",), rows(9), "9 points are too few for 2 parameters (path, compute): 16 are needed"),
        (("h200-sxm",), rows(20).replace("latency_ms", "ms"), "no column is called `latency_ms`"),
        (("h200-sxm", "--hold", "patch"), rows(20), "unknown parameter `patch`"),
        (("h300-sxm",), rows(20), "h300-sxm"),
    ],
)
def test_bad_input_is_named_where_it_stands(
    cli: Cli, tmp_path: Path, arguments: tuple[str, ...], text: str, said: str
) -> None:
    (tmp_path / "own.csv").write_text(text, encoding="utf-8")
    done = cli("calibrate", *arguments, "--set", tmp_path / "own.csv", "-o", tmp_path / "out")
    assert (done.exit_code, (tmp_path / "out").exists()) == (2, False)
    assert said in done.stderr


def test_a_set_of_another_machine_is_refused(cli: Cli) -> None:
    done = cli("calibrate", "h200-sxm", "--set", "served-power-h100")
    assert done.exit_code == 2
    assert "`served-power-h100` was measured on `h100-sxm`" in done.stderr


def test_too_few_points_are_refused_at_the_first_of_them(cli: Cli, tmp_path: Path) -> None:
    path = tmp_path / "own.csv"
    path.write_text(rows(9), encoding="utf-8")
    assert f"{path}:2:1" in cli("calibrate", "h200-sxm", "--set", path).stderr


def test_a_missing_column_is_said_at_the_heading(cli: Cli, tmp_path: Path) -> None:
    path = tmp_path / "own.csv"
    path.write_text("# my board\n\n" + rows(20).replace("power_W", "power"), encoding="utf-8")
    stderr = cli("calibrate", "h200-sxm", "--set", path).stderr
    assert "no column is called `power_W`" in stderr
    assert f"  --> {path}:3:1\n" in stderr
    assert "3 | m,n,k,latency_ms,power\n" in stderr


def test_products_of_another_type_are_refused_in_a_table(cli: Cli, tmp_path: Path) -> None:
    path = tmp_path / "own.csv"
    head, *lines = rows(20).splitlines()
    typed = [f"{head},gemm_dtype", f"{lines[0]},bfloat16", *(f"{line},fp8" for line in lines[1:2]), *lines[2:]]
    path.write_text("\n".join(typed), encoding="utf-8")
    done = cli("calibrate", "h200-sxm", "--set", path)
    assert done.exit_code == 2
    assert "`gemm_dtype` is `fp8`, and rows of a table are taken as bf16" in done.stderr
    assert f"  --> {path}:3:" in done.stderr
    assert done.stderr.count("error:") == 1


def test_a_fit_that_does_not_converge_is_refused_and_nothing_written(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("archsim.model.calibration._ROUNDS", 1)
    done = cli("calibrate", "h200-sxm", "--set", "gemm-power-h200", "-o", tmp_path / "out")
    assert (done.exit_code, (tmp_path / "out").exists()) == (1, False)
    assert "refused: H200 SXM 141 GB: it does not converge in 1 rounds" in done.stderr


def test_what_a_machine_prices_at_zero_is_not_fitted(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "own.csv").write_text(rows(36), encoding="utf-8")
    done = cli("calibrate", "stack-3d", "--set", tmp_path / "own.csv", "-o", tmp_path / "out")
    assert done.exit_code in (0, 1), done.stderr
    assert "active" not in done.stdout


def test_a_table_without_rows_is_called_that(cli: Cli, tmp_path: Path) -> None:
    path = tmp_path / "own.csv"
    path.write_text("m,n,k,latency_ms,power_W\n", encoding="utf-8")
    done = cli("calibrate", "h200-sxm", "--set", path)
    assert (done.exit_code, done.stdout) == (2, "")
    assert "the table has headings and no rows" in done.stderr
    assert f"  --> {path}:1:1\n" in done.stderr
    assert done.stderr.count("error:") == 1
