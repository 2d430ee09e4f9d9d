"""`-o DIR`: what is written, whole or not at all; and the exit codes of what goes wrong while running."""

import json
import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from click.testing import Result

from archsim.study import running

Run = Callable[..., Result]

LONG_RUN = """
import signal, sys
from archsim.cli import main
from archsim.study import running

assemble = running.assemble

def announced(*args):
    print("at work", file=sys.stderr, flush=True)
    return assemble(*args)

running.assemble = announced
signal.signal(signal.SIGINT, signal.default_int_handler)  # a job in the background inherits that it is ignored
main()
"""


def test_a_folder_gets_the_result_the_resolved_files_and_the_reports(run: Run, small: Path) -> None:
    done = run(args=("-o", small / "deep" / "out", "--format", "json"))
    written = {path.name: path.read_text(encoding="utf-8") for path in (small / "deep" / "out").iterdir()}
    assert written.keys() >= {"result.json", "resolved.yaml", "result.txt", "result.md", "counts.csv"}
    assert written["result.json"] == done.stdout
    assert not [name for name in written if name.startswith(".")]


def test_a_page_for_the_browser_is_written_where_it_is_asked_for(run: Run, small: Path) -> None:
    done = run(args=("-o", small / "out", "--format", "html"))
    assert done.stdout.strip() == str(small / "out" / "report.html")
    assert (small / "out" / "report.html").read_text(encoding="utf-8").startswith("<!doctype html>")
    run(args=("-o", small / "other"))
    assert not (small / "other" / "report.html").exists()


def test_a_page_for_the_browser_goes_to_stdout_without_a_folder(run: Run) -> None:
    assert run(args=("--format", "html")).stdout.rstrip().endswith("</html>")


def test_writing_again_replaces_what_is_there(run: Run, small: Path) -> None:
    run(args=("-o", small / "out"))
    run(args=("-o", small / "out", "--set", "workload.batch=5"))
    assert json.loads((small / "out" / "result.json").read_text())["workload"]["batch"] == 5


def test_resolved_values_hold_every_default(run: Run, small: Path) -> None:
    run(args=("-o", small / "out", "--set", "hardware.components.hbm.bandwidth=1.5TB/s"))
    resolved = yaml.safe_load((small / "out" / "resolved.yaml").read_text())
    hardware, workload = resolved["hardware"], resolved["workload"]
    assert workload["model"]["layers"] == 4
    assert workload["model"]["gated"] is True
    assert workload["dtypes"]["weights"]["scale"] == "fp16"
    assert hardware["components"]["hbm"]["bandwidth"] == "1.5 TB/s"
    assert hardware["components"]["hbm"]["channels"] == 16
    assert hardware["components"]["hbm"]["energy"]["read"]["low"] == "39 pJ/B"
    assert hardware["components"]["l2"]["ports"] == "separate"
    assert hardware["links"]["mem"]["count"] == 1
    assert hardware["mapper"]["access"]["weights"]["reuse"] == "kernel"
    assert hardware["stack"]["gemm"]["splits"] == [1]


@pytest.mark.parametrize("name", ["workload", "machine", "model"])
def test_a_run_is_repeated_from_what_it_wrote(run: Run, cli: Callable[..., Result], small: Path, name: str) -> None:
    settings = ("--set", "hardware.components.hbm.bandwidth=1.5TB/s", "--set", "workload.batch=3")
    run(args=(*settings, "--fidelity", "chunk", "--boundary", "board", "-o", small / "out"))
    (small / f"{name}.yaml").unlink()
    command = (small / "out" / "resolved.yaml").read_text(encoding="utf-8").splitlines()[2]
    _, program, *args = shlex.split(command, comments=False)
    found = cli(*(small / "out" / arg if arg == "resolved.yaml" else arg for arg in args), "-o", small / "again")
    assert (program, found.exit_code) == ("archsim", 0), found.stderr
    before, after = (json.loads((small / to / "result.json").read_text()) for to in ("out", "again"))
    for result in (before, after):
        del result["provenance"], result["simulation"]["wall_s"]
    assert before == after
    texts = [(small / to / "resolved.yaml").read_text() for to in ("out", "again")]
    assert texts[0] == texts[1]


