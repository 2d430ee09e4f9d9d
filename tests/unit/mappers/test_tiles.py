"""Kernels beside products and plain attention: narrow types, chains, padding; by their bytes and delays."""

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest

from archsim.mappers.access import AccessSettings, Paths
from archsim.mappers.shares import Share
from archsim.mappers.tiles import Tiles
from archsim.mappers.traffic import Traffic
from archsim.model.machine import Machine
from archsim.model.stack import Stack
from archsim.model.taskgraph import Task
from archsim.model.trace import Attention, Convolution, Gemm, Operator, Scan, Tensor

MICROSECOND = 1_000_000
GEMM = {"tiles": [[64, 64]], "launch": "1 us"}


@pytest.fixture
def tasks(machine: Callable[..., Machine], paths: Paths) -> Callable[..., list[Task]]:
    """`tasks(operator, gemm={...})`: what a stack with these kernels makes of an operator."""

    def build(operator: Operator, **kernels: Any) -> list[Task]:
        stack = Stack.model_validate({"name": "s", "source": "test", **kernels})
        device = machine()
        tiles = Tiles(device, stack, Traffic(device, paths, AccessSettings(), 1.0, frozenset()))
        return list(tiles.tasks(Share(operator, Fraction(1)), tiles.kernels(operator), "decode"))

    return build


def moved(task: Task, component: str, action: str) -> int:
    legs = (leg for flow in task.flows for leg in flow.legs)
    return sum(leg.bill for leg in legs if (leg.component, leg.action) == (component, action))


def product() -> Operator:
    inputs, weights = Tensor("x", "activations", 6400, "bf16", 12800), Tensor("w", "weights", 10000, "bf16", 20000)
    result = Tensor("y", "activations", 6400, "bf16", 12800)
    return Operator("p", (inputs, weights), (result,), 640_000, "bf16", shape=Gemm(64, 100, 100))


def test_a_type_may_have_kernels_of_its_own(tasks: Callable[..., list[Task]]) -> None:
    (task,) = tasks(product(), gemm=GEMM, gemm_in={"bf16": {**GEMM, "launch": "3 us"}})
    assert task.launch == 3 * MICROSECOND


def test_activations_are_quantised_in_a_pass_before(tasks: Callable[..., list[Task]]) -> None:
    before, after = tasks(product(), gemm={**GEMM, "quantisation": {"reads": 4, "writes": 1, "launch": "2 us"}})
    assert (before.operator, before.launch, after.operator) == ("p_quantise", 2 * MICROSECOND, "p")
    assert moved(before, "hbm", "read") == 4 * 6400
    assert moved(before, "hbm", "write") == 6400


def test_results_may_be_wider_than_the_macs(tasks: Callable[..., list[Task]]) -> None:
    (task,) = tasks(product(), gemm={**GEMM, "results": "fp32"})
    assert moved(task, "hbm", "write") == 4 * 6400


def test_parts_of_a_split_reduction_are_added_by_a_kernel_after_them(tasks: Callable[..., list[Task]]) -> None:
    parts, sums = tasks(product(), gemm={**GEMM, "splits": [2], "split_cost": "2 us"})
    assert (parts.operator, parts.launch, sums.operator, sums.launch) == ("p", MICROSECOND, "p", 2 * MICROSECOND)
    partial = 2 * 4 * 6400
    assert (moved(parts, "xbar", "move"), moved(parts, "hbm", "write")) == (2 * 12800 + 20000 + partial, 0)
    assert (moved(sums, "xbar", "move"), moved(sums, "hbm", "write")) == (partial + 12800, 12800)
    assert moved(sums, "sm", "mac_bf16") == 0


def scan(tokens: int, *, prompt: bool) -> Operator:
    state = Tensor("h", "state", 1000, "fp32", 4000)
    return Operator("s", (), (state,), 1000, "bf16", shape=Scan(2, tokens, 6, 4, 10, 64, prompt=prompt))


def test_chunks_wait_for_each_other_beside_what_is_moved(tasks: Callable[..., list[Task]]) -> None:
    # 12 heads on 8 tiles: two waves of three chunks
    (task,) = tasks(scan(130, prompt=True), scan={"launch": "9 us", "wave": "2 us", "chunk": "3 us"})
    assert (task.launch, task.flows[1].fill) == (0, 2 * (2 + 3 * 3) * MICROSECOND)
    assert not task.flows[1].legs


@pytest.mark.parametrize(("prompt", "flows", "launch"), [(True, 2, 0), (False, 1, 9 * MICROSECOND)])
def test_one_token_is_a_step_or_a_short_prompt(
    tasks: Callable[..., list[Task]], prompt: bool, flows: int, launch: int
) -> None:
    (task,) = tasks(scan(1, prompt=prompt), scan={"launch": "9 us", "chunk": "3 us"})
    assert (len(task.flows), task.launch) == (flows, launch)


