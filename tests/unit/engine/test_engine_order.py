from collections.abc import Generator
from itertools import permutations

import pytest
from simpy import Event

from archsim.engine.errors import Deadlock, EventLimit
from archsim.engine.kernel import Clock
from archsim.engine.simulate import simulate
from archsim.model.run import STATIC, Mark, Span
from archsim.model.taskgraph import TICKS, Flow, Leg, Port, Segment, Task, TaskGraph

Credit = tuple[tuple[str, int], ...]


def task(  # noqa: PLR0913, PLR0917 - a test names only what it asks about
    name: str,
    own: int,
    after: tuple[str, ...] = (),
    makes: tuple[str, ...] = (),
    takes: Credit = (),
    gives: Credit = (),
    launch: int = 0,
) -> Task:
    flow = Flow((), own * TICKS, ((Port(name, "run"), own * TICKS),))
    return Task(name, "decode", (flow,), launch, after, makes, takes, gives)


def test_a_label_waits_for_its_maker() -> None:
    segment = Segment((task("a", 10, makes=("x",)), task("b", 5, after=("x",))))
    assert simulate(TaskGraph((segment,))).picoseconds == 15


def test_a_label_that_nobody_makes_is_ready() -> None:
    assert simulate(TaskGraph((Segment((task("a", 10, after=("kv",)),)),))).picoseconds == 10


def test_a_label_means_its_latest_earlier_maker() -> None:
    tasks = (task("slow", 100, makes=("x",)), task("fast", 10, makes=("x",)), task("user", 5, after=("x",)))
    graph = TaskGraph((Segment(tasks[:2]), Segment(tasks[2:], closes="user")))
    assert simulate(graph).marks == (Mark("user", 15),)


def test_a_task_named_twice_as_maker_is_waited_for_once() -> None:
    segment = Segment((task("a", 10, makes=("x", "y")), task("b", 5, after=("x", "y", "x"))))
    assert simulate(TaskGraph((segment,))).picoseconds == 15


def test_labels_chain_iterations_and_segments() -> None:
    graph = TaskGraph(
        (
            Segment((task("embed", 7, makes=("h",)),)),
            Segment((task("layer", 10, ("h",), ("h",)),), times=4),
            Segment((task("head", 3, ("h",)),), closes="token"),
        )
    )
    assert simulate(graph).marks == (Mark("token", 50),)


def test_tasks_without_labels_in_common_overlap_across_iterations() -> None:
    assert simulate(TaskGraph((Segment((task("a", 10),), times=2),))).picoseconds == 20  # its port is shared
    independent = (task("a", 10), task("b", 10))
    assert simulate(TaskGraph((Segment(independent),))).picoseconds == 10


def test_an_exclusive_stage_serves_one_after_the_other() -> None:
    stage: Credit = (("stage", 1),)
    graph = TaskGraph((Segment((task("a", 10, takes=stage, gives=stage),), 3, "all"),), (("stage", 1),))
    run = simulate(graph)
    assert (run.picoseconds, run.marks) == (30, (Mark("all", 30),))


def test_credits_are_taken_together_or_not_at_all() -> None:
    both: Credit = (("x", 1), ("y", 1))
    first = task("first", 10, takes=(("x", 1),), gives=(("x", 1),))
    second = task("second", 10, takes=both, gives=both)
    third = task("third", 4, takes=(("y", 1),), gives=(("y", 1),))
    graph = TaskGraph((Segment((first, second, third)),), (("x", 1), ("y", 1)))
    assert simulate(graph).picoseconds == 20  # third has y while second waits for x


def test_credits_of_one_buffer_named_twice_add_up() -> None:
    twice: Credit = (("x", 1), ("x", 1))
    tasks = (task("a", 10, takes=twice, gives=twice), task("b", 5, takes=twice, gives=twice))
    assert simulate(TaskGraph((Segment(tasks),), (("x", 3),))).picoseconds == 15


def test_who_asks_first_is_served_first() -> None:
    one: Credit = (("x", 1),)
    tasks = (
        task("holder", 100, takes=one, gives=one),
        task("delay", 50, makes=("delayed",)),
        task("late", 10, after=("delayed",), takes=one, gives=one),
        task("early", 20, makes=("served",), takes=one, gives=one),
        task("tail", 1000, after=("served",)),
    )
    assert simulate(TaskGraph((Segment(tasks),), (("x", 1),))).picoseconds == 1120


@pytest.mark.parametrize("launches", list(permutations((0, 3, 10))))
def test_ties_follow_program_order_whenever_they_were_scheduled(launches: tuple[int, ...]) -> None:
    one: Credit = (("x", 1),)
    makers = tuple(task(f"m{n}", 10 - launch, makes=(f"{n}",), launch=launch) for n, launch in enumerate(launches))
    users = [task(f"u{n}", 5, after=(f"{n}",), takes=one, gives=one) for n in range(3)]
    segments = (Segment(makers), *(Segment((user,), closes=user.operator) for user in users))
    marks = simulate(TaskGraph(segments, (("x", 1),))).marks
    assert marks == (Mark("u0", 15), Mark("u1", 20), Mark("u2", 25))


def test_a_deadlock_says_who_waits_for_what() -> None:
    one: Credit = (("buf", 1),)
    tasks = (
        task("produce.0", 5, makes=("a",), takes=one),
        task("produce.1", 5, makes=("b",), takes=one),
        task("join", 5, after=("a", "b"), gives=(("buf", 2),)),
    )
    with pytest.raises(Deadlock) as caught:
        simulate(TaskGraph((Segment(tasks),), (("buf", 1),)))
    assert "produce.1[0] waits for 1 of buffer buf; join[0] waits for produce.1[0]" in str(caught.value)


