"""How operands reach the tiles and results leave them: bytes by formula, paths by name."""

from collections.abc import Callable, Iterable
from typing import Any

import pytest

from archsim.mappers.access import AccessSettings, Paths, describe, fetch, from_home, resolve, store
from archsim.model.machine import Machine
from archsim.model.plan import PlanError
from archsim.model.request import Move

PATH = ("hbm", "glb", "lb", "mxu")
Build = Callable[..., Machine]


def hops(moves: Iterable[Move]) -> list[tuple[str, str, int]]:
    return [(move.source, move.target, move.bytes) for move in moves]


def test_an_operand_is_copied_down_its_path_and_its_last_memory_read_as_often_as_asked() -> None:
    moves = fetch("weights", PATH, size=100, last=700, fan={})
    assert hops(moves) == [("hbm", "glb", 100), ("glb", "lb", 100), ("lb", "mxu", 700)]
    assert {move.tensor for move in moves} == {"weights"}
    assert not any(move.posted for move in moves)


def test_copies_multiply_from_where_they_are_written() -> None:
    moves = fetch("inputs", PATH, size=100, last=700, fan={"glb": 2, "lb": 4})
    assert hops(moves) == [("hbm", "glb", 200), ("glb", "lb", 800), ("lb", "mxu", 700)]


def test_a_stream_past_all_memories_is_one_move() -> None:
    assert hops(fetch("weights", ("hbm", "mxu"), size=100, last=100, fan={})) == [("hbm", "mxu", 100)]


def test_a_finished_sum_is_written_once_and_drained_home() -> None:
    moves = store("outputs", PATH, size=100, touches=1)
    assert hops(moves) == [("mxu", "lb", 100), ("lb", "glb", 100), ("glb", "hbm", 100)]
    assert all(move.posted for move in moves)


@pytest.mark.parametrize("touches", [2, 32, 4096])
def test_a_partial_sum_skips_its_first_read(touches: int) -> None:
    moves = store("outputs", PATH, size=100, touches=touches)
    assert hops(moves)[:2] == [("mxu", "lb", 100 * touches), ("lb", "mxu", 100 * (touches - 1))]
    read = sum(move.bytes for move in moves if move.source == "lb")
    written = sum(move.bytes for move in moves if move.target == "lb")
    assert read == written == 100 * touches


def test_a_path_starts_where_a_tensor_lives() -> None:
    assert from_home(PATH, "lb") == ("lb", "mxu")
    assert from_home(PATH, "hbm") == PATH
    assert from_home(("hbm", "mxu"), "glb") == ("glb", "mxu")


def test_paths_follow_the_graph_where_none_is_given(machine: Build, paths: Paths) -> None:
    assert resolve(AccessSettings(), None, machine()) == paths


def test_dram_is_home_even_where_a_cache_is_larger(machine: Build) -> None:
    assert resolve(AccessSettings(), None, machine(capacity="1 kB")).main == "hbm"


def given(role: str, *path: str) -> AccessSettings:
    return AccessSettings.model_validate({role: {"path": path}})


@pytest.mark.parametrize(
    ("role", "path", "text"),
    [
        ("weights", ("hbm", "l3", "sm"), "`l3` is no component"),
        ("kv", ("hbm", "mem", "sm"), "`mem` is no component on the graph"),
        ("inputs", ("hbm", "l2"), "ends at compute tiles, not at `l2`"),
        ("outputs", ("hbm", "sm"), "no route from `hbm` to `sm`"),
        ("weights", ("hbm", "l2", "l2", "sm"), "passes each memory once"),
    ],
)
def test_a_path_that_is_none_is_refused_where_it_stands(
    machine: Build, role: str, path: tuple[str, ...], text: str
) -> None:
    with pytest.raises(PlanError, match=text) as caught:
        resolve(given(role, *path), None, machine())
    assert caught.value.where == ("hardware", "mapper", "access", role, "path")


@pytest.mark.parametrize("name", ["l3", "sm", "xbar"])
def test_activations_live_in_a_memory(machine: Build, name: str) -> None:
    with pytest.raises(PlanError, match=f"`{name}`") as caught:
        resolve(AccessSettings(), name, machine())
    assert caught.value.where == ("hardware", "mapper", "activations")


def test_a_machine_in_two_parts_is_refused(machine: Build) -> None:
    with pytest.raises(PlanError, match="no route from `hbm` to `sm`"):
        resolve(AccessSettings(), None, machine(without="mem"))


@pytest.mark.parametrize("setting", [{"reuse": 0}, {"fan": {"l2": 0}}, {"path": ["sm"]}, {"reuse": "some"}])
def test_a_setting_that_means_nothing_is_refused(setting: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="weights"):
        AccessSettings.model_validate({"weights": setting})


def test_the_settings_are_printed_with_their_paths(machine: Build) -> None:
    settings = AccessSettings.model_validate({"inputs": {"fan": {"l2": 4}, "reuse": 128}, "outputs": {"reduction": 8}})
    text = dict(describe(settings, resolve(settings, None, machine())))
    assert text["inputs"] == "hbm > l2 > sm, reuse 128, fan 4 at l2"
    assert text["outputs"] == "hbm > l2 > sm, reduction 8"
