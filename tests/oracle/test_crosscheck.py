"""Small machines on which other simulators were run: the same machine and access policy give the same books.

AccelForge 1.0.467 (float32 totals), ZigZag 3.9.1 and Timeloop (2022-12), on machines described in full in toy-xm*.yaml
and tpu-v4i.yaml. Agreement proves the bookkeeping, not the physics.
"""

import csv
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

from archsim.model.result import Result
from archsim.study.running import run

DATA = Path(__file__).parent / "data"
ZIGZAG_AND_TIMELOOP = 1e-9
ACCELFORGE = 1e-8


class Case(NamedTuple):
    """A GEMV on a machine: pJ and ps as computed there, and how exact the tools' own figures are."""

    hardware: str
    sets: tuple[str, ...]
    energy: float
    picoseconds: float
    tolerance: float = ZIGZAG_AND_TIMELOOP


N14336 = ("workload.operators.0.n=14336",)
HBM_BOUND, HBM_BOUND_14336 = 5_010_569.6, 17_533_937.0
CASES = {
    "XM1-4096": Case("toy-xm1", (), 823585669.12, HBM_BOUND),
    "XM1-14336": Case("toy-xm1", N14336, 2882130001.92, HBM_BOUND_14336),
    "XM2-4096": Case("toy-xm2", (), 756493189.12, HBM_BOUND),
    "XM2-14336": Case("toy-xm2", N14336, 2647306321.92, HBM_BOUND_14336),
    "XM2-4096-B8": Case("toy-xm2", ("workload.batch=8",), 1236884520.96, 5_027_687.2),
    "XM2-8x8": Case("toy-xm2-8x8", (), 727133061.12, HBM_BOUND),
    "XM3-4096": Case("toy-xm3", (), 689384325.12, HBM_BOUND),
    "XM4-4096": Case("toy-xm4", (), 689367941.12, HBM_BOUND),
    "TPU4I-GEMV-4096": Case("tpu-v4i", (), 946612207.616, 27_337_798.05),
}
OTHER_TOOLS = {  # the printed totals of each tool
    "XM1-4096": (("AccelForge", 823585669.446, ACCELFORGE),),
    "XM1-14336": (("AccelForge", 2882130001.240, ACCELFORGE),),
    "XM2-4096": (("AccelForge", 756493189.714, ACCELFORGE), ("ZigZag", 756493189.12, ZIGZAG_AND_TIMELOOP)),
    "XM2-14336": (("AccelForge", 2647306322.179, ACCELFORGE), ("ZigZag", 2647306321.92, ZIGZAG_AND_TIMELOOP)),
    "XM2-4096-B8": (("AccelForge", 1236884524.507, ACCELFORGE),),
    "XM2-8x8": (("ZigZag", 727133061.12, ZIGZAG_AND_TIMELOOP),),
    "XM3-4096": (("AccelForge", 689384325.714, ACCELFORGE),),
    "XM4-4096": (("Timeloop", 689367900.0, 1e-7),),  # printed with seven digits
    "TPU4I-GEMV-4096": (("AccelForge", 946612207.599, ACCELFORGE),),
}
ACTIONS = {  # which rows of AccelForge's action table belong to a case: machine, M, N
    "XM1-4096": ("xm1", "1", "4096"),
    "XM1-14336": ("xm1", "1", "14336"),
    "XM2-4096": ("xm2", "1", "4096"),
    "XM2-14336": ("xm2", "1", "14336"),
    "XM2-4096-B8": ("xm2", "8", "4096"),
    "XM3-4096": ("xm3", "1", "4096"),
    "TPU4I-GEMV-4096": ("tpu_v4i", "1", "4096"),
}
COMPONENTS = {"HBM": "hbm", "MainMemory": "hbm", "SRAM": "sram", "GlobalBuffer": "glb", "LocalBuffer": "lb"}
TENSORS = {"A": "inputs", "W": "weights", "Z": "outputs"}

LAYER = """
schema: archsim.workload/1
name: one layer of Llama-3-8B
family: transformer
model: {name: one layer, layers: 1, hidden: 4096, feed_forward: 14336, heads: 32, kv_heads: 8, vocabulary: 128256}
batch: 1
prompt_tokens: 2048
prompt_cached: true
output_tokens: 1
dtypes: {weights: bf16, kv: bf16, activations: bf16}
without: [norms, rotary, residuals, embedding, head, kv_append]
"""
EINSUMS = {  # AccelForge's einsums by the operator that does them here
    "qkv": ("V", "K", "Q"),
    "attention": ("QK", "QK_softmax", "AV"),
    "attn_out": ("Z",),
    "gate_up": ("FFG", "FFU"),
    "down": ("FFB",),
}


