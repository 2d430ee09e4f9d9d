"""Experts on tiles: blocks by tokens, padding, and what a stack's kernels take of memory and add to the products."""

from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any

import pytest

from archsim.mappers.access import AccessSettings, Paths
from archsim.mappers.expert_kernels import grouped
from archsim.mappers.kernels import even
from archsim.mappers.shares import Share
from archsim.mappers.temporal import Temporal, plan
from archsim.mappers.traffic import Traffic
from archsim.model.kernel_table import ExpertKernels
from archsim.model.machine import Machine, assemble
from archsim.model.price import Ratio
from archsim.model.stack import Stack
from archsim.model.taskgraph import Task
from archsim.model.trace import Block, Experts, Operator, Tensor, Trace

Build = Callable[..., Machine]

N, K = 4096, 4096
WEIGHTS = 8 * N * K * 2
BANDWIDTH, L2 = 200e9, 400e9
BLOCKS = ExpertKernels.model_validate({"switch": 2, "small": {"rows": 16}, "large": {"rows": 64}})


def product(scales: int = 0, dtype: Any = "bf16") -> Operator:
    """One row for each of eight experts: memory alone decides."""
    weights = Tensor("up.weight", "weights", 8 * N * K, "bf16", WEIGHTS + scales)
    given, made = (Tensor(name, "activations", 8 * N, "bf16", 16 * N) for name in ("rows", "up"))
    return Operator("up", (given, weights), (made,), 8 * N * K, dtype, shape=Experts((1,) * 8, N, K), shards="experts")


def worn(machine: Machine, share: float) -> Machine:
    """The same, but its memory sustains that share of its peak."""
    efficiency = Ratio(value=share, low=share, high=share, grade="assumed", source="test")
    hbm = machine.components["hbm"].model_copy(update={"efficiency": efficiency})
    return assemble(machine.name, machine.boundary, machine.devices, {**machine.components, "hbm": hbm})


def planned(machine: Machine, experts: Mapping[str, Any]) -> list[Task]:
    stack = Stack.model_validate({"name": "s", "source": "test", "experts": {"window": "unlimited", **experts}})
    trace = Trace((Block((product(),), "decode"),), (), 0)
    graph = plan(trace, machine, Temporal(kind="temporal"), stack, 1).graph
    return [task for segment in graph.segments for task in segment.tasks]


def seconds(machine: Machine, experts: Mapping[str, Any]) -> float:
    return planned(machine, experts)[-1].alone * 1e-12


@pytest.mark.parametrize(("top_k", "load", "rows"), [(1, 2, 16), (1, 3, 64), (4, 8, 16), (4, 9, 64)])
def test_blocks_are_small_up_to_so_many_tokens_per_expert(top_k: int, load: int, rows: int) -> None:
    # a token of top_k experts has as many rows: 8 experts with 8 rows each of top 4 have two tokens per expert
    assert grouped(Experts((load,) * 8, N, K, top_k), BLOCKS, 8).text == f"blocks of {rows} rows"


def test_rows_are_padded_expert_by_expert() -> None:
    found = grouped(Experts((17, 1, 0, 0, 0, 0, 0, 0), N, K, top_k=4), BLOCKS, 8)
    assert found.issued == (32 + 16) * N * K


@pytest.mark.parametrize("knee", [2, 4])
def test_what_streams_through_l2_is_no_leg_beside_memory(knee: int, machine: Build) -> None:
    sharp, soft = (seconds(machine(), given) for given in ({}, {"knee": knee}))
    assert soft == pytest.approx(sharp, rel=2e-3)  # as a leg of its own L2 would add 12 % at 2, 1.5 % at 4
    assert sharp == pytest.approx(WEIGHTS / BANDWIDTH, rel=2e-3)


@pytest.mark.parametrize(("supply", "gain"), [(1.15, 1.15), (1.3, 1.25)])
def test_a_block_may_get_more_of_memory_than_matrix_products_do_up_to_its_peak(
    supply: float, gain: float, machine: Build
) -> None:
    usual, more = (seconds(worn(machine(), 0.8), {"small": {"supply": given}}) for given in (1, supply))
    assert usual / more == pytest.approx(gain, rel=2e-3)


def test_activations_are_made_narrow_before_each_product(machine: Build) -> None:
    before, after = planned(machine(), {"quantisation": {"launch": "2 us"}})
    assert (before.operator, after.operator) == ("up_quantise", "up")
    assert before.launch == 2_000_000


def test_weights_with_scales_have_kernels_of_their_own_where_a_stack_knows_them() -> None:
    kernels = {"experts": {"launch": "1 us"}, "experts_in": {"fp8": {"launch": "2 us"}}}
    both = Stack.model_validate({"name": "s", "source": "t", **kernels, "experts_scaled": {"fp8": {"launch": "3 us"}}})
    plain, scaled, wide = product(dtype="fp8"), product(scales=8, dtype="fp8"), product(scales=8)
    assert [both.experts_of(each).launch for each in (plain, scaled, wide)] == [2_000_000, 3_000_000, 1_000_000]
    one = Stack.model_validate({"name": "s", "source": "t", **kernels})
    assert one.experts_of(scaled).launch == 2_000_000


def test_a_move_keeps_the_run_of_its_operand(machine: Build, paths: Paths) -> None:
    access = AccessSettings.model_validate({"weights": {"run": "64 B"}})
    traffic = Traffic(machine(), paths, access, 1.0, frozenset())
    moves = traffic.moves(Share(product(), Fraction(1)), even(8 * N * K, 8))
    assert [move.run for move in moves if move.tensor == "weights"] == [64, None]
