from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

Refused = Callable[..., str]
HBM = "    bandwidth: 500 GB/s"


@pytest.mark.parametrize(
    ("old", "new", "culprit", "says"),
    [
        (HBM, f"{HBM}\n    chanels: 8", "chanels", ("unknown key `chanels`", "did you mean `channels`?")),
        ("tensor_parallel: 1", "tensor_paralel: 1", "tensor_paralel", ("did you mean `tensor_parallel`?",)),
        ("devices: 1\n", "devises: 1\n", "devises", ("did you mean `devices`?",)),
        ("class: gpu\n", "", "schema: archsim", ("missing key `class`",)),
        (f"{HBM}\n", "", "  ^hbm:", ("missing key `bandwidth`",)),
        ("    kind: tile\n", "", "  ^sm:", ("missing key `kind`",)),
        (", energy: 10 pJ/B", "", "  ^mem:", ("missing key `energy`",)),
        ("    static: 2 W\n", "", "  ^hbm:", ("missing key `static`",)),
        (HBM, "    bandwidth: 500 GB", "500 GB", ("a unit of data, not of bandwidth", "e.g. `670 GB/s`")),
        (HBM, "    bandwidth: 500 Gb/min", "500 Gb/min", ("unknown unit",)),
        ("bf16: 2 TMAC/s", "bf16: 4 TFLOP/s", "4 TFLOP/s", ("1 MAC is 2 FLOP",)),
        (HBM, "    bandwidth: 500", "bandwidth: ^500", ("a bare number where a unit belongs: `500`",)),
        ("static: 2 W", "static: 2", "static: ^2\n", ("a bare number where a unit belongs: `2`", "e.g. `0.9 W`")),
        (HBM, "    bandwidth: -500 GB/s", "-500 GB/s", ("must not be negative",)),
        (HBM, "    bandwidth: 0 GB/s", "0 GB/s\n    latency", ("must be greater than 0",)),
        ("    count: 2\n", "    count: 0\n", "count: ^0", ("must be greater than 0",)),
        ("    count: 2\n", "    count: 1.5\n", "1.5", ("must be a whole number",)),
        ("    count: 2\n", "    count: .nan\n", ".nan", ("`.nan` is not a finite number",)),
        ("    count: 2\n", "    count: 2\n    count: 3\n", "count: 3", ("key `count` is there twice",)),
        ("hbm_stack", "hbm_stak", "hbm_stak", ("unknown component kind `hbm_stak`", "did you mean `hbm_stack`?")),
        ("kind: temporal", "kind: temporel", "temporel", ("unknown mapper kind", "did you mean `temporal`?")),
        ("stack: ideal", "stack: ideel", "ideel", ("unknown stack `ideel`", "did you mean `ideal`?")),
        ("class: gpu", "class: gpo", "gpo", ("must be one of gpu, dataflow", "did you mean `gpu`?")),
        ("boundary: chip", "boundary: chop", "chop", ("must be one of device, chip", "did you mean `chip`?")),
        ("{bf16: 2 TMAC/s", "{bf61: 2 TMAC/s", "bf61", ("must be one of fp32, bf16",)),
        ("    count: 2\n", "    count: 2\n    library: hbm33\n", "hbm33", ("unknown library", "did you mean `hbm3`?")),
        ("read: 39 pJ/B", "read: {value: 39 pJ/B, low: 50 pJ/B}", "{value", ("a range must hold its value",)),
        ("read: 39 pJ/B", "read: {value: 39 pJ/B, low: 1}", "low: ^1}", ("a bare number where a unit belongs",)),
        ("    count: 2\n", "    efficiency: 90 %\n", "90 %", ("must be a number", "a share from 0 to 1")),
        ("tensor_parallel: 1", "tensor_parallel: 0", "tensor_parallel: ^0", ("must be greater than 0",)),
    ],
)
def test_a_machine_is_refused_where_it_is_wrong(
    refused: Refused, old: str, new: str, culprit: str, says: tuple[str, ...]
) -> None:
    stderr = refused("machine.yaml", (old, new), culprit=culprit)
    assert all(words in stderr for words in says), stderr
    assert stderr.count("error:") == 1  # one cause is one finding