@cache
def result(case: str) -> Result:
    return run("gemv-4096", CASES[case].hardware, CASES[case].sets).result


def actions(case: str) -> dict[tuple[str, str, str], tuple[int, float]]:
    """Bytes and pJ of memory actions by component, action and tensor, as AccelForge counts them in bits."""
    machine, m, n = ACTIONS[case]
    with (DATA / "accelforge_gemv_actions.csv").open(encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if (row["machine"], row["M"], row["N"]) == (machine, m, n)]
    return {
        (COMPONENTS[row["component"]], row["action"], TENSORS[row["tensor"]]): (
            int(row["count"]) // 8,
            float(row["energy_pJ"]),
        )
        for row in rows
        if row["component"] in COMPONENTS and int(row["count"])
    }


@pytest.mark.parametrize("case", CASES)
def test_energy_is_the_closed_form(case: str) -> None:
    assert result(case).energy.value * 1e12 == pytest.approx(CASES[case].energy, rel=1e-12)


@pytest.mark.parametrize(
    ("case", "tool", "energy", "tolerance"),
    [(case, *figure) for case, figures in OTHER_TOOLS.items() for figure in figures],
)
def test_energy_is_what_another_tool_says(case: str, tool: str, energy: float, tolerance: float) -> None:
    assert result(case).energy.value * 1e12 == pytest.approx(energy, rel=tolerance), tool


@pytest.mark.parametrize("case", CASES)
def test_latency_is_that_of_the_busiest_memory(case: str) -> None:
    assert 0 <= result(case).run.picoseconds - CASES[case].picoseconds < 1.0


@pytest.mark.parametrize("case", ACTIONS)
def test_every_memory_access_is_in_accelforges_table_and_no_other(case: str) -> None:
    memory = [entry for entry in result(case).entries if entry.row.action in ("read", "write")]
    places = [(entry.row.component, entry.row.action, entry.row.tensor) for entry in memory]
    expected = actions(case)
    assert sorted(places) == sorted(expected)
    for place, entry in zip(places, memory, strict=True):
        assert (entry.row.count, entry.picojoules) == pytest.approx(expected[place], rel=1e-12)


@pytest.mark.parametrize("case", ACTIONS)
def test_macs_are_those_of_the_product(case: str) -> None:
    _, m, n = ACTIONS[case]
    macs = [entry.row.count for entry in result(case).entries if entry.row.action.startswith("mac_")]
    assert macs == [int(m) * 4096 * int(n)]


@pytest.fixture(scope="module")
def layer(tmp_path_factory: pytest.TempPathFactory) -> Result:
    path = tmp_path_factory.mktemp("layer") / "layer.yaml"
    path.write_text(LAYER, encoding="utf-8")
    return run(str(path), "tpu-v4i").result


def einsums() -> dict[str, tuple[float, float]]:
    """pJ and us of each einsum."""
    with (DATA / "accelforge_llama3_8b_layer.csv").open(encoding="utf-8") as file:
        rows = csv.DictReader(line for line in file if not line.startswith("#"))
        return {row["einsum"]: (float(row["energy_pj"]), float(row["latency_us"])) for row in rows}


def test_a_decoder_layer_reads_the_same_bytes_of_memory(layer: Result) -> None:
    reads = [entry.row for entry in layer.entries if (entry.row.component, entry.row.action) == ("hbm", "read")]
    assert sum(row.count for row in reads if row.tensor in ("weights", "kv")) == 444_596_224
    assert {row.tensor for row in reads} <= {"weights", "kv", "inputs"}


def test_a_decoder_layer_takes_the_same_energy_and_time(layer: Result) -> None:
    assert layer.energy.value * 1e12 == pytest.approx(25_065_913_311, rel=3e-3)
    assert layer.latency.total_s == pytest.approx(7.27672768e-04, rel=1e-2)


@pytest.mark.parametrize("operator", EINSUMS)
def test_each_operator_takes_the_energy_and_time_of_its_einsums(layer: Result, operator: str) -> None:
    # Attention differs by 2.3 %: there the scores pass through the buffers, here they stay in the tile.
    energy, latency = (sum(part) for part in zip(*(einsums()[name] for name in EINSUMS[operator]), strict=True))
    [time] = [line.time_s for line in layer.operators if line.operator == operator]
    assert layer.by("operator")[operator] * 1e12 == pytest.approx(
        energy, rel=0.025 if operator == "attention" else 3e-4
    )
    assert time * 1e6 == pytest.approx(latency, rel=1e-2)
