"""`archsim compare`: what it writes, what it changes so that a cell can be, and what it refuses."""

import csv
import json
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

Cli = Callable[..., Result]

FILES = {"report.html", "report.md", "results.csv", "results.json"}
TINY = "hardware.components.hbm.capacity=4MiB"
NATIVE = "native_dtypes: {weights: int8, kv: int8, activations: int8}\n"


@pytest.fixture
def other(small: Path) -> Callable[..., Path]:
    """A second machine, which extends the small one by some lines."""

    def write(name: str, *lines: str) -> Path:
        path = small / f"{name}.yaml"
        path.write_text("\n".join(["extends: machine.yaml", f"name: {name}", *lines]), encoding="utf-8")
        return path

    return write


@pytest.fixture
def compared(cli: Cli, small: Path) -> Callable[..., Any]:
    """Compare machines at the small workload; the outcome's `results.json` as data."""

    def compare(*machines: Path, args: tuple[object, ...] = (), exits: int = 0) -> Any:
        chosen = ("--workload", small / "workload.yaml", "--hardware", *machines)
        result = cli("compare", *chosen, "-j", 1, *args, "-o", small / "out")
        assert result.exit_code == exits, result.output
        return json.loads((small / "out" / "results.json").read_text(encoding="utf-8"))

    return compare


def lasting(result: Any) -> Any:
    """A result without what no two runs share: its wall time, and how it was asked for."""
    return {key: value for key, value in result.items() if key != "provenance"} | {
        "simulation": {**result["simulation"], "wall_s": 0}
    }


def test_every_file_is_written_whole(compared: Callable[..., Any], small: Path) -> None:
    compared(small / "machine.yaml")
    assert {path.name for path in (small / "out").iterdir()} >= FILES
    assert not list((small / "out").glob(".*"))


def test_a_cell_is_what_a_run_finds(compared: Callable[..., Any], cli: Cli, small: Path) -> None:
    cell = compared(small / "machine.yaml")["results"][0]
    alone = cli("run", small / "workload.yaml", small / "machine.yaml", "--format", "json")
    assert lasting(cell) == lasting(json.loads(alone.stdout))


def test_cells_stand_in_the_order_asked_for(
    compared: Callable[..., Any], other: Callable[..., Path], small: Path
) -> None:
    found = compared(
        other("second"), small / "machine.yaml", other("third"), args=("--baseline", small / "machine.yaml")
    )
    assert found["schema"] == "archsim.compare/1"
    assert found["baseline"] == "small machine"
    assert [cell["hardware"]["name"] for cell in found["results"]] == ["second", "small machine", "third"]


def test_repeated_options_are_one_with_several_values(cli: Cli, other: Callable[..., Path], small: Path) -> None:
    pair = (small / "machine.yaml", other("second"))
    spread = [item for machine in pair for item in ("--hardware", machine)]
    for args in (("--hardware", *pair), spread):
        result = cli("compare", "--workload", small / "workload.yaml", *args, "-j", 1, "-o", small / "out")
        assert result.exit_code == 0, result.output
        assert len(json.loads((small / "out" / "results.json").read_text(encoding="utf-8"))["results"]) == 2


def test_what_is_named_twice_is_compared_once_and_told(cli: Cli, small: Path) -> None:
    machine, workload = small / "machine.yaml", small / "workload.yaml"
    asked = ("--workload", workload, workload, "--hardware", machine, machine, machine)
    result = cli("compare", *asked, "-j", 1, "-o", small / "out")
    assert len(json.loads((small / "out" / "results.json").read_text(encoding="utf-8"))["results"]) == 1
    for name in (machine, workload):
        assert f"warning: `{name}` is named more than once, and compared once\n" in result.stderr


def test_a_file_that_is_both_workload_and_machine_is_named_once_as_each(cli: Cli, small: Path) -> None:
    both = small / "out" / "resolved.yaml"
    cli("run", small / "workload.yaml", small / "machine.yaml", "-o", small / "out")
    result = cli("compare", "--workload", both, "--hardware", both, "-j", 1, "-o", small / "compared")
    assert result.exit_code == 0
    assert "warning" not in result.stderr


def test_processes_change_nothing_but_the_wall_time(
    compared: Callable[..., Any], other: Callable[..., Path], small: Path
) -> None:
    machines = (small / "machine.yaml", other("second"))
    one = compared(*machines)
    pages = {name: (small / "out" / name).read_bytes() for name in FILES - {"results.json"}}
    two = compared(*machines, args=("-j", 2))
    assert [lasting(cell) for cell in one["results"]] == [lasting(cell) for cell in two["results"]]
    assert pages == {name: (small / "out" / name).read_bytes() for name in pages}