@pytest.mark.parametrize(
    ("old", "new", "culprit", "says"),
    [
        ("batch: 2", "bach: 2", "bach", ("unknown key `bach`", "did you mean `batch`?")),
        ("family: transformer\n", "", "schema: archsim", ("missing key `family`",)),
        ("family: transformer", "family: transformr", "transformr", ("unknown family", "did you mean `transformer`?")),
        ("batch: 2", "batch: 0", "batch: ^0", ("must be greater than 0",)),
        ("batch: 2", 'batch: "2"', '"2"', ("must be a number, not text",)),
        ("output_tokens: 4", "output_tokens: 0", "output_tokens: ^0", ("must be greater than 0",)),
        ("prompt_tokens: 128", "prompt_tokens: -1", "-1", ("must be at least 0",)),
        ("prompt_cached: true", "prompt_cached: no", "prompt_cached: ^no", ("must be true or false",)),
        ("weights: bf16", "weights: int5", "int5", ("must be one of fp32, bf16",)),
        ("model: model.yaml", "model: llama-3.1-8", "llama-3.1-8", ("no model file", "did you mean `llama-3.1-8b`?")),
        (
            "prompt_tokens: 128",
            "prompt_tokens: 4093",
            "4093",
            ("beyond the model's limit", "4093 + 4 = 4097", "small model takes 4096"),
        ),
        ("output_tokens: 4", "output_tokens: 1000000000", "128\n", ("= 1000000128, and small model takes 4096",)),
    ],
)
def test_a_workload_is_refused_where_it_is_wrong(
    refused: Refused, old: str, new: str, culprit: str, says: tuple[str, ...]
) -> None:
    stderr = refused("workload.yaml", (old, new), culprit=culprit)
    assert all(words in stderr for words in says), stderr
    assert stderr.count("error:") == 1


def test_a_wrong_model_is_refused_in_its_own_file(refused: Refused) -> None:
    stderr = refused("model.yaml", ("kv_heads: 4", "kv_heads: 3"), culprit="kv_heads: ^3")
    assert "8 is not a multiple of 3" in stderr


def test_more_tokens_than_one_run_simulates_are_refused_at_once(refused: Refused, small: Path) -> None:
    model = small / "model.yaml"
    model.write_text(model.read_text().replace("max_context: 4096\n", ""))
    stderr = refused("workload.yaml", ("output_tokens: 4", "output_tokens: 1000000000"), culprit="1000000000")
    assert "more than 10,000,000 tokens are not simulated in one run" in stderr


def test_a_file_of_the_other_sort_is_named_as_what_it_is(cli: Callable[..., Result], small: Path) -> None:
    result = cli("run", small / "machine.yaml", small / "workload.yaml")
    assert result.exit_code == 2
    assert f"{small / 'machine.yaml'}:1:9\n" in result.stderr
    assert "this is a hardware file, and a workload file is asked for" in result.stderr
    assert "this is a workload file, and a hardware file is asked for" in result.stderr
    assert result.stderr.count("error:") == 2


def test_a_misspelled_key_is_both_unknown_and_missing(refused: Refused) -> None:
    stderr = refused("machine.yaml", (HBM, "    bandwith: 500 GB/s"), culprit="bandwith")
    assert "unknown key `bandwith`" in stderr
    assert "did you mean `bandwidth`?" in stderr
    assert "missing key `bandwidth`" in stderr


def test_an_unknown_schema_is_refused_with_the_known_one(refused: Refused) -> None:
    stderr = refused("machine.yaml", ("archsim.hardware/1", "archsim.hardware/2"), culprit="archsim.hardware/2")
    assert "archsim.hardware/1" in stderr


def test_findings_in_both_files_come_at_once(refused: Refused, small: Path) -> None:
    workload = small / "workload.yaml"
    workload.write_text(workload.read_text().replace("batch: 2", "bach: 2"))
    stderr = refused("machine.yaml", ("count: 16", "count: 0"), (HBM, "    bandwidth: fast"), culprit="fast")
    assert f"{workload}:5:1" in stderr
    assert stderr.count("error:") == 3


def test_two_files_that_cannot_be_read_are_both_named(cli: Callable[..., Result], tmp_path: Path) -> None:
    result = cli("run", tmp_path / "no-workload.yaml", tmp_path / "no-machine.yaml")
    assert (result.exit_code, result.stdout) == (2, "")
    assert f"{tmp_path / 'no-workload.yaml'}:1:1" in result.stderr
    assert f"{tmp_path / 'no-machine.yaml'}:1:1" in result.stderr
