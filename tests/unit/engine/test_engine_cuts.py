"""Where a program can be cut: one task ends, all later ones wait for it, and no credit is out."""

import pytest

from archsim.engine.cuts import stretches
from archsim.engine.errors import EventLimit
from archsim.engine.simulate import simulate
from archsim.model.taskgraph import TICKS, Flow, Port, Segment, Task, TaskGraph

Credit = tuple[tuple[str, int], ...]


def task(name: str, after: str = "", makes: str = "", takes: Credit = (), gives: Credit = (), own: int = 10) -> Task:
    flow = Flow((), own * TICKS, ((Port("p", "run"), own * TICKS),))
    return Task(name, "decode", (flow,), 0, tuple(after), tuple(makes), takes, gives)


def cut(*segments: Segment) -> list[tuple[str, int]]:
    """The operators of each stretch, whole segments with their times, and how often it happens."""
    found = []
    for stretch in stretches(segments):
        whole = ["".join(t.operator for t in segment.tasks) * segment.times for segment in stretch.before]
        found.append(("".join((*whole, *(t.operator for t in stretch.tasks))), stretch.times))
    return found


def test_a_stream_is_cut_at_every_task() -> None:
    layer = (task("a", "s", "s"), task("b", "s", "s"))
    assert cut(Segment((task("e", "", "s"),)), Segment(layer, 80)) == [("e", 1), ("a", 80), ("b", 80)]


def test_branches_belong_together_up_to_where_they_meet() -> None:
    layer = (task("a", "s", "s"), task("x", "s", "l"), task("y", "s", "r"), task("j", "lr", "s"))
    assert cut(Segment(layer, 3)) == [("a", 3), ("xyj", 3)]


def test_a_task_that_waits_for_nothing_leaves_no_cut_before_it() -> None:
    free = task("f", "", "f")
    assert cut(Segment((task("a", "s", "s"), free, task("b", "sf", "s")))) == [("afb", 1)]
    assert cut(Segment((task("a", "s", "s"),)), Segment((free,)), Segment((task("b", "sf", "s"),))) == [("afb", 1)]


def test_what_nobody_waits_for_may_still_run_so_nothing_after_it_is_cut() -> None:
    assert cut(Segment((task("a", "s", "s"), task("k", "s"), task("b", "s", "s")))) == [("a", 1), ("kb", 1)]


def test_a_prefetch_over_the_end_of_an_iteration_leaves_no_cut_there() -> None:
    layer = (task("p", "", "w"), task("a", "sw", "s"))
    assert cut(Segment(layer, 4), Segment((task("h", "s", "s"),))) == [("papapapa", 1), ("h", 1)]


def test_there_is_no_cut_while_a_credit_is_out() -> None:
    held: Credit = (("x", 1),)
    layer = (task("a", "s", "s", takes=held), task("b", "s", "s"), task("c", "s", "s", gives=held), task("d", "s", "s"))
    assert cut(Segment(layer, 2)) == [("abc", 2), ("d", 2)]


def test_credits_that_iterations_keep_add_up() -> None:
    taking = Segment((task("a", "s", "s", takes=(("x", 1),)),), 3)
    giving = Segment((task("b", "s", "s", gives=(("x", 2),)),))
    assert cut(taking, giving, Segment((task("c", "s", "s"),))) == [("aaabc", 1)]


def test_the_first_iteration_stands_by_itself_where_it_alone_meets_what_came_before() -> None:
    layer = (task("a", "s", "s"), task("b", "sf", "s"))
    assert cut(Segment((task("f", "", "f"),)), Segment(layer, 3)) == [("fab", 1), ("a", 2), ("b", 2)]


def test_equal_pieces_are_simulated_once_whatever_they_are_called() -> None:
    once = simulate(TaskGraph((Segment((task("a", "s", "s"),)),))).events
    several = Segment((task("a", "s", "s"), task("b", "s", "s"), task("c", "s", "s")), 1000)
    assert simulate(TaskGraph((several,))).events == once


def test_only_what_differs_is_simulated_in_each_token() -> None:
    def token(context: int) -> tuple[Segment, ...]:
        attention = task("attention", "s", "s", own=context)
        return (Segment((task("qkv", "s", "s"), attention, task("out", "s", "s", own=7)), 80, "token"),)

    one, two = (simulate(TaskGraph(sum(map(token, range(100, 100 + n)), ()))).events for n in (1, 2))
    many = simulate(TaskGraph(sum(map(token, range(100, 200)), ())))
    assert many.events == one + 99 * (two - one)
    assert len(many.marks) == 100
    assert many.picoseconds == sum(80 * (17 + context) for context in range(100, 200))


def test_the_bound_on_events_holds_for_all_pieces_together() -> None:
    tasks = tuple(task("t", "s", "s", own=own) for own in range(1, 100))
    with pytest.raises(EventLimit, match="after 50 events"):
        simulate(TaskGraph((Segment(tasks),)), max_events=50)


def test_a_program_of_which_no_piece_comes_again_is_played_as_a_whole() -> None:
    def different(number: int) -> TaskGraph:
        return TaskGraph((Segment(tuple(task("t", "s", "s", own=own) for own in range(1, number + 1))),))

    few, many = simulate(different(4000)), simulate(different(9000))
    assert (few.picoseconds, many.picoseconds) == (4000 * 4001 // 2, 9000 * 9001 // 2)
    assert (few.events, many.events) == (4000, 9000)
