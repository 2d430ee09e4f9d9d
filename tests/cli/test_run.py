"""`archsim run` on sound files: what it accepts, and what stdout holds."""

import csv
import io
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

Cli = Callable[..., Result]
DATA = Path(__file__).parent / "data"

KEYS = {
    "": (
        "schema archsim_version workload hardware latency throughput energy power per_million_tokens utilization "
        "traffic_bytes_per_token operators capacity counts simulation warnings provenance"
    ),
    "workload": "name family batch prompt_tokens output_tokens dtypes",
    "workload.dtypes": "weights kv activations",
    "hardware": "name class devices parallel stack boundary",
    "latency": "ttft_s tpot_s tpot_p50_s tpot_p99_s total_s",
    "throughput": "tokens_per_s_per_user tokens_per_s sequences_in_flight",
    "energy": (
        "per_token_j low_j high_j p05_j p95_j total_j decode_j_per_output_token prefill_j_per_input_token "
        "by_component by_action by_operator by_tensor by_phase by_kind dominant activity low_activity_j"
    ),
    "energy.dominant.0": "component action source share",
    "energy.by_kind": "compute sram dram link static other",
    "power": "average_w per_device_w tdp_limited cap_w slowed",
    "per_million_tokens": "kwh water_l carbon_kg electricity_usd hire_usd total_usd site",
    "per_million_tokens.kwh": "device chip board server facility",
    "per_million_tokens.kwh.facility": "value low high",
    "operators.0": "operator phase time_s share limiter second_limiter achieved peak unit bound_s",
    "capacity.hbm": "used_bytes total_bytes",
    "counts.0": "component action operator phase tensor count unit price_pj low_pj high_pj",
    "simulation": "events wall_s fidelity seed",
    "provenance": "inputs command prices validated",
    "provenance.validated": "time energy",
    "provenance.validated.time": "standing against ratio why",
    "provenance.inputs.0": "path sha256",
    "provenance.prices.0": "component action value unit boundary grade source scaled",
}


def at(document: Any, path: str) -> Any:
    for part in filter(None, path.split(".")):
        document = document[int(part) if part.isdecimal() else part]
    return document


def keys_named(document: Any, name: str) -> Iterator[list[str]]:
    """The keys of every mapping in the lists that `name` may stand for."""
    found = at(document, name.removesuffix(".0"))
    yield from (list(item) for item in (found if isinstance(found, list) else [found]))


@pytest.fixture
def result(run: Callable[..., Result]) -> Callable[..., Any]:
    """The result of the small pair, with edits and arguments, as data."""

    def of(*edits: object, args: tuple[object, ...] = ()) -> Any:
        done = run(*edits, args=("--format", "json", *args))
        assert done.exit_code == 0, done.stderr
        return json.loads(done.stdout)

    return of


def without_clock(document: Any) -> Any:
    document["simulation"].pop("wall_s")
    document["provenance"].pop("command")
    return document


@pytest.mark.parametrize("path", KEYS)
def test_the_result_has_the_keys_of_its_schema_and_no_others(result: Callable[..., Any], path: str) -> None:
    assert all(keys == KEYS[path].split() for keys in keys_named(result(), path))


def test_the_result_names_its_schema_and_its_inputs(result: Callable[..., Any], small: Path) -> None:
    document = result(args=("--seed", "7"))
    assert document["schema"] == "archsim.result/1"
    assert document["simulation"]["seed"] == 7
    assert document["hardware"]["parallel"] == {"tensor_parallel": 1}
    paths = [item["path"] for item in document["provenance"]["inputs"]]
    *files, stack = paths
    assert files == [str(small / name) for name in ("workload.yaml", "model.yaml", "machine.yaml")]
    assert stack.endswith("stacks/ideal.yaml")


