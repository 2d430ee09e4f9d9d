"""The workloads that travel with the package."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from archsim.config.document import data, load
from archsim.config.registry import Family
from archsim.config.shipped import shipped
from archsim.model.trace import Operator, Trace

WORKLOADS, MODELS = shipped("workloads"), shipped("workloads/models")
FAMILIES = Family("archsim.workloads", "archsim.workloads")
MODELINE = "# yaml-language-server: $schema=../schemas/workload.schema.json"


def fields(name: str) -> dict[str, Any]:
    """What the file says, with the content of its model file in place of the path."""
    given: dict[str, Any] = data(load(WORKLOADS[name]).root)
    if "model" in given:
        given["model"] = data(load(WORKLOADS[name].parent / given["model"]).root)
    return given


def traced(name: str, **changes: Any) -> Trace:
    given = {**fields(name), **changes}
    family = FAMILIES.get(given["family"])
    trace: Trace = family.trace(family.SPEC.model_validate(given))
    return trace


def read_bytes(trace: Trace, role: str) -> int:
    def of(operator: Operator) -> int:
        return sum(tensor.bytes for tensor in operator.reads if tensor.role == role)

    return sum(times * of(operator) for operator, _, times in trace.executions())


@pytest.mark.parametrize("name", WORKLOADS)
def test_every_shipped_workload_is_valid_and_asks_for_work(name: str) -> None:
    assert sum(times * operator.macs for operator, _, times in traced(name).executions()) > 0


@pytest.mark.parametrize("path", WORKLOADS.values(), ids=WORKLOADS)
def test_editors_find_the_schema_of_every_shipped_workload(path: Path) -> None:
    assert path.read_text(encoding="utf-8").startswith(f"{MODELINE}\n")


@pytest.mark.parametrize("path", MODELS.values(), ids=MODELS)
def test_every_shipped_model_is_one_of_exactly_one_family(path: Path) -> None:
    def takes(family: str) -> bool:
        shared = {key: item for key, item in fields("llama-3.1-8b-decode").items() if key != "prompt_tokens"}
        try:
            FAMILIES.get(family).SPEC.model_validate({**shared, "family": family, "model": data(load(path).root)})
        except ValidationError:
            return False
        return True

    assert sum(takes(family) for family in FAMILIES.kinds()) == 1


@pytest.mark.parametrize(
    ("prompt", "kv"), [(0, 0), (31_250, 5 * 10**10), (32_000, 51_200_000_000), (625_000, 10**12), (10**6, 16 * 10**11)]
)
def test_the_dense_model_reads_a_hundred_billion_weights_and_the_cache_that_is_asked_for(prompt: int, kv: int) -> None:
    trace = traced("dense-100b-decode", prompt_tokens=prompt)
    assert trace.parameters == read_bytes(trace, "weights") == 10**11
    assert read_bytes(trace, "kv") == kv


def test_the_dense_model_multiplies_each_weight_once() -> None:
    trace = traced("dense-100b-decode", prompt_tokens=0)
    assert sum(times * operator.macs for operator, _, times in trace.executions()) == 10**11


def test_the_default_prompt_of_the_dense_model_takes_fifty_gigabytes() -> None:
    assert read_bytes(traced("dense-100b-decode"), "kv") == 5 * 10**10


def test_one_matrix_vector_product_reads_its_matrix_once() -> None:
    trace = traced("gemv-4096")
    assert read_bytes(trace, "weights") == 4096 * 4096
    assert read_bytes(trace, "activations") == 4096
