"""In every family the labels of a step tie it together: nothing runs beside the layer that it belongs to."""

import pytest

from archsim.config.document import data, load
from archsim.config.registry import Family
from archsim.config.shipped import shipped
from archsim.model.trace import Operator, Trace

NAMES = [
    *("llama-3.1-8b-decode", "mixtral-8x7b-decode", "deepseek-v3-decode"),
    *("mamba-2-2.7b-decode", "mamba-2-2.7b-prefill", "nemotron-nano-9b-v2-decode"),
]


def step(name: str, **fields: object) -> list[Operator]:
    path = shipped("workloads")[name]
    given = data(load(path).root)
    given |= {"model": data(load(path.parent / given["model"]).root), "output_tokens": 1, "batch": 2, **fields}
    family = Family("archsim.workloads", "archsim.workloads").get(given["family"])
    found: Trace = family.trace(family.SPEC.model_validate(given))
    return [operator for block in found.blocks for _ in range(block.times) for operator in block.operators]


def reached(operators: list[Operator]) -> set[int]:
    """The operators on which the last one depends, itself included."""
    makers: dict[str, int] = {}
    needs: list[set[int]] = []
    for index, operator in enumerate(operators):
        needs.append({makers[tensor.name] for tensor in operator.reads if tensor.name in makers})
        makers |= {tensor.name: index for tensor in operator.writes}
    found, waiting = set[int](), [len(operators) - 1]
    while waiting:
        if (index := waiting.pop()) not in found:
            found.add(index)
            waiting += needs[index]
    return found


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("cached", [True, False])
def test_a_token_depends_on_every_operator_of_its_step(name: str, cached: bool) -> None:
    operators = step(name, prompt_cached=cached, prompt_tokens=64)
    needed = reached(operators)
    idle = {operator.name for index, operator in enumerate(operators) if index not in needed}
    expanded = name == "deepseek-v3-decode" and not cached  # such a prompt sees its own keys and values, not the cache
    assert idle == ({"kv_append"} if expanded else set())


@pytest.mark.parametrize("name", NAMES)
def test_a_tensor_that_is_read_is_never_larger_than_what_was_written_but_for_routed_rows(name: str) -> None:
    written: dict[str, int] = {}
    larger = set()
    for operator in step(name, prompt_tokens=64):
        for tensor in operator.reads:
            if tensor.role == "activations" and tensor.elements > written.get(tensor.name, tensor.elements):
                larger.add((operator.name, tensor.name))
        written |= {tensor.name: tensor.elements for tensor in operator.writes}
    assert larger <= {("experts_gate_up", "normed")}
