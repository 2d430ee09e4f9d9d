"""One kernel of a row, timed by itself."""

from collections.abc import Mapping

import pytest

from archsim.config.diagnostics import UnplacedError
from archsim.study.validating.kinds import kernel
from archsim.study.validating.kinds.kernel import KernelSettings

BF16 = {"weights": "bf16", "kv": "bf16", "activations": "bf16"}
GEMM = {"kind": "gemm", "name": "gemm", "m": "$m", "n": 4096, "k": 4096}
EXCHANGE = {"kind": "collective", "name": "x", "operation": "all_reduce", "bytes": "$bytes B"}
EXPERTS = {"kind": "experts", "name": "e", "tokens": 8, "experts": 64, "top_k": 4, "hidden": 1024, "inner": 512}


def settings(entry: Mapping[str, object], **more: object) -> KernelSettings:
    return KernelSettings.model_validate({"hardware": "h100-sxm", "dtypes": BF16, "entry": entry, **more})


def test_it_has_the_bytes_and_macs_that_were_asked_for() -> None:
    found = kernel.predict(settings(GEMM), {"m": 16})
    assert found.macs == 16 * 4096**2
    assert found.bytes == 2 * (4096**2 + 2 * 16 * 4096)
    assert found.unit == "us"


def test_a_text_may_hold_a_cell() -> None:
    small, large = (kernel.predict(settings(EXCHANGE, devices=2), {"bytes": size}).value for size in (2**20, 2**28))
    assert small < large


def test_an_empty_cell_leaves_the_default() -> None:
    entry = {**EXPERTS, "routing": "$routing"}
    assert kernel.predict(settings(entry), {}) == kernel.predict(settings(entry), {"routing": "balanced"})


def test_values_within_a_value_may_be_cells() -> None:
    entry = {**EXPERTS, "weights": {"dtype": "bf16", "group": "$group"}}
    plain, scaled = (kernel.predict(settings(entry), row) for row in ({}, {"group": 128}))
    assert scaled.bytes - plain.bytes == 32 * (1024 * 8 + 1024 * 4) * 2  # fp16 scales of the 32 experts that have rows


def test_drawn_loads_are_averaged_over_seeds() -> None:
    entry = {**EXPERTS, "routing": "power_law_loads"}
    once, often = (kernel.predict(settings(entry, draws=draws), {}).value for draws in (1, 6))
    assert once != often


def test_a_constant_of_another_stack_may_be_set() -> None:
    at = [
        kernel.predict(settings(GEMM, stack="vllm-hopper", sets=(f"stack.gemm.launch={launch}us",)), {"m": 16}).value
        for launch in (1, 3)
    ]
    assert at[1] - at[0] == pytest.approx(2)


def test_a_row_that_is_no_entry_is_refused_by_name() -> None:
    with pytest.raises(UnplacedError, match=r"m: .*greater than 0"):
        kernel.check(settings(GEMM), {"m": 0})


def test_another_stack_takes_other_times() -> None:
    own, ideal = (kernel.predict(settings(GEMM, stack=stack), {"m": 16}).value for stack in ("", "ideal"))
    assert ideal < own
