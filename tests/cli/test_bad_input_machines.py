"""Files that are each sound, and a machine or a pair that can't work."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

Refused = Callable[..., str]
MEM = "  mem: {between: [hbm, l2], bandwidth: 1 TB/s, energy: 10 pJ/B}\n"


def with_link(text: str) -> tuple[str, str]:
    return MEM, f"{MEM}  extra: {{{text}, bandwidth: 1 TB/s, energy: 1 pJ/B}}\n"


def with_bank(count: int) -> tuple[str, str]:
    bank = "kind: sram, capacity: 1 MiB, bandwidth: 1 GB/s, static: 0 W, energy: {read: 1 pJ/B, write: 1 pJ/B}"
    return "links:\n", f"  bank: {{count: {count}, {bank}}}\nlinks:\n"


def with_access(text: str) -> tuple[str, str]:
    return "tensor_parallel: 1\n", f"tensor_parallel: 1\n  access: {{{text}}}\n"


def test_two_roles_without_a_route_are_found_at_the_links(refused: Refused) -> None:
    stderr = refused("machine.yaml", (MEM, ""), culprit="links:")
    assert "no route from `hbm` to `sm`" in stderr


@pytest.mark.parametrize(
    ("text", "culprit", "says"),
    [
        ("weights: {path: [hbm, sm]}", "[hbm, sm]", "no route from `hbm` to `sm`"),
        ("kv: {path: [hbm, l3, sm]}", "[hbm, l3", "`l3` is no component on the graph"),
        ("kv: {path: [hbm, mem, sm]}", "[hbm, mem", "`mem` is no component on the graph"),
        ("inputs: {path: [hbm, l2]}", "{path: ^[hbm, l2]", "ends at compute tiles, not at `l2`"),
        ("outputs: {path: [hbm, l2, hbm, l2, sm]}", "[hbm, l2, hbm", "passes each memory once"),
        ("weights: {path: [sm, l2, sm]}", "[sm, l2", "passes each memory once"),
        ("weights: {path: [hbm]}", "[hbm]}", "must have at least 2 items"),
        ("weights: {fan: {l2: 0}}", "l2: ^0", "must be greater than 0"),
        ("weights: {reuse: some}", "some", "must be a whole number or one of all, kernel"),
    ],
)
def test_an_access_path_is_refused_where_it_is_written(refused: Refused, text: str, culprit: str, says: str) -> None:
    assert says in refused("machine.yaml", with_access(text), culprit=culprit)


@pytest.mark.parametrize("memory", ["l3", "mem", "sm"])
def test_intermediate_results_live_in_a_memory(refused: Refused, memory: str) -> None:
    edit = ("tensor_parallel: 1\n", f"activations: {memory}\n")
    assert f"names no memory: `{memory}`" in refused("machine.yaml", edit, culprit=f"activations: ^{memory}")


@pytest.mark.parametrize(
    ("edits", "culprit", "says"),
    [
        ([("between: [hbm, l2]", "between: [hbn, l2]")], "hbn", "`mem` joins `hbn`, which is no component"),
        ([("between: [hbm, l2]", "between: [hbm, l2, sm]")], "[hbm, l2, sm]", "must have at most 2 items"),
        ([("between: [hbm, l2]", "between: [hbm]")], "[hbm]", "must have at least 2 items"),
        ([("between: [hbm, l2]", "between: [hbm, hbm]")], "[hbm, hbm]", "say by which topology"),
        ([with_link("between: [l2, hbm]")], "[l2, hbm]", "`extra` joins what `mem` joins already"),
        ([with_link("between: [device, l2]")], "[device, l2]", "the whole machine, to a part of it"),
        ([with_link("between: [hbm, sm], topology: mesh")], "mesh", "`hbm` and `sm` are two"),
        ([with_link("between: [l2, l2], topology: ring")], "l2], topology: ^ring", "`l2` has 1"),
        ([with_bank(6), with_link("between: [bank, bank], topology: mesh")], "mesh", "6 instances of `bank`"),
        ([with_bank(6), with_link("between: [bank, bank], topology: torus, shape: [4, 2]")], "[4, 2]", "product is 6"),
        ([with_bank(6), with_link("between: [bank, bank], topology: mesh, shape: [6]")], "[6]", "[rows, columns]"),
        ([with_bank(2_000_000), with_link("between: [bank, bank], topology: line")], "line", "65,536 instances"),
        ([("  l2:\n    kind", "  device:\n    kind")], "  ^device:", "no component can be called `device`"),
        ([("  mem: {", "  l2: {")], "  ^l2: {", "`l2` names both a component and a link"),
    ],
)
def test_links_are_refused_where_they_join_badly(
    refused: Refused, edits: list[tuple[str, str]], culprit: str, says: str
) -> None:
    assert says in refused("machine.yaml", *edits, culprit=culprit)


def test_a_model_that_does_not_fit_says_by_how_much_and_what_would_help(refused: Refused) -> None:
    stderr = refused("machine.yaml", ("capacity: 64 MiB", "capacity: 5 MB"), culprit="  ^hbm:")
    # 4 layers x (2 x 512 x 512 + 512 x 512 + 2 x 512 + 3 x 512 x 1536) + 512 + 2 x 1000 x 512 values of 2 B;
    # KV of 2 sequences x 132 tokens x 4 layers x 2 x 256 values of 2 B
    weights, kv, capacity = (
        2 * (4 * (3 * 512**2 + 2 * 512 + 3 * 512 * 1536) + 512 + 2 * 1000 * 512),
        2 * 132 * 4096,
        10**7,
    )
    assert f"{weights / 1e6:.1f} MB weights + {kv / 1e6:.1f} MB kv in `hbm`, which holds 10.0 MB" in stderr
    assert f"{(weights + kv - capacity) / 1e6:.1f} MB too much" in stderr
    assert "devices: 4 with tensor_parallel: 4" in stderr
    assert f"weights in {1000 * (capacity - kv) // weights / 10:g} % of their bytes" in stderr


def test_the_devices_named_for_a_model_that_does_not_fit_are_enough(
    refused: Refused, run: Callable[..., Result]
) -> None:
    stderr = refused("machine.yaml", ("capacity: 64 MiB", "capacity: 5 MB"), culprit="  ^hbm:")
    assert "devices: 4 with tensor_parallel: 4" in stderr
    one_less = refused(
        "machine.yaml", ("devices: 1\n", "devices: 2\n"), ("parallel: 1", "parallel: 2"), culprit="  ^hbm:"
    )
    assert "does not fit" in one_less
    enough = run("machine.yaml", ("devices: 2\n", "devices: 4\n"), ("parallel: 2", "parallel: 4"))
    assert enough.exit_code == 0


def parallel(degree: int, devices: int) -> tuple[tuple[str, str], ...]:
    return ("devices: 1\n", f"devices: {devices}\n"), ("tensor_parallel: 1", f"tensor_parallel: {degree}")


def test_a_degree_that_does_not_divide_the_heads_gets_those_that_do(refused: Refused) -> None:
    stderr = refused("machine.yaml", *parallel(3, 3), culprit="tensor_parallel: ^3")
    assert "tensor_parallel 3 does not divide the model's 8 attention heads" in stderr
    assert "degrees that do: 1, 2, 4, 8\n" in stderr


def test_degrees_that_do_not_multiply_to_the_devices_are_refused(refused: Refused) -> None:
    stderr = refused("machine.yaml", *parallel(4, 2), culprit="tensor_parallel: ^4")
    assert "the degrees of parallelism multiply to 4, but `devices` is 2" in stderr


def test_devices_that_no_link_joins_cannot_share_work(refused: Refused) -> None:
    ring = "  ring: {between: [device, device], topology: ring, bandwidth: 100 GB/s, latency: 1 us, energy: 20 pJ/B}\n"
    stderr = refused("machine.yaml", *parallel(2, 2), (ring, ""), culprit="links:")
    assert "several devices share the work, but no link joins them" in stderr


def test_a_data_type_that_the_tiles_do_not_compute_gets_those_they_do(refused: Refused) -> None:
    edit = ("activations: bf16", "activations: fp8")
    stderr = refused("workload.yaml", edit, culprit="activations: ^fp8")
    assert "`sm` of small machine does not compute in `fp8`" in stderr
    assert "it computes `bf16`, `int8`" in stderr


CONFIG = {
    "architectures": ["LlamaForCausalLM"],
    "model_type": "llama",
    "hidden_size": 512,
    "intermediate_size": 1536,
    "num_attention_heads": 8,
    "num_hidden_layers": 4,
    "vocab_size": 1000,
}


WHOLE = '{\n "architectures'


@pytest.mark.parametrize(
    ("changes", "says", "culprit"),
    [
        ({"model_type": "ctrl"}, "unknown model_type `ctrl`; known: llama", '"model_type": ^"ctrl"'),
        ({"model_type": "ctrl", "hidden_size": None}, "the file also lacks hidden_size", '"model_type": ^"ctrl"'),
        ({"model_type": "gpt2"}, "`gpt2` is not read: its norms have biases", '"model_type": ^"gpt2"'),
        ({"hidden_size": None, "vocab_size": None}, "lacks hidden_size, vocab_size", WHOLE),
        ({"model_type": "mixtral"}, "a mixture of experts, which family `transformer`", '"model_type": ^"mixtral"'),
        ({"model_type": None, "architectures": "LamaForCausalLM"}, "unknown model_type `LamaForCausalLM`", '^"LamaFor'),
        ({"model_type": None, "architectures": []}, "unknown model_type `(none)`", WHOLE),
        ({"layer_types": ["full", "sliding"] * 2}, "layer_types differ", WHOLE),
        ({"num_key_value_heads": 3}, "8 is not a multiple of 3", WHOLE),
    ],
)
def test_a_published_config_that_is_no_dense_transformer_says_why(
    refused: Refused, small: Path, changes: dict[str, object], says: str, culprit: str
) -> None:
    (small / "config.json").write_text(json.dumps(CONFIG | changes, indent=1))
    edit = ("model: model.yaml", "model: config.json")
    assert says in refused("workload.yaml", edit, culprit=culprit, of="config.json")


@pytest.mark.parametrize(
    ("changes", "culprit", "says"),
    [
        ({"layer_types": ["full"]}, '"layer_types": ^[', "layer_types names 1 layers, and num_hidden_layers is 4"),
        ({"layer_types": [{"a": 1}, {"a": 2}]}, '"layer_types": ^[', "layer_types must be a list of names"),
        ({"layer_types": 3}, '"layer_types": ^3', "layer_types must be a list of names"),
        ({"max_window_layers": "x"}, '"x"', "max_window_layers must be a whole number"),
        ({"hidden_size": -512}, "-512", "hidden_size must be a whole number above 0"),
    ],
)
def test_a_value_of_a_published_config_is_refused_where_it_stands(
    refused: Refused, small: Path, changes: dict[str, object], culprit: str, says: str
) -> None:
    (small / "config.json").write_text(json.dumps(CONFIG | changes, indent=1))
    assert says in refused(
        "workload.yaml", ("model: model.yaml", "model: config.json"), culprit=culprit, of="config.json"
    )


TABLE = """\
schema: archsim.workload/1
name: a list
family: operators
operators: operators.csv
dtypes: {weights: bf16, kv: bf16, activations: bf16}
"""


@pytest.mark.parametrize(
    ("table", "culprit", "says"),
    [
        ("name,kind,n,k\na,gem,8,8\n", "gem", "unknown kind `gem`"),
        ("name,kind,n,k\na,gemm,8,eight\n", "eight", "must be a whole number"),
        ("name,kind,n,k\na,gemm,8,.nan\n", ".nan", "is not a finite number"),
        ("name,kind,n,k\na,gemm,8, -8\n", "-8", "must be greater than 0"),
        ('name,kind,n,k,inputs\n"a",gemm,8,8,"b c"\n', '"b c"', "`b` is no earlier operator"),
        ("name,kind,n,k\n\na,gemm,8\n", "a,gemm", "missing key `k`"),
        ("name,kind,n,k\na,gemm,8,8,9\n", ",8,8,^9", "5 cells under 4 headings"),
        ("name,kind,n,n\na,gemm,8,8\n", ",n,^n", "column `n` is there twice"),
        ('name,kind,n,k\n"a,gemm,8,8\n', '"a', "not valid CSV"),
        ("name,kind,n,k,m\na,gemm,8,8,1\na,gemm,8,8,2\n", "\n^a,gemm,8,8,2", "two operators are called `a`"),
        ("name,kind,n,k,q\na,gemm,8,8,1\n", "8,^1", "unknown key `q`"),
    ],
)
def test_a_table_is_refused_at_the_cell_that_is_wrong(
    refused: Refused, small: Path, table: str, culprit: str, says: str
) -> None:
    (small / "workload.yaml").write_text(TABLE)
    (small / "operators.csv").write_text(table)
    assert says in refused("workload.yaml", culprit=culprit, of="operators.csv")


def test_a_table_without_rows_is_refused(refused: Refused, small: Path) -> None:
    (small / "workload.yaml").write_text(TABLE)
    (small / "operators.csv").write_text("name,kind,n,k\n")
    assert "the list has no operators" in refused("workload.yaml", culprit="name,kind", of="operators.csv")


@pytest.mark.parametrize("degree", ["pipeline_parallel", "expert_parallel"])
def test_prompts_that_join_decode_steps_are_not_divided(cli: Callable[..., Result], degree: str) -> None:
    result = cli("run", "qwen3-30b-a3b-served", "dgx-h100", "--set", f"hardware.mapper.{degree}=2")
    assert result.exit_code == 2
    assert "whole prompts join the decode steps" in result.stderr
    assert "<--set #1>:1:" in result.stderr


@pytest.mark.parametrize(
    ("text", "culprit", "says"),
    [
        ("explicit: true", "true", "`explicit` asks for each of several devices by itself, and there is one"),
        ("variation: 0.6", "0.6", "must be at most 0.5"),
        ("stragglers: {slowdown: 0.5}", "0.5", "must be at least 1"),
        ("stragglers: {count: 0, slowdown: 2}", "0,", "must be greater than 0"),
        ("stragglers: {count: 1}", "stragglers", "missing key `slowdown`"),
    ],
)
def test_devices_that_cannot_be_unlike_are_found_where_they_are_said_to_be(
    refused: Refused, text: str, culprit: str, says: str
) -> None:
    edit = ("tensor_parallel: 1\n", f"tensor_parallel: 1\n  {text}\n")
    assert says in refused("machine.yaml", edit, culprit=text.replace(culprit, f"^{culprit}"))