@pytest.mark.parametrize("args", [(), ("--set", "workload.prompt_cached=false"), ("--set", "workload.batch=3")])
def test_every_breakdown_adds_up_to_the_energy_of_a_token(result: Callable[..., Any], args: tuple[str, ...]) -> None:
    document = result(args=args)
    energy, workload = document["energy"], document["workload"]
    for name, parts in energy.items():
        if name.startswith("by_"):
            assert sum(parts.values()) == pytest.approx(energy["per_token_j"], rel=1e-9), name
    tokens = workload["batch"] * workload["output_tokens"]
    assert energy["per_token_j"] == pytest.approx(energy["total_j"] / tokens, rel=1e-12)
    booked = sum(row["count"] * row["price_pj"] for row in document["counts"]) * 1e-12
    assert energy["total_j"] == pytest.approx(booked, rel=1e-12)
    assert energy["low_j"] <= energy["per_token_j"] <= energy["high_j"]


def test_static_power_is_booked_over_the_whole_run(result: Callable[..., Any]) -> None:
    document = result()
    tokens = document["workload"]["batch"] * document["workload"]["output_tokens"]
    watts = 2 * 2 + 1 + 16 * 1  # HBM stacks, L2, SMs
    expected = watts * document["latency"]["total_s"] / tokens
    assert document["energy"]["by_kind"]["static"] == pytest.approx(expected, rel=1e-9)
    assert {row["unit"] for row in document["counts"] if row["action"] == "static"} == {"ps"}


def test_a_cached_prompt_has_no_time_to_first_token_and_a_simulated_one_has(result: Callable[..., Any]) -> None:
    cached = result()["latency"]
    simulated = result(args=("--set", "workload.prompt_cached=false"))["latency"]
    assert cached["ttft_s"] is None
    assert cached["tpot_s"] * 4 == pytest.approx(cached["total_s"])
    assert 0 < simulated["ttft_s"] < simulated["total_s"]
    assert simulated["ttft_s"] + 3 * simulated["tpot_s"] == pytest.approx(simulated["total_s"])


def test_one_simulated_token_has_no_time_between_tokens(result: Callable[..., Any]) -> None:
    latency = result(args=("--set", "workload.prompt_cached=false", "--set", "workload.output_tokens=1"))["latency"]
    assert (latency["tpot_s"], latency["tpot_p50_s"], latency["tpot_p99_s"]) == (None, None, None)
    assert latency["ttft_s"] == latency["total_s"]


def test_a_batch_reads_the_weights_once_for_all(result: Callable[..., Any]) -> None:
    one, four = (result(args=("--set", f"workload.batch={batch}")) for batch in (1, 4))
    assert four["throughput"]["sequences_in_flight"] == 4
    assert four["throughput"]["tokens_per_s"] > one["throughput"]["tokens_per_s"]
    per_token = [document["energy"]["by_tensor"]["weights"] for document in (one, four)]
    assert per_token[0] == pytest.approx(4 * per_token[1], rel=0.01)  # but for the rows of the embedding


def test_tensor_parallelism_divides_the_weights_and_adds_a_sum(result: Callable[..., Any]) -> None:
    near = ("--set", "hardware.links.ring.latency=1 ns")  # this model is too small for hops of a microsecond
    alone = result(args=near)
    shared = result(args=(*near, "--set", "hardware.devices=8", "--set", "hardware.mapper.tensor_parallel=8"))
    assert shared["hardware"]["parallel"] == {"tensor_parallel": 8}
    assert shared["latency"]["tpot_s"] < alone["latency"]["tpot_s"]
    assert shared["traffic_bytes_per_token"]["ring"] > 0 == alone["traffic_bytes_per_token"].get("ring", 0)
    assert {row["operator"] for row in shared["operators"]} >= {"attn_out_all_reduce", "down_all_reduce"}


TWO = ("--set", "hardware.devices=2", "--set", "hardware.mapper.tensor_parallel=2")