def test_states_that_a_prompt_leaves_move_after_the_last_chunk(tasks: Callable[..., list[Task]]) -> None:
    kernels = {"prompt": "4 us", "chunk": "3 us", "states": "2 GB/s"}
    (task,) = tasks(scan(130, prompt=True), scan=kernels)
    assert (task.launch, task.flows[1].fill) == (4 * MICROSECOND, (2 * 3 * 3 + 2) * MICROSECOND)  # 4000 B at 2 GB/s
    (step,) = tasks(scan(1, prompt=False), scan=kernels)
    assert len(step.flows) == 1


@pytest.mark.parametrize(("tokens", "worked"), [(3, 3), (300, 8)])
def test_the_tokens_of_a_block_wait_for_each_other_beside_what_is_moved(
    tasks: Callable[..., list[Task]], tokens: int, worked: int
) -> None:
    values = Tensor("x", "activations", 10 * tokens, "bf16", 20 * tokens)
    operator = Operator("c", (values,), (values,), vector_ops=600, shape=Convolution(1, tokens, 10, prompt=True))
    (task,) = tasks(operator, convolution={"launch": "2 us", "token": "100 ns", "chain": 8})
    assert (task.launch, task.flows[1].fill) == (
        2 * MICROSECOND,
        500_000 + worked * 100_000,
    )  # 500 ns from HBM to tiles


@pytest.mark.parametrize(("tokens", "slower"), [(16, 1), (20, 2)])
def test_sequences_of_odd_lengths_are_loaded_token_by_token(
    tasks: Callable[..., list[Task]], tokens: int, slower: int
) -> None:
    values = Tensor("x", "activations", 10_000 * tokens, "bf16", 20_000 * tokens)
    operator = Operator("c", (values,), (), vector_ops=0, shape=Convolution(1, tokens, 10_000, prompt=True))
    windows = {"window": "1000 B", "vector": 8, "single_window": "500 B"}
    (task,) = tasks(operator, convolution=windows)
    (plain,) = tasks(operator, convolution={"window": "1000 B"})
    assert task.flows[0].stall == slower * plain.flows[0].stall


def test_padded_sequences_are_moved(tasks: Callable[..., list[Task]]) -> None:
    values = Tensor("x", "activations", 3000, "bf16", 6000)
    operator = Operator("c", (values,), (values,), vector_ops=600, shape=Convolution(1, 300, 10, prompt=True))
    (task,) = tasks(operator, convolution={"pad": 512})
    assert moved(task, "hbm", "read") == 512 * 10 * 2
    assert moved(task, "sm", "vector") == 600 * 512 // 300
    assert len(task.flows) == 1


def prompt(queries: int) -> Operator:
    shape = Attention(1, queries, queries, heads=4, kv_heads=1, head_size=16, causal=True)
    keys = Tensor("kv", "kv", 2 * queries * 16, "bf16", 64 * queries)
    result = Tensor("y", "activations", 64 * queries, "bf16", 128 * queries)
    return Operator("a", (keys,), (result,), 64 * queries * (queries + 1), "bf16", shape=shape)


@pytest.mark.parametrize("queries", [2, 128, 2048])
def test_without_kernels_a_prompt_reads_each_key_and_value_once(tasks: Callable[..., list[Task]], queries: int) -> None:
    (task,) = tasks(prompt(queries))
    legs = [leg for flow in task.flows for leg in flow.legs]
    assert [leg.bill for leg in legs if (leg.component, leg.action, leg.tensor) == ("l2", "read", "kv")] == [
        64 * queries
    ]
    assert moved(task, "sm", "mac_bf16") == prompt(queries).macs


APPENDING = {"launch": "1 us", "rows": 64, "append": "1 ns", "token": "10 ns"}


def appended(queries: int, *inputs: Tensor) -> Operator:
    plain = prompt(queries)
    (keys,), (result,) = plain.reads, plain.writes
    return replace(plain, reads=(*inputs, keys), writes=(result, keys))


@pytest.mark.parametrize("together", [True, False])
def test_a_prompt_brings_its_keys_and_values_into_the_cache_first(
    tasks: Callable[..., list[Task]], together: bool
) -> None:
    # 100 tokens of 4 heads of queries and one of keys and values, 16 values each
    q = Tensor("q", "activations", 6400, "bf16", 12800)
    k, v = (replace(q, name=name, elements=1600, bytes=3200) for name in "kv")
    inputs = (Tensor("qkv", "activations", 9600, "bf16", 19200),) if together else (q, k, v)
    append, attend = tasks(appended(100, *inputs), prefill_attention=APPENDING)
    assert (append.operator, append.launch, append.flows[1].fill) == ("a", 0, 100 * (1_000 + 10_000))
    assert (moved(append, "hbm", "read"), moved(append, "hbm", "write")) == (6400, 6400)
    assert (attend.launch, moved(attend, "hbm", "read"), moved(attend, "hbm", "write")) == (MICROSECOND, 19200, 12800)


def test_what_another_kernel_appends_costs_a_prompt_nothing(tasks: Callable[..., list[Task]]) -> None:
    (task,) = tasks(prompt(100), prefill_attention=APPENDING)
    assert task.launch == MICROSECOND


def test_a_step_appends_within_its_kernel(tasks: Callable[..., list[Task]]) -> None:
    assert len(tasks(appended(1), prefill_attention=APPENDING)) == 1
