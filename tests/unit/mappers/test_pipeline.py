"""Sequences in a pipeline: against the closed form alone, and against a recursion over items when they meet."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archsim.engine.simulate import simulate
from archsim.mappers.pipeline import Passage, Stage, pipeline
from archsim.model.taskgraph import Segment, Task, TaskGraph

Times = tuple[int, ...]

EVEN, UNEVEN = (500,) * 8, (310, 500, 90, 777, 500, 20, 640, 333)
LINKS = (40, 7, 300, 12, 1, 0, 60, 25)


def passage(stages: Times, links: Times, closes: str = "token") -> Passage:
    places = [
        Stage(str(n), (Task(f"stage{n}", "decode", (), own),), (Task(f"link{n}", "decode", (), way),))
        for n, (own, way) in enumerate(zip(stages, links, strict=True))
    ]
    return Passage(tuple(places), closes)


def built(stages: Times, links: Times, batch: int, in_flight: int, buffers: int = 2, tokens: int = 5) -> TaskGraph:
    return pipeline([passage(stages, links)] * tokens, batch, in_flight, buffers)


def recursion(stages: Times, links: Times, items: int, in_flight: int, buffers: int) -> int:
    last = len(stages) - 1
    stage_end: dict[tuple[int, int], int] = {}
    link_end: dict[tuple[int, int], int] = {}
    for item in range(items):
        for n, (own, way) in enumerate(zip(stages, links, strict=True)):
            came = link_end[item, n - 1] if n else link_end.get((item - in_flight, last), 0)
            free = stage_end.get((item - 1, n), 0)
            room = link_end.get((item - buffers, n), 0)
            stage_end[item, n] = own + max(came, free, room)
            taken = stage_end.get((item - buffers, n + 1), 0) if n < last else 0
            link_end[item, n] = way + max(stage_end[item, n], link_end.get((item - 1, n), 0), taken)
    return link_end[items - 1, last]


@pytest.mark.parametrize("stages", [EVEN, UNEVEN])
def test_one_sequence_takes_the_sum_of_stages_and_links(stages: Times) -> None:
    assert simulate(built(stages, LINKS, 1, 1)).picoseconds == 5 * (sum(stages) + sum(LINKS))


@pytest.mark.parametrize("stages", [EVEN, UNEVEN])
def test_one_in_flight_is_as_slow_as_one_alone(stages: Times) -> None:
    assert simulate(built(stages, LINKS, 6, 1)).picoseconds == 6 * simulate(built(stages, LINKS, 1, 1)).picoseconds


@pytest.mark.parametrize("stages", [EVEN, UNEVEN])
@pytest.mark.parametrize(("in_flight", "buffers"), [(2, 1), (3, 2), (8, 1), (8, 2), (16, 4), (32, 2)])
def test_sequences_in_flight_equal_the_recursion_over_items(stages: Times, in_flight: int, buffers: int) -> None:
    run = simulate(built(stages, LINKS, 32, in_flight, buffers))
    assert run.picoseconds == recursion(stages, LINKS, 5 * 32, in_flight, buffers)


def test_a_full_pipeline_gives_a_token_per_slowest_stage() -> None:
    marks = [mark.at for mark in simulate(built(UNEVEN, LINKS, 64, 64)).marks]
    assert [after - before for before, after in pairwise(marks)] == [64 * max(UNEVEN)] * 4


def test_a_slow_link_paces_the_pipeline_as_a_stage_does() -> None:
    marks = [mark.at for mark in simulate(built((100, 100, 100), (10, 900, 10), 16, 16)).marks]
    assert marks[-1] - marks[-2] == 16 * 900


def test_one_buffer_holds_a_stage_up_while_its_result_crosses() -> None:
    marks = [mark.at for mark in simulate(built((100, 100, 100), (30, 30, 30), 16, 16, buffers=1)).marks]
    assert marks[-1] - marks[-2] == 16 * 130


def test_equal_stages_of_one_sequence_stand_once() -> None:
    task, way = Task("layer", "decode", (), 10), Task("way", "decode", (), 1)
    stages = tuple(Stage(str(n), (task,), (way,)) for n in range(7))
    graph = pipeline([Passage(stages, "token")], 1, 1)
    assert [(segment.times, segment.closes) for segment in graph.segments] == [(7, "token")]


def test_each_passage_is_closed_once() -> None:
    graph = pipeline([passage((5, 6), (1, 1), "prompt"), passage((5, 6), (1, 1))], 3, 2)
    assert [mark.what for mark in simulate(graph).marks] == ["prompt", "token"]


def test_a_pass_comes_by_a_place_once() -> None:
    twice = Passage((Stage("a", (Task("x", "decode", (), 10),)), Stage("a", (Task("y", "decode", (), 10),))))
    with pytest.raises(ValueError, match="twice"):
        pipeline([twice], 8, 8)


times = st.lists(st.integers(1, 1000), min_size=1, max_size=5).map(tuple)


@given(times, st.integers(0, 300), st.integers(2, 12), st.integers(1, 3))
def test_more_room_never_hurts(stages: Times, way: int, in_flight: int, buffers: int) -> None:
    links = (way,) * len(stages)

    def takes(in_flight: int, buffers: int) -> int:
        return simulate(built(stages, links, 12, in_flight, buffers, tokens=2)).picoseconds

    assert takes(in_flight, buffers) >= takes(in_flight, buffers + 1)
    assert takes(in_flight - 1, buffers) >= takes(in_flight, buffers)


@pytest.mark.parametrize(("batch", "in_flight", "buffers"), [(4, 5, 2), (4, 0, 2), (4, 2, 0)])
def test_impossible_pipelines_are_refused(batch: int, in_flight: int, buffers: int) -> None:
    with pytest.raises(ValueError, match="in flight"):
        pipeline([passage((1,), (1,))], batch, in_flight, buffers)


def test_a_stage_does_something() -> None:
    with pytest.raises(ValueError, match="without tasks"):
        pipeline([Passage((Stage("a", ()),))], 1, 1)


def test_segments_of_many_are_the_passes_of_all() -> None:
    graph = built((1, 2), (0, 0), 3, 2, tokens=2)
    assert [(segment.times, len(segment.tasks)) for segment in graph.segments] == [(3, 4)] * 2
    assert all(isinstance(segment, Segment) for segment in graph.segments)