def test_a_run_tells_who_waits_for_a_straggler(result: Callable[..., Any], run: Callable[..., Result]) -> None:
    slow = (*TWO, "--set", "hardware.mapper.stragglers.slowdown=1.5")
    first, second = result(args=slow)["devices"]
    assert list(first) == ["device", "kernels_s", "waits_s", "waits_j"]
    assert (first["waits_s"], first["waits_j"]) == (0, 0)
    assert (
        second["waits_s"]
        == pytest.approx(first["kernels_s"] - second["kernels_s"])
        == pytest.approx(second["kernels_s"] / 2, rel=1e-6)
    )
    assert "device 0 waits 0.0, device 1 waits" in " ".join(run(args=slow).stdout.split())
    assert "devices" not in result(args=TWO)


def test_degrees_left_out_are_chosen_and_printed(result: Callable[..., Any]) -> None:
    document = result("machine.yaml", ("  tensor_parallel: 1\n", ""), args=("--set", "hardware.devices=4"))
    assert document["hardware"]["parallel"] == {"tensor_parallel": 4}


def test_settings_may_come_in_any_order(result: Callable[..., Any]) -> None:
    sets = ["hardware.devices=2", "hardware.mapper.tensor_parallel=2", "workload.batch=8", "hardware.stack=vllm-hopper"]
    orders = [sets, sets[::-1], [sets[2], sets[0], sets[3], sets[1]]]
    documents = [result(args=[part for setting in order for part in ("--set", setting)]) for order in orders]
    assert documents[0]["workload"]["batch"] == 8
    assert without_clock(documents[0]) == without_clock(documents[1]) == without_clock(documents[2])


def test_a_setting_equals_an_edit_of_the_file(result: Callable[..., Any]) -> None:
    by_option = result(args=("--set", "hardware.components.hbm.bandwidth=750GB/s", "--set", "workload.name=a b 'c'"))
    edited = result("machine.yaml", ("bandwidth: 500 GB/s", "bandwidth: 750 GB/s"))
    assert by_option["workload"]["name"] == "a b 'c'"
    assert by_option["latency"] == edited["latency"]
    assert by_option["counts"] == edited["counts"]


def test_the_last_of_two_settings_of_one_path_counts_and_an_option_beats_both(result: Callable[..., Any]) -> None:
    document = result(args=("--set", "workload.seed=1", "--set", "workload.seed=2"))
    assert document["simulation"]["seed"] == 2
    document = result(args=("--seed", "3", "--set", "workload.seed=1"))
    assert document["simulation"]["seed"] == 3


def test_extends_lays_a_file_upon_another(cli: Cli, small: Path) -> None:
    faster = small / "faster.yaml"
    faster.write_text("extends: machine.yaml\nname: faster\ncomponents: {hbm: {bandwidth: 1 TB/s}}\nlinks: {ring: ~}\n")
    document = json.loads(cli("run", small / "workload.yaml", faster, "--format", "json").stdout)
    assert document["hardware"]["name"] == "faster"
    assert "ring" not in document["utilization"]
    paths = [item["path"] for item in document["provenance"]["inputs"]]
    assert paths[-3:-1] == [str(faster), str(small / "machine.yaml")]