def test_the_machine_of_a_run_serves_other_work_and_is_shown_and_checked(
    run: Run, cli: Callable[..., Result], small: Path
) -> None:
    run(args=("-o", small / "out"))
    both = small / "out" / "resolved.yaml"
    assert cli("check", both).exit_code == 0
    assert cli("show", both).stdout.startswith("small machine\n")
    assert cli("run", both, small / "machine.yaml").exit_code == 0
    assert "NVIDIA" not in cli("run", "gemv-4096", both).stdout


def test_what_is_wrong_in_a_resolved_file_is_found_where_it_stands(
    run: Run, cli: Callable[..., Result], small: Path
) -> None:
    run(args=("-o", small / "out"))
    both = small / "out" / "resolved.yaml"
    both.write_text(both.read_text().replace("batch: 2", "batch: two").replace("fusion:", "fussion:"))
    found = cli("check", both)
    assert found.exit_code == 1
    assert "did you mean `fusion`?" in found.stderr
    assert "must be a whole number" in found.stderr
    both.write_text("schema: archsim.resolved/1\nworkload: {}\n")
    assert "missing key `hardware`" in cli("run", both).stderr


def test_a_library_entry_is_resolved_to_its_values(cli: Callable[..., Result], tmp_path: Path) -> None:
    assert cli("run", "llama-3.1-8b-decode", "h100-sxm", "-o", tmp_path).exit_code == 0
    hardware = yaml.safe_load((tmp_path / "resolved.yaml").read_text())["hardware"]
    assert set(hardware["components"]["hbm"]["energy"]["read"]) >= {"value", "low", "high", "source"}
    assert hardware["stack"]["name"] == "vllm-hopper"


@pytest.mark.parametrize("below", ["", "result.json"])
def test_a_file_in_the_way_of_the_folder_is_named(run: Run, small: Path, below: str) -> None:
    (small / "out").write_text("mine")
    done = run(args=("-o", small / "out" / below))
    assert (done.exit_code, done.stdout) == (2, "")
    assert str(small / "out" / below) in done.stderr
    assert (small / "out").read_text() == "mine"


def test_a_folder_in_the_way_of_a_file_is_named(run: Run, small: Path) -> None:
    (small / "out" / "result.json").mkdir(parents=True)
    done = run(args=("-o", small / "out"))
    assert (done.exit_code, done.stdout) == (2, "")
    assert f"cannot write {small / 'out' / 'result.json'}: is a directory" in done.stderr


