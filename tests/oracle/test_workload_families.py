"""Published mixtures of experts, state-space models and hybrids against closed forms written down independently."""

from typing import Any

import pytest

from archsim.config.document import data, load
from archsim.config.registry import Family
from archsim.config.shipped import shipped
from archsim.model.trace import Experts, Trace

BF16 = {"weights": "bf16", "kv": "bf16", "activations": "bf16"}
FAMILIES = Family("archsim.workloads", "archsim.workloads")


def traced(family: str, name: str, **fields: Any) -> Trace:
    model = data(load(shipped("workloads/models")[name]).root)
    given = {"schema": "archsim.workload/1", "name": name, "family": family, "model": model, "dtypes": BF16}
    module = FAMILIES.get(family)
    found: Trace = module.trace(module.SPEC.model_validate({**given, **fields}))
    return found


def read(found: Trace, role: str) -> int:
    return sum(
        t.elements * times for operator, _, times in found.executions() for t in operator.reads if t.role == role
    )


def macs(found: Trace, *names: str) -> int:
    return sum(
        operator.macs * times for operator, _, times in found.executions() if not names or operator.name in names
    )


def held(found: Trace) -> dict[str, int]:
    return {str(resident.role): resident.bytes for resident in found.residents}


MIXTRAL_EXPERT, QWEN_EXPERT, DEEPSEEK_EXPERT = 3 * 4096 * 14336, 3 * 2048 * 768, 3 * 7168 * 2048
DEEPSEEK_ATTENTION = (
    7168 * 1536 + 1536 * 128 * (128 + 64)  # queries
    + 7168 * (512 + 64) + 512 * 128 * (128 + 128)  # keys and values
    + 128 * 128 * 7168  # output
)  # fmt: skip


@pytest.mark.parametrize(
    ("family", "name", "published"),
    [
        ("moe", "mixtral-8x7b", 46_702_792_704),
        ("moe", "qwen3-30b-a3b", 30_532_122_624),
        ("moe", "deepseek-v3", 671_026_419_200),
        ("ssm", "mamba-2-2.7b", 2_702_599_680),
        ("hybrid", "nemotron-nano-9b-v2", 8_888_227_328),
    ],
)
def test_parameters_are_those_published(family: str, name: str, published: int) -> None:
    found = traced(family, name)
    assert found.parameters == published
    assert held(found)["weights"] == 2 * published


def test_the_parameters_of_mixtral_are_eight_experts_and_the_rest() -> None:
    layer = 2 * 4096**2 + 2 * 4096 * 1024 + 2 * 4096 + 8 * 4096 + 8 * MIXTRAL_EXPERT
    assert 32 * layer + 2 * 32000 * 4096 + 4096 == 46_702_792_704


def test_the_parameters_of_deepseek_v3_follow_from_its_dimensions() -> None:
    attention = DEEPSEEK_ATTENTION + 1536 + 512 + 2 * 7168
    sparse = 257 * DEEPSEEK_EXPERT + 256 * 7168 + 256
    layers = 61 * attention + 3 * 3 * 7168 * 18432 + 58 * sparse
    assert layers + 2 * 129280 * 7168 + 7168 == 671_026_419_200


def test_the_parameters_of_mamba_2_follow_from_its_dimensions() -> None:
    inner, channels, heads = 5120, 5120 + 2 * 128, 80
    layer = 2560 * (inner + channels + heads) + channels * (4 + 1) + 3 * heads + inner + inner * 2560 + 2560
    assert 64 * layer + 50288 * 2560 + 2560 == 2_702_599_680


def test_the_parameters_of_nemotron_nano_follow_from_its_dimensions() -> None:
    inner, channels = 128 * 80, 128 * 80 + 2 * 8 * 128
    mamba = 4480 * (inner + channels + 128) + channels * 5 + 3 * 128 + inner + inner * 4480 + 4480
    attention = 4480 * (40 + 2 * 8) * 128 + 40 * 128 * 4480 + 4480
    total = 27 * mamba + 25 * (2 * 4480 * 15680 + 4480) + 4 * attention + 2 * 131072 * 4480 + 4480
    assert total == 8_888_227_328
    assert total == pytest.approx(8.89e9, rel=1e-3)


@pytest.mark.parametrize(
    ("name", "active", "inactive", "published"),
    [
        ("mixtral-8x7b", 12_879_925_248, 32 * 6 * MIXTRAL_EXPERT, 12.9e9),
        ("qwen3-30b-a3b", 3_353_032_704, 48 * 120 * QWEN_EXPERT, 3.3e9),
        ("deepseek-v3", 37_552_297_472, 58 * 248 * DEEPSEEK_EXPERT, 37e9),
    ],
)
def test_one_token_reads_the_weights_that_are_published_as_active(
    name: str, active: int, inactive: int, published: float
) -> None:
    found = traced("moe", name, prompt_tokens=10)
    row = {"mixtral-8x7b": 4096, "qwen3-30b-a3b": 2048, "deepseek-v3": 7168}[name]
    table = {"mixtral-8x7b": 32000, "qwen3-30b-a3b": 151936, "deepseek-v3": 129280}[name]
    assert read(found, "weights") + (table - 1) * row == active == found.parameters - inactive
    assert active == pytest.approx(published, rel=0.02)