def test_extends_finds_shipped_files(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text("extends: toy-xm1\nname: mine\n")
    done = cli("run", "gemv-4096", tmp_path / "mine.yaml", "--format", "json")
    assert json.loads(done.stdout)["hardware"]["name"] == "mine"


def test_shipped_names_and_relative_paths_work_from_any_folder(
    cli: Cli, small: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(small)
    assert cli("run", "workload.yaml", "./machine.yaml").exit_code == 0
    assert cli("run", "gemv-4096", "toy-xm1").exit_code == 0
    (small / "below").mkdir()
    monkeypatch.chdir(small / "below")
    assert cli("run", "../workload.yaml", "../machine.yaml").exit_code == 0  # the model stands beside its workload


def test_the_files_of_the_format_description_run_as_they_stand(cli: Cli) -> None:
    done = cli("run", DATA / "design-workload.yaml", DATA / "design-hardware.yaml", "--format", "json")
    assert done.exit_code == 0, done.stderr
    document = json.loads(done.stdout)
    assert document["capacity"]["hbm"]["total_bytes"] == 5 * 16 * 2**30
    weights = 8_030_261_248 * 2  # parameters of Llama-3.1-8B in bf16
    assert document["capacity"]["hbm"]["used_bytes"] == weights + 32 * 2 * 8 * 128 * 2 * (2048 + 32)
    embedding = 128256 * 4096 * 2
    seconds = (weights - embedding) / 3.35e12
    assert seconds < document["latency"]["tpot_s"] < 1.3 * seconds


def test_a_model_may_be_a_published_config(cli: Cli, small: Path) -> None:
    dimensions = {"hidden_size": 512, "intermediate_size": 1536, "num_attention_heads": 8, "num_hidden_layers": 4}
    more = {"num_key_value_heads": 4, "vocab_size": 1000, "max_position_embeddings": 4096, "head_dim": 64}
    (small / "config.json").write_text(json.dumps({"model_type": "llama", **dimensions, **more}))
    own = cli("run", small / "workload.yaml", small / "machine.yaml", "--format", "json")
    published = cli(
        *("run", small / "workload.yaml", small / "machine.yaml", "--format", "json"),
        *("--set", f"workload.model={small / 'config.json'}"),
    )
    assert published.exit_code == 0, published.stderr
    assert json.loads(published.stdout)["counts"] == json.loads(own.stdout)["counts"]


def test_operators_may_be_a_table(cli: Cli, small: Path) -> None:
    head = "schema: archsim.workload/1\nname: list\nfamily: operators\n"
    head += "dtypes: {weights: bf16, kv: bf16, activations: bf16}\n"
    entries = (
        "operators:\n- {kind: gemm, name: up, n: 256, k: 64}\n- {kind: vector, name: act, elements: 256, inputs: up}\n"
    )
    (small / "entries.yaml").write_text(head + entries)
    (small / "table.yaml").write_text(head + "operators: table.csv\n")
    (small / "table.csv").write_text("name,kind,n,k,elements,inputs\nup,gemm,256,64,,\nact,vector,,,256,up\n")
    done = [
        cli("run", small / name, small / "machine.yaml", "--format", "json") for name in ("entries.yaml", "table.yaml")
    ]
    entries_made, table_made = (json.loads(one.stdout) for one in done)
    assert entries_made["counts"] == table_made["counts"]
    (macs,) = [row["count"] for row in table_made["counts"] if row["action"] == "mac_bf16"]
    assert macs == 256 * 64


def test_csv_holds_the_counts_of_json(run: Callable[..., Result], result: Callable[..., Any]) -> None:
    rows = list(csv.DictReader(io.StringIO(run(args=("--format", "csv")).stdout)))
    counts = result()["counts"]
    assert [int(row["count"]) for row in rows] == [row["count"] for row in counts]
    assert [row["component"] for row in rows] == [row["component"] for row in counts]


@pytest.mark.parametrize("kind", ["table", "json", "csv", "markdown"])
def test_stdout_holds_data_only_and_warnings_go_to_stderr(run: Callable[..., Result], kind: str) -> None:
    free = ("energy: 10 pJ/B", "energy: 0 pJ/B")
    done = run("machine.yaml", free, args=("--format", kind))
    assert done.exit_code == 0
    assert done.stdout.endswith("\n")
    assert not done.stdout.startswith("warning")
    if kind != "table":
        assert "warning: priced at zero: mem move" in done.stderr
    if kind == "json":
        assert "priced at zero: mem move" in json.loads(done.stdout)["warnings"][0]


@pytest.mark.parametrize("kind", ["table", "json", "csv", "markdown"])
def test_names_cannot_drive_a_terminal(run: Callable[..., Result], kind: str) -> None:
    done = run("machine.yaml", ("name: small machine", 'name: "\\e[31mred <script>"'), args=("--format", kind))
    assert done.exit_code == 0
    assert "\x1b" not in done.stdout
    assert "\x1b" not in done.stderr


def test_the_same_input_gives_the_same_bytes_whatever_the_hash_seed(small: Path) -> None:
    command = [sys.executable, "-c", "from archsim.cli import main; main()"]
    arguments = ["run", str(small / "workload.yaml"), str(small / "machine.yaml"), "--format", "json"]
    arguments += ["--set", "hardware.devices=4", "--set", "hardware.mapper.tensor_parallel=4"]
    texts = []
    for seed in ("1", "2"):
        environment = {**os.environ, "PYTHONHASHSEED": seed}
        done = subprocess.run([*command, *arguments], env=environment, capture_output=True, text=True, check=True)
        texts.append(
            [line for line in done.stdout.splitlines() if not line.lstrip().startswith(('"wall_s"', '"command"'))]
        )
    assert texts[0] == texts[1]
    assert len(texts[0]) == len(done.stdout.splitlines()) - 2


@pytest.mark.parametrize(
    "setting",
    [
        "workload.batch=1000000000000",
        "workload.prompt_tokens=0",
        "hardware.components.hbm.bandwidth=1 B/s",
        "hardware.components.hbm.bandwidth=9e99 EB/s",
        "hardware.components.sm.count=1000000000",
        "hardware.components.sm.window=1 B",
        "hardware.components.hbm.latency=9e9 s",
        "hardware.components.hbm.energy.read=9e99 kJ/B",
        "hardware.name=\"\\u202e机器 | `x` 'y'\"",
    ],
)
def test_extreme_values_are_simulated_too(result: Callable[..., Any], setting: str) -> None:
    roomy = ("capacity: 64 MiB", "capacity: unlimited")
    assert result("machine.yaml", roomy, args=("--set", setting))["latency"]["total_s"] > 0


def test_decode_without_a_prompt_sees_only_its_own_tokens(result: Callable[..., Any]) -> None:
    document = result(args=("--set", "workload.prompt_tokens=0", "--set", "workload.batch=1"))
    read = sum(
        row["count"]
        for row in document["counts"]
        if (row["tensor"], row["action"]) == ("kv", "read") and row["component"] == "hbm"
    )
    assert read == (1 + 2 + 3 + 4) * 4 * 2 * 256 * 2  # tokens seen by 4 steps x layers x K and V x values x bytes


@pytest.mark.parametrize("fidelity", ["tile", "chunk"])
def test_a_finer_fidelity_moves_time_and_no_count(result: Callable[..., Any], fidelity: str) -> None:
    coarse, fine = result(), result(args=("--fidelity", fidelity))
    assert fine["simulation"]["fidelity"] == fidelity
    assert fine["simulation"]["events"] > coarse["simulation"]["events"]
    rows = [[row for row in found["counts"] if row["unit"] != "ps"] for found in (coarse, fine)]
    assert rows[0] == rows[1]


def test_what_takes_no_time_has_no_rate_no_power_and_no_use(cli: Callable[..., Result]) -> None:
    page = cli("run", "gemv-4096", "ideal-mac").stdout
    assert re.search(r"0 s +– +– +–\nper token +per token +tokens/s per user +tokens/s in total +average power\n", page)
    assert re.search(r"\ngemv +0 s +– ", page)
    assert "%" not in page.partition("Machine ──")[2].partition("\n\n")[0]
    result = json.loads(cli("run", "gemv-4096", "ideal-mac", "--format", "json").stdout)
    assert result["throughput"]["tokens_per_s"] is None
    assert (result["power"]["average_w"], result["power"]["per_device_w"]) == (None, None)