def test_a_deadlock_after_a_skip_names_the_true_iteration() -> None:
    segments = (
        Segment((task("layer", 10, ("h",), ("h",)),), times=50),
        Segment((task("head", 1, after=("h",), takes=(("buf", 2),)),), times=1),
    )
    with pytest.raises(Deadlock, match=r"head\[0\] waits for 2 of buffer buf"):
        simulate(TaskGraph(segments, (("buf", 1),)))


def test_giving_more_than_was_taken_is_refused() -> None:
    with pytest.raises(ValueError, match=r"a\[0\] gives more of buffer x"):
        simulate(TaskGraph((Segment((task("a", 1, gives=(("x", 1),)),)),), (("x", 1),)))


def test_an_unknown_buffer_is_refused() -> None:
    with pytest.raises(ValueError, match="a uses buffer nowhere"):
        simulate(TaskGraph((Segment((task("a", 1, takes=(("nowhere", 1),)),)),)))


def test_an_unknown_fidelity_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match="'tlie'; known: flow"):
        simulate(TaskGraph(()), fidelity="tlie")


def test_events_can_be_bounded() -> None:
    graph = TaskGraph((Segment((task("a", 10, ("x",), ("x",)),), 1000),))
    with pytest.raises(EventLimit, match="after 100 events"):
        simulate(graph, max_events=100, repeats=False)
    assert simulate(graph, max_events=100).picoseconds == 10_000


def test_what_would_take_a_billion_events_is_refused_before_it_starts() -> None:
    graph = TaskGraph((Segment((task("a", 10), task("b", 7)), 10**9),))
    with pytest.raises(EventLimit, match="refused: about 6,000,000,000 events"):
        simulate(graph)


def test_a_bound_lets_a_program_start_that_may_repeat() -> None:
    graph = TaskGraph((Segment((task("a", 10, takes=(("x", 1),), gives=(("x", 1),)),), 10**9),), (("x", 1),))
    assert simulate(graph, max_events=10**6).picoseconds == 10**10


def test_tasks_that_wait_for_each_other_wait_for_the_turn_before() -> None:
    turn = (task("a", 10, after=("y",), makes=("x",)), task("b", 5, after=("x",), makes=("y",)))
    assert simulate(TaskGraph((Segment(turn, 3),))).picoseconds == 45  # labels name earlier tasks: there is no cycle


def test_credits_that_block_each_other_in_a_circle_are_named() -> None:
    x, y = (("x", 1),), (("y", 1),)
    tasks = (
        task("left", 5, makes=("l",), takes=x),
        task("right", 5, makes=("r",), takes=y),
        task("then right", 5, after=("l",), takes=y, gives=(*x, *y)),
        task("then left", 5, after=("r",), takes=x, gives=(*x, *y)),
    )
    with pytest.raises(Deadlock) as caught:
        simulate(TaskGraph((Segment(tasks),), (("x", 1), ("y", 1))))
    circle = "deadlock: then right[0] waits for 1 of buffer y; then left[0] waits for 1 of buffer x"
    assert str(caught.value) == circle


def test_an_empty_graph_takes_no_time() -> None:
    run = simulate(TaskGraph((Segment(()), Segment((task("a", 1),), times=0))))
    assert (run.picoseconds, dict(run.counts), dict(run.held), run.marks) == (0, {}, {}, ())


def test_counts_and_busy_are_completions_times_bills() -> None:
    port = Port("hbm", "rw")
    flow = Flow((Leg("hbm", "read", "weights", 100, 20, 5),), 10 * TICKS, ((port, 10 * TICKS),), lead=100)
    one, other = Task("a", "decode", (flow,), after=("h",), makes=("h",)), Task("a", "prefill", (flow, flow))
    run = simulate(TaskGraph((Segment((one,), 40), Segment((one,)), Segment((other,)))))
    assert {(key.operator, key.phase, key.action): count for key, count in run.counts.items()} == {
        ("a", "decode", "read"): 4100,
        ("a", "prefill", "read"): 200,
    }
    assert run.busy == {port: 43 * 10 * TICKS}


def test_time_is_held_by_the_earliest_started_task() -> None:
    tasks = (
        task("prefetch", 30, takes=(("x", 1),)),
        task("compute", 10, gives=(("x", 1),), launch=2),
        task("after", 5, takes=(("x", 1),), gives=(("x", 1),)),
    )
    run = simulate(TaskGraph((Segment(tasks),), (("x", 1),)))
    assert run.held == {Span("prefetch", "decode"): 30}


def test_held_time_passes_to_the_next_started_task() -> None:
    run = simulate(TaskGraph((Segment((task("first", 10), task("second", 25), task("third", 40))),)))
    assert run.held == {
        Span("first", "decode"): 10,
        Span("second", "decode"): 15,
        Span("third", "decode"): 15,
    }


def test_an_earlier_task_takes_over_when_it_starts() -> None:
    gate = task("gate", 10, makes=("x",))
    early, late = task("early", 20, after=("x",)), task("late", 50)
    run = simulate(TaskGraph((Segment((gate, early, late)),)))
    assert [run.held[Span(name, "decode")] for name in ("gate", "early", "late")] == [10, 20, 20]


def test_static_names_time_in_which_nothing_runs() -> None:
    assert Span(STATIC, "") not in simulate(TaskGraph((Segment((task("a", 10, ("x",), ("x",)),), 5),))).held


def test_a_process_that_fails_ends_the_run_with_its_own_error() -> None:
    def failing(clock: Clock) -> Generator[Event, None, None]:
        yield clock.timeout(3)
        raise ArithmeticError("no pace")

    clock = Clock()
    clock.process(failing(clock))
    with pytest.raises(ArithmeticError, match="no pace"):
        clock.play([1], 100)
    assert clock.now == 3