def test_an_interrupt_while_writing_leaves_the_old_file_whole(
    run: Run, small: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(args=("-o", small / "out"))
    before = (small / "out" / "result.json").read_text()
    write_bytes = Path.write_bytes

    def interrupted(path: Path, content: bytes) -> int:
        if "result.json" not in path.name:
            return write_bytes(path, content)
        write_bytes(path, content[: len(content) // 2])
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "write_bytes", interrupted)
    done = run(args=("-o", small / "out", "--set", "workload.batch=5"))
    assert (done.exit_code, done.stdout) == (130, "")
    assert "interrupted" in done.stderr
    assert (small / "out" / "result.json").read_text() == before
    assert not [path for path in (small / "out").iterdir() if path.name.startswith(".")]


KILLED = """
import os, signal, sys
from pathlib import Path
from archsim.study.writing import write_together

write_bytes = Path.write_bytes

def killed(path, content):
    written = content[: len(content) // 2] if "last" in path.name else content
    write_bytes(path, written)
    if written != content:
        os.kill(os.getpid(), signal.SIGKILL)

Path.write_bytes = killed
write_together({Path(path): "the new result" for path in sys.argv[1:]})
"""


def test_a_process_killed_while_writing_leaves_all_old_files_whole(tmp_path: Path) -> None:
    paths = [tmp_path / name for name in ("result.json", "result.txt", "last.yaml")]
    for path in paths:
        path.write_text("the old result")
    done = subprocess.run([sys.executable, "-c", KILLED, *map(str, paths)], check=False)
    assert done.returncode == -signal.SIGKILL
    assert {path.read_text() for path in paths} == {"the old result"}


def interrupted_output(process: subprocess.Popen[str]) -> tuple[str, str]:
    """What a process prints after Ctrl-C; an interrupt within a clean-up is lost in Python, so it is pressed again."""
    for _ in range(6):
        time.sleep(0.5)
        process.send_signal(signal.SIGINT)
        try:
            return process.communicate(timeout=10)
        except subprocess.TimeoutExpired:
            continue
    process.kill()
    pytest.fail("Ctrl-C does not end the process")


def test_ctrl_c_ends_a_long_simulation_with_130_and_writes_nothing(small: Path) -> None:
    arguments = ["run", "llama-3.1-8b-decode", "h100-sxm", "--set", "workload.output_tokens=100000"]
    command = [sys.executable, "-c", LONG_RUN, *arguments, "-o", str(small / "out")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        assert process.stderr.readline() == "at work\n"
        stdout, stderr = interrupted_output(process)
    assert (process.returncode, stdout, stderr) == (130, "", "interrupted\n")
    assert not (small / "out").exists()


def test_a_request_to_end_is_met_with_143_and_nothing_written(small: Path) -> None:
    arguments = ["run", "llama-3.1-8b-decode", "h100-sxm", "--set", "workload.output_tokens=100000"]
    command = [sys.executable, "-c", LONG_RUN, *arguments, "-o", str(small / "out")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        assert process.stderr.readline() == "at work\n"
        process.terminate()
        stdout, stderr = process.communicate(timeout=60)
    assert (process.returncode, stdout, stderr) == (143, "", "terminated\n")
    assert not (small / "out").exists()


def test_a_comparison_that_is_asked_to_end_leaves_no_process_behind(tmp_path: Path) -> None:
    arguments = ["compare", "--workload", "llama-3.1-8b-decode", "--hardware", "h100-sxm", "a100-sxm-80gb", "-j", "2"]
    arguments += ["--set", "workload.output_tokens=30000", "-o", str(tmp_path / "out")]
    command = [sys.executable, "-c", "from archsim.cli import main; main()", *arguments]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, start_new_session=True) as process:
        deadline = time.monotonic() + 60
        while len(members(process.pid)) < 3 and time.monotonic() < deadline:
            time.sleep(0.1)
        process.terminate()
        _, stderr = process.communicate(timeout=60)
    assert (process.returncode, stderr) == (143, "terminated\n")
    while members(process.pid) and time.monotonic() < deadline + 60:
        time.sleep(0.1)
    assert not members(process.pid)
    assert not list((tmp_path / "out").iterdir())


def members(session: int) -> list[int]:
    """The processes of a session that are still at work."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _, _, of = path.read_text().rpartition(")")[2].split()[:4]
        except OSError:
            continue
        if int(of) == session and state != "Z":
            found.append(int(path.parent.name))
    return found


def test_a_defect_exits_with_3_and_a_traceback(run: Run, small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "audit", lambda *_: 1 // 0)
    done = run(args=("-o", small / "out"))
    assert (done.exit_code, done.stdout) == (3, "")
    assert "Traceback (most recent call last)" in done.stderr
    assert "ZeroDivisionError" in done.stderr
    assert not (small / "out").exists()


def test_books_that_do_not_balance_stop_the_report(run: Run, small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("archsim.study.running.audit", lambda *_: ("`hbm` serves 1 B too much",))
    done = run(args=("-o", small / "out"))
    assert (done.exit_code, done.stdout) == (3, "")
    assert "the books do not balance:\n- `hbm` serves 1 B too much" in done.stderr
    assert not (small / "out").exists()


def test_a_reader_that_stops_reading_is_no_defect(small: Path) -> None:
    command = [sys.executable, "-c", "from archsim.cli import main; main()"]
    reading, writing = os.pipe()
    os.close(reading)
    files = [str(small / "workload.yaml"), str(small / "machine.yaml")]
    done = subprocess.run(
        [*command, "run", *files, "--format", "json"], stdout=writing, stderr=subprocess.PIPE, text=True, check=False
    )
    os.close(writing)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "defect" not in done.stderr


def test_a_trace_is_written_beside_the_report(run: Callable[..., Result], tmp_path: Path) -> None:
    done = run(args=("--trace", str(tmp_path / "trace.json")))
    assert done.exit_code == 0
    assert json.loads((tmp_path / "trace.json").read_text(encoding="utf-8"))["traceEvents"]