@pytest.mark.parametrize(
    ("family", "name", "per_token"),
    [
        ("moe", "mixtral-8x7b", 32 * 2 * 8 * 128 * 2),
        ("moe", "qwen3-30b-a3b", 48 * 2 * 4 * 128 * 2),
        ("moe", "deepseek-v3", 70_272),  # 61 layers x 576 values x 2 B: the published 70 KB
        ("ssm", "mamba-2-2.7b", 0),
        ("hybrid", "nemotron-nano-9b-v2", 4 * 2 * 8 * 128 * 2),
    ],
)
def test_a_cached_token_takes_its_published_bytes(family: str, name: str, per_token: int) -> None:
    sizes = [held(traced(family, name, prompt_tokens=n)).get("kv", 0) for n in (100, 101)]
    assert sizes[1] - sizes[0] == per_token
    assert 2 * read(traced(family, name, prompt_tokens=99), "kv") == 100 * per_token


def test_deepseek_v3_multiplies_every_active_weight_once_and_attends_in_latent_space() -> None:
    dense = 61 * DEEPSEEK_ATTENTION + 3 * 3 * 7168 * 18432 + 129280 * 7168
    sparse = 58 * (9 * DEEPSEEK_EXPERT + 256 * 7168)
    attention = 61 * 128 * 1001 * (576 + 512)
    assert macs(traced("moe", "deepseek-v3", prompt_tokens=1000, batch=3)) == 3 * (dense + sparse + attention)


def test_64_sequences_touch_87_percent_of_the_experts_of_deepseek_v3() -> None:
    found = traced("moe", "deepseek-v3", batch=64, output_tokens=2)
    drawn = [
        operator.shape.loads
        for operator, _, _ in found.executions()
        if operator.name == "experts_down" and isinstance(operator.shape, Experts)
    ]
    touched = sum(load > 0 for loads in drawn for load in loads) / (len(drawn) * 256)
    assert len(drawn) == 2 * 58
    assert touched == pytest.approx(0.869, abs=0.005)
    down = 7168 * 2048
    assert (
        sum(
            t.elements * times
            for operator, _, times in found.executions()
            for t in operator.reads
            if t.name == "experts_down.weight"
        )
        == round(touched * len(drawn) * 256) * down
    )


def test_the_state_of_mamba_2_is_84_mb_per_sequence_in_half_precision() -> None:
    state, inputs = 64 * 80 * 64 * 128, 64 * 3 * (5120 + 256)
    for dtype, size in (("bf16", 2), ("fp32", 4)):
        found = traced("ssm", "mamba-2-2.7b", batch=4, state=dtype)
        assert held(found)["state"] == 4 * (state * size + inputs * 2)
    assert state * 2 == pytest.approx(84e6, rel=0.01)


def test_a_step_of_mamba_2_reads_and_writes_its_whole_state() -> None:
    found = traced("ssm", "mamba-2-2.7b", batch=2)
    scans = [(operator, times) for operator, _, times in found.executions() if operator.name == "scan"]
    moved = sum(
        t.bytes * times for operator, times in scans for t in (*operator.reads, *operator.writes) if t.role == "state"
    )
    assert moved == 2 * 2 * 64 * 80 * 64 * 128 * 4
    assert macs(found, "scan") == 2 * 3 * 64 * 80 * 64 * 128


def test_a_prompt_of_mamba_2_is_scanned_as_its_authors_count() -> None:
    # Dao and Gu 2024, section 6: with chunk, head and state sizes of one magnitude N, the work of a token is of order
    # N^2 per head. Whole chunks of 256 tokens, one group, 80 heads of 64, states of 128.
    tokens, chunk, heads, size, state = 2048, 256, 80, 64, 128
    within = tokens * chunk * (state + heads * size)
    between = 2 * tokens * heads * size * state + tokens // chunk * heads * size * state
    found = traced("ssm", "mamba-2-2.7b", prompt_tokens=tokens, prompt_cached=False)
    assert macs(found, "scan") == 64 * (within + between)


def test_nemotron_nano_keeps_142_mb_of_state_in_full_precision() -> None:
    state = 27 * 128 * 80 * 128 * 4
    inputs = 27 * 3 * (128 * 80 + 2 * 8 * 128) * 2
    assert held(traced("hybrid", "nemotron-nano-9b-v2"))["state"] == state + inputs
    assert state == pytest.approx(142e6, rel=0.01)