def test_a_cell_that_cannot_be_has_its_reason_and_the_others_their_figures(
    compared: Callable[..., Any], other: Callable[..., Path], small: Path
) -> None:
    tiny = other("tiny", "components: {hbm: {capacity: 4 MiB}}")
    refused, cell = compared(tiny, small / "machine.yaml")["results"]
    assert refused["hardware"] == {"name": "tiny", "class": "gpu"}
    assert "the model does not fit" in refused["error"]
    assert cell["energy"]["per_token_j"] > 0
    rows = list(csv.DictReader((small / "out" / "results.csv").read_text(encoding="utf-8").splitlines()))
    assert [bool(row["error"]) for row in rows] == [True, False]
    assert rows[0]["energy_per_token_j"] == ""


def test_all_cells_failed_is_a_failure_that_the_report_tells(compared: Callable[..., Any], small: Path) -> None:
    found = compared(small / "machine.yaml", args=("--set", TINY), exits=1)
    assert "does not fit" in found["results"][0]["error"]
    for name in ("report.md", "report.html"):
        assert "No machine here has figures for it" in (small / "out" / name).read_text(encoding="utf-8")


def test_fit_takes_as_many_devices_as_hold_the_model(compared: Callable[..., Any], small: Path) -> None:
    cell = compared(small / "machine.yaml", args=("--set", TINY, "--fit"))["results"][0]
    devices = cell["hardware"]["devices"]
    assert devices == cell["hardware"]["parallel"]["tensor_parallel"] > 1
    used = cell["capacity"]["hbm"]
    assert used["used_bytes"] <= used["total_bytes"]
    assert f"{devices} devices instead of 1" in (small / "out" / "report.md").read_text(encoding="utf-8")


def test_fit_suggests_nothing_that_it_tried_in_vain(cli: Cli, tmp_path: Path) -> None:
    asked = ("--workload", "mixtral-8x7b-decode", "--hardware", "pim-gpu", "--fit", "-o", tmp_path)
    assert "divides no experts over devices" in cli("compare", *asked).stderr
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "one device that holds the model" in page
    assert "devices: 2 with tensor_parallel: 2" not in page


def test_fit_leaves_alone_what_fits(compared: Callable[..., Any], small: Path) -> None:
    assert compared(small / "machine.yaml", args=("--fit",))["results"][0]["hardware"]["devices"] == 1


def test_a_type_that_a_machine_lacks_gives_way_to_its_own(
    compared: Callable[..., Any], other: Callable[..., Path], small: Path
) -> None:
    own, lacking = compared(
        other("own", NATIVE), small / "machine.yaml", args=("--set", "workload.dtypes.activations=fp8")
    )["results"]
    assert own["workload"]["dtypes"] == {"weights": "int8", "kv": "int8", "activations": "int8"}
    assert "does not compute in `fp8`" in lacking["error"]
    assert "in the machine's own precision" in (small / "out" / "report.md").read_text(encoding="utf-8")


def test_a_type_that_a_machine_has_is_kept(compared: Callable[..., Any], other: Callable[..., Path]) -> None:
    assert compared(other("own", NATIVE))["results"][0]["workload"]["dtypes"]["activations"] == "bf16"


def test_the_command_of_a_cell_finds_the_same_by_itself(
    compared: Callable[..., Any], cli: Cli, other: Callable[..., Path]
) -> None:
    args = ("--fit", "--set", TINY, "--set", "workload.dtypes.activations=fp8")
    cell = compared(other("own", NATIVE), args=args)["results"][0]
    _, *command = shlex.split(cell["provenance"]["command"])
    assert lasting(json.loads(cli(*command, "--format", "json").stdout)) == lasting(cell)


def test_machines_of_one_name_are_told_apart(
    compared: Callable[..., Any], other: Callable[..., Path], small: Path
) -> None:
    compared(small / "machine.yaml", other("small machine"))
    page = (small / "out" / "report.md").read_text(encoding="utf-8")
    assert f"small machine ({small / 'machine.yaml'})" in page.replace("\\", "")


