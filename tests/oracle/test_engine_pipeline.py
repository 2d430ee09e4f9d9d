"""A pipeline with exclusive stages, bounded buffers and bounded sequences, against a recursion over its items."""

import pytest

from archsim.engine.simulate import simulate
from archsim.model.taskgraph import TICKS, Flow, Port, Segment, Task, TaskGraph

EVEN = (500,) * 8
UNEVEN = (310, 500, 90, 777, 500, 20, 640, 333)


def pipeline(times: tuple[int, ...], items: int, in_flight: int, slots: int) -> TaskGraph:
    last = len(times) - 1
    tasks = tuple(
        Task(
            f"stage{n}",
            "decode",
            (Flow((), (own - 7) * TICKS, ((Port(f"stage{n}", "run"), (own - 7) * TICKS),), fill=3, drain=4),),
            after=(f"out{n - 1}",) if n else (),
            makes=(f"out{n}",),
            takes=(
                (f"stage{n}", 1),
                *((("sequence", 1),) if n == 0 else ()),
                *(((f"slot{n}", 1),) if n < last else ()),
            ),
            gives=(
                (f"stage{n}", 1),
                *((("sequence", 1),) if n == last else ()),
                *(((f"slot{n - 1}", 1),) if n else ()),
            ),
        )
        for n, own in enumerate(times)
    )
    buffers = [("sequence", in_flight)] + [(f"stage{n}", 1) for n in range(last + 1)]
    return TaskGraph((Segment(tasks, items),), (*buffers, *((f"slot{n}", slots) for n in range(last))))


def recursion(times: tuple[int, ...], items: int, in_flight: int, slots: int) -> int:
    last = len(times) - 1
    end: dict[tuple[int, int], int] = {}
    for item in range(items):
        for stage, own in enumerate(times):
            frees = [(item, stage - 1), (item - 1, stage)]
            frees += [(item - in_flight, last)] if stage == 0 else []
            frees += [(item - slots, stage + 1)] if stage < last else []
            end[item, stage] = own + max(end.get(free, 0) for free in frees)
    return end[items - 1, last]


@pytest.mark.parametrize("times", [EVEN, UNEVEN])
@pytest.mark.parametrize(("in_flight", "slots"), [(1, 1), (2, 1), (3, 2), (8, 1), (8, 2), (16, 4), (64, 64)])
def test_a_pipeline_equals_the_recursion_over_its_items(times: tuple[int, ...], in_flight: int, slots: int) -> None:
    run = simulate(pipeline(times, 100, in_flight, slots))
    assert run.picoseconds == recursion(times, 100, in_flight, slots)


@pytest.mark.parametrize("times", [EVEN, UNEVEN])
def test_one_sequence_in_flight_takes_the_sum_of_the_stages(times: tuple[int, ...]) -> None:
    assert simulate(pipeline(times, 25, 1, 1)).picoseconds == 25 * sum(times)


def test_a_full_pipeline_is_paced_by_its_slowest_stage() -> None:
    assert simulate(pipeline(UNEVEN, 25, 64, 64)).picoseconds == sum(UNEVEN) + 24 * max(UNEVEN)


def test_a_steady_pipeline_is_skipped_by_arithmetic() -> None:
    graph = pipeline(UNEVEN, 100_000, 8, 2)
    run = simulate(graph, max_events=10_000)
    assert run.picoseconds == recursion(UNEVEN, 100_000, 8, 2)
