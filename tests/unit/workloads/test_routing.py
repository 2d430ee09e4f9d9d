"""Which experts tokens go to: sums, laws, seeds, and traces that do not fit."""

import time
from itertools import permutations
from random import Random
from statistics import fmean
from typing import Any

import pytest
from pydantic import TypeAdapter

from archsim.config.diagnostics import UnplacedError
from archsim.workloads.routing import Router, Routing, check, draw, power_law

UNIFORM = {"kind": "uniform"}


def routing(given: dict[str, Any]) -> Routing:
    found: Routing = TypeAdapter(Routing).validate_python(given)
    return found


def router(given: dict[str, Any], experts: int = 256, top_k: int = 8, seed: int = 0) -> Router:
    return Router(routing(given), experts, top_k, seed)


def traced(*loads: list[int]) -> dict[str, Any]:
    rows = [
        {"layer": layer, "expert": expert, "load": load}
        for layer, of_layer in enumerate(loads)
        for expert, load in enumerate(of_layer)
    ]
    return {"kind": "trace", "file": rows}


@pytest.mark.parametrize("given", [UNIFORM, {"kind": "power_law", "exponent": 1.2}, traced([3, 1] * 128)])
@pytest.mark.parametrize("tokens", [1, 5, 64])
def test_every_token_takes_its_experts_and_none_twice(given: dict[str, Any], tokens: int) -> None:
    loads = router(given).loads(0, 0, tokens)
    assert sum(loads) == 8 * tokens
    assert max(loads) <= tokens


def test_where_all_experts_are_taken_all_get_every_token() -> None:
    assert router({"kind": "power_law"}, experts=8, top_k=8).loads(0, 0, 5) == (5,) * 8


def test_a_seed_repeats_its_draws() -> None:
    assert router(UNIFORM, seed=7).loads(3, 5, 16) == router(UNIFORM, seed=7).loads(3, 5, 16)


@pytest.mark.parametrize(("seed", "step", "layer"), [(1, 0, 0), (0, 1, 0), (0, 0, 1)])
def test_seeds_steps_and_layers_are_drawn_each_for_itself(seed: int, step: int, layer: int) -> None:
    assert router(UNIFORM, seed=seed).loads(step, layer, 16) != router(UNIFORM).loads(0, 0, 16)


def test_sixty_four_tokens_touch_87_percent_of_256_experts() -> None:
    touched = [sum(load > 0 for load in router(UNIFORM).loads(0, layer, 64)) / 256 for layer in range(200)]
    assert fmean(touched) == pytest.approx(1 - (1 - 8 / 256) ** 64, abs=0.005)  # its deviation is 0.001


def test_experts_are_taken_by_popularity_among_those_left() -> None:
    popularity = (5, 3, 2)
    orders = list(permutations(range(3), 2))
    chance = {order: popularity[order[0]] / 10 * popularity[order[1]] / (10 - popularity[order[0]]) for order in orders}
    expected = [sum(chance[order] for order in orders if expert in order) for expert in range(3)]
    loads = draw(popularity, 2, 40_000, Random(0))
    assert [load / 40_000 for load in loads] == pytest.approx(expected, abs=0.01)  # four deviations


def test_a_power_law_falls_with_the_rank() -> None:
    ranked = sorted(power_law(1.5, 16, Random(0)), reverse=True)
    assert [found / ranked[0] for found in ranked] == pytest.approx([rank**-1.5 for rank in range(1, 17)], rel=1e-6)


def test_a_power_law_of_exponent_zero_is_uniform() -> None:
    assert len(set(power_law(0, 256, Random(0)))) == 1


def test_the_popular_experts_of_a_layer_stay_and_those_of_layers_differ() -> None:
    def favourite(step: int, layer: int) -> int:
        loads = router({"kind": "power_law", "exponent": 3}, experts=64, top_k=1).loads(step, layer, 500)
        return loads.index(max(loads))

    assert len({favourite(step, 0) for step in range(5)}) == 1
    assert len({favourite(0, layer) for layer in range(5)}) > 1


def test_a_trace_of_as_many_rows_is_replayed() -> None:
    found = router(traced([4, 4, 4, 4], [8, 6, 2, 0]), experts=4, top_k=2)
    assert [found.loads(step, 1, 8) for step in range(2)] == [(8, 6, 2, 0)] * 2
    assert found.loads(0, 0, 8) == (4, 4, 4, 4)


def test_any_other_trace_is_a_popularity() -> None:
    loads = router(traced([700, 300, 1000, 0]), experts=4, top_k=1).loads(0, 0, 4000)
    assert [load / 4000 for load in loads] == pytest.approx([0.35, 0.15, 0.5, 0], abs=0.03)
    assert loads[3] == 0


def refusal(given: dict[str, Any], layers: range = range(2)) -> UnplacedError:
    with pytest.raises(UnplacedError) as raised:
        check(routing(given), layers, 3, 2)
    return raised.value


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([[1, 1, 1], [1, 1, 1], [1, 1, 1]], "row 7 of the routing trace: layer 2 has no experts"),
        ([[1, 1, 1, 1], [1, 1, 1]], "row 4 of the routing trace: there is no expert 3"),
    ],
)
def test_a_row_that_fits_nowhere_is_named(rows: list[list[int]], words: str) -> None:
    error = refusal(traced(*rows))
    assert words in str(error)
    assert error.at == ("routing", "file", int(words.split()[1]) - 1)


def test_a_row_that_is_there_twice_is_named() -> None:
    given = traced([1, 1, 1], [1, 1, 1])
    error = refusal({**given, "file": [*given["file"], given["file"][4]]})
    assert "row 7 of the routing trace: expert 1 of layer 1 has two rows" in str(error)


def test_a_row_that_is_missing_is_named() -> None:
    assert "no row for layer 1, expert 2" in str(refusal(traced([1, 1, 1], [1, 1])))


def test_dense_layers_have_no_rows() -> None:
    assert "layers that have: 1 to 1" in str(refusal(traced([1, 1, 1], [1, 1, 1]), range(1, 2)))


def test_a_trace_must_load_as_many_experts_as_a_token_takes() -> None:
    assert "loads 1 experts of layer 0, and each token takes 2" in str(refusal(traced([9, 0, 0], [1, 1, 1])))


@pytest.mark.parametrize("given", [UNIFORM, {"kind": "power_law"}, {"kind": "power_law", "exponent": 4}])
def test_a_large_batch_of_all_layers_is_drawn_in_a_second(given: dict[str, Any]) -> None:
    found = router(given)
    start = time.process_time()
    for layer in range(58):
        found.loads(0, layer, 512)
    assert time.process_time() - start < 1  # takes 0.3 s
