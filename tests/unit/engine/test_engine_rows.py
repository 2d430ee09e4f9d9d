"""Which tasks are one event: those in a row that nobody else waits for, none of whose ports anybody else can use."""

from archsim.engine.rows import fused
from archsim.engine.simulate import simulate
from archsim.model.run import Span
from archsim.model.taskgraph import TICKS, Flow, Port, Segment, Task, TaskGraph

Credit = tuple[tuple[str, int], ...]
STEP = ("step",)
SLOT: Credit = (("slot", 1),)


def task(  # noqa: PLR0913, PLR0917 - a test names only what it asks about
    name: str,
    after: tuple[str, ...] = STEP,
    makes: tuple[str, ...] = STEP,
    takes: Credit = (),
    gives: Credit = (),
    port: str = "p",
    launch: int = 0,
) -> Task:
    flow = Flow((), 10 * TICKS, ((Port(port, "run"), 10 * TICKS),))
    return Task(name, "decode", (flow,), launch, after, makes, takes, gives)


def rows(graph: TaskGraph) -> list[list[str]]:
    """The operators of each task of the fused graph; those of the tasks that stand for themselves in brackets."""
    found = fused(graph, lambda row: tuple((10, Span(task.operator, "")) for task in row))
    tasks = [task for segment in found.graph.segments for task in segment.tasks]
    return [
        [span.operator for _, span in found.parts[id(task)]] if id(task) in found.parts else [f"({task.operator})"]
        for task in tasks
    ]


def graph(*tasks: Task, times: int = 1, size: int = 1) -> TaskGraph:
    return TaskGraph((Segment(tasks, times),), (("slot", size), ("way", 1)))


def same(graph: TaskGraph) -> int:
    """The time of a graph, with and without rows."""
    assert simulate(graph).picoseconds == simulate(graph, repeats=False).picoseconds
    return simulate(graph).picoseconds


def test_what_an_exclusive_stage_does_is_one_event() -> None:
    stage = graph(task("a", (), takes=SLOT), task("b"), task("c", gives=SLOT), times=5)
    assert rows(stage) == [["a", "b", "c"]]
    assert same(stage) == 150


def test_a_stage_for_two_shares_its_port() -> None:
    stage = graph(task("a", (), takes=SLOT), task("b", gives=SLOT), times=2, size=2)
    assert rows(stage) == [["(a)"], ["(b)"]]
    assert same(stage) == 40


def test_a_port_that_others_use_without_the_credit_stays_shared() -> None:
    way: Credit = (("way", 1),)
    stage = (task("a", (), takes=SLOT), task("b", port="q"), task("c", gives=SLOT))
    shared = graph(*stage, task("w", takes=way, gives=way, port="q"), times=9)
    assert rows(shared) == [["a"], ["(b)"], ["c"], ["(w)"]]
    same(shared)


def test_who_waits_for_a_task_within_does_not_wait_for_the_row() -> None:
    first, second = task("a", (), ("step", "early"), takes=SLOT), task("b", gives=SLOT)
    waits = graph(first, second, task("w", ("early",), ("w",), port="w"), task("v", ("w",), ("v",), port="w"))
    assert rows(waits)[:2] == [["(a)"], ["(b)"]]
    assert same(waits) == 30


def test_a_credit_given_within_comes_back_before_the_row_ends() -> None:
    early: Credit = (("way", 1),)
    stage = graph(task("a", (), takes=early, gives=early), task("b", gives=SLOT), task("c", takes=SLOT), size=2)
    assert rows(stage)[1:] == [["(b)"], ["(c)"]]


def test_a_credit_that_somebody_else_gives_back_is_not_exclusive() -> None:
    release = task("free", (), (), gives=SLOT, port="f", launch=5)
    pair = (task("a", (), takes=SLOT), task("b"), release, task("c", (), takes=SLOT), task("d", gives=SLOT))
    assert rows(graph(*pair)) == [["(a)"], ["(b)"], ["(free)"], ["(c)"], ["(d)"]]


def test_held_time_goes_to_the_parts_of_a_row() -> None:
    stage = graph(task("a", (), takes=SLOT), task("b", gives=SLOT), times=3)
    assert simulate(stage).held == {Span("a", "decode"): 30, Span("b", "decode"): 30}


def test_a_row_is_simulated_once_for_all_stages_that_are_alike() -> None:
    def stages(number: int) -> TaskGraph:
        tasks, sizes = [], []
        for n in range(number):
            mine: Credit = ((f"s{n}", 1),)
            tasks += [task("a", STEP if n else (), takes=mine, port=f"p{n}"), task("b", gives=mine, port=f"p{n}")]
            sizes.append((f"s{n}", 1))
        return TaskGraph((Segment(tuple(tasks), 3),), tuple(sizes))

    assert simulate(stages(8)).events - simulate(stages(4)).events == 4 * 3  # one event per stage and sequence