def test_unlike_boundaries_are_converted_to_the_widest_and_marked(
    compared: Callable[..., Any], cli: Cli, other: Callable[..., Path], small: Path
) -> None:
    chip, board = compared(small / "machine.yaml", other("board", "boundary: board"))["results"]
    assert (chip["hardware"]["boundary"], board["hardware"]["boundary"]) == ("board", "board")
    assert chip["energy"]["per_token_j"] == pytest.approx(board["energy"]["per_token_j"] / 0.9)
    page = (small / "out" / "report.md").read_text(encoding="utf-8")
    assert "joules converted from chip to board" in page
    assert "the ratio is not of like things" not in page
    _, *command = shlex.split(chip["provenance"]["command"])
    assert lasting(json.loads(cli(*command, "--format", "json").stdout)) == lasting(chip)


def test_all_are_told_at_the_boundary_that_is_asked_for(
    compared: Callable[..., Any], other: Callable[..., Path], small: Path
) -> None:
    found = compared(small / "machine.yaml", other("board", "boundary: board"), args=("--boundary", "facility"))
    assert {cell["hardware"]["boundary"] for cell in found["results"]} == {"facility"}


def test_unlike_boundaries_that_can_not_be_converted_are_compared_only_where_asked_for_and_marked(
    compared: Callable[..., Any], cli: Cli, other: Callable[..., Path], small: Path
) -> None:
    parts = other("parts", "boundary: device")
    asked = ("--workload", small / "workload.yaml", "--hardware", small / "machine.yaml", parts, "-o", small / "out")
    refused = cli("compare", *asked)
    assert refused.exit_code == 2
    assert "unlike boundaries in one comparison" in refused.stderr
    assert not (small / "out").exists()
    compared(small / "machine.yaml", parts, args=("--mixed-boundaries",))
    assert "the ratio is not of like things" in (small / "out" / "report.md").read_text(encoding="utf-8")
    assert "≠" in (small / "out" / "report.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("--workload", "gemv-4096"), "Missing option '--hardware'"),
        (("--hardware", "h100-sxm"), "Missing option '--workload'"),
        (("--workload", "gemv-4096", "--hardware"), "requires an argument"),
        (("--workload", "gemv-4096", "--hardware", "h100-sxm", "--baseline", "h100"), "unknown baseline `h100`"),
        (("--workload", "gemv-409", "--hardware", "h100-sxm"), "did you mean `gemv-4096`?"),
        (("--workload", "gemv-4096", "--hardware", "h100-sxm,b200"), "spaces stand between names"),
        (("--workload", "h100-sxm", "--hardware", "gemv-4096"), "a machine is the second argument of `run`"),
        (("--workload", "h100-sxm", "--hardware", "gemv-4096"), "and follows `--workload` of `compare`"),
        (("--workload", "gemv-4096", "--hardware", "h100-sx"), "did you mean `h100-sxm`?"),
        (("--workload", "gemv-4096", "--hardware", "h100-sxm", "--set", "workload.bach=2"), "unknown key `bach`"),
    ],
)
def test_bad_usage_is_told_before_anything_is_simulated(
    cli: Cli, tmp_path: Path, args: tuple[str, ...], said: str
) -> None:
    result = cli("compare", "-o", tmp_path / "out", *args)
    assert (result.exit_code, result.stdout) == (2, "")
    assert said in result.stderr
    assert not (tmp_path / "out").exists()


def test_a_folder_that_cannot_be_written_is_told_before_anything_is_simulated(cli: Cli, small: Path) -> None:
    result = cli(
        "compare",
        "--workload",
        small / "workload.yaml",
        "--hardware",
        small / "machine.yaml",
        "-o",
        small / "model.yaml" / "out",
    )
    assert (result.exit_code, result.stdout) == (2, "")
    assert "cannot write to the folder" in result.stderr


def test_what_takes_no_time_has_no_place_on_a_logarithmic_axis(cli: Cli, tmp_path: Path) -> None:
    done = cli("compare", "--workload", "gemv-4096", "--hardware", "ideal-sram", "ideal-mac", "-o", tmp_path)
    assert done.exit_code == 0, done.stderr
    assert (tmp_path / "report.html").exists()


def test_a_price_that_a_machine_does_not_state_saves_nothing(cli: Cli, tmp_path: Path) -> None:
    asked = ("--workload", "llama-3.1-70b-decode", "--hardware", "h100-sxm", "orin")
    told = " ".join(cli("compare", *asked, "-o", tmp_path).stdout.split())
    assert "power of its tiles at work costs 0 J" not in told
    assert "are power of its tiles at work, for which Jetson AGX Orin 64 GB states no price" in told
