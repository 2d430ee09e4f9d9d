"""Skipping whole periods changes nothing: not the time, the counts, the held time, the busy time, or the marks."""

from dataclasses import replace
from itertools import count

from hypothesis import given, settings
from hypothesis import strategies as st

from archsim.engine.errors import Deadlock
from archsim.engine.simulate import simulate
from archsim.model.run import Run
from archsim.model.taskgraph import TICKS, Flow, Leg, Port, Segment, Task, TaskGraph

PORTS = tuple(Port(name, "move") for name in "abc")
BUFFERS = ("x", "y")
LABELS = ("h", "k", "w")


@st.composite
def flows(draw: st.DrawFn) -> Flow:
    own = draw(st.integers(0, 60)) * TICKS // draw(st.sampled_from((1, 2, 3, 7)))
    shares = draw(st.dictionaries(st.sampled_from(PORTS), st.sampled_from((1, 2, 3)), max_size=3))
    loads = tuple((port, own // share) for port, share in shares.items())
    delay = st.sampled_from((0, 0, 1, 13))
    lead, weight = draw(st.sampled_from((0, 1, 50, 1000))), draw(st.integers(1, 4))
    return Flow((Leg("a", "move", "t", 3, 3, 1),), own, loads, draw(delay), draw(delay), lead, weight)


@st.composite
def tasks(draw: st.DrawFn, name: str) -> Task:
    labels = st.lists(st.sampled_from(LABELS), max_size=2, unique=True).map(tuple)
    held = tuple(draw(st.dictionaries(st.sampled_from(BUFFERS), st.integers(1, 2), max_size=2)).items())
    return Task(
        name,
        "decode",
        tuple(draw(st.lists(flows(), max_size=2))),
        draw(st.sampled_from((0, 0, 2, 11))),
        draw(labels),
        draw(labels),
        held,
        held,
    )


@st.composite
def segments(draw: st.DrawFn, name: str) -> Segment:
    body = [draw(tasks(f"{name}{n}")) for n in range(draw(st.integers(1, 4)))]
    if len(body) > 1 and draw(st.booleans()):
        first, last = body[0], body[-1]  # what the first task takes, the last one gives, as in a prefetch
        body[0] = replace(first, gives=(), makes=(*first.makes, "slot"))
        body[-1] = replace(last, takes=(), gives=first.takes, after=(*last.after, "slot"))
    return Segment(tuple(body), draw(st.sampled_from((1, 2, 3, 5, 9, 40, 120))), draw(st.sampled_from(("", name))))


@st.composite
def graphs(draw: st.DrawFn) -> TaskGraph:
    size = st.integers(2, 5)
    return TaskGraph(
        tuple(draw(segments(name)) for name in "pqr"[: draw(st.integers(1, 3))]),
        tuple((name, draw(size)) for name in BUFFERS),
    )


@st.composite
def streams(draw: st.DrawFn) -> TaskGraph:
    """Programs with many cuts: most tasks follow the one before, some stand beside it, segments come again."""
    graph = draw(graphs())
    beside = draw(st.integers(0, 7))

    def joined(task: Task, number: int) -> Task:
        if number % 8 == beside:
            return task
        return replace(task, after=(*task.after, "s"), makes=(*task.makes, "s"))

    rows = [Segment(tuple(map(joined, s.tasks, count())), s.times, s.closes) for s in graph.segments]
    order = draw(st.lists(st.sampled_from(rows), min_size=1, max_size=6))
    return replace(graph, segments=tuple(order))


def outcome(graph: TaskGraph, *, repeats: bool) -> Run | str:
    try:
        return replace(simulate(graph, repeats=repeats), events=0)
    except Deadlock as deadlock:
        return str(deadlock)


@settings(max_examples=200)  # an error here hides in the order of ties
@given(graphs())
def test_a_run_with_repeats_equals_the_full_run(graph: TaskGraph) -> None:
    assert outcome(graph, repeats=True) == outcome(graph, repeats=False)


@settings(max_examples=100)  # what meets at a cut is a matter of ties
@given(streams())
def test_a_program_put_together_from_cut_to_cut_equals_the_full_run(graph: TaskGraph) -> None:
    assert outcome(graph, repeats=True) == outcome(graph, repeats=False)


@given(streams())
def test_a_run_does_not_depend_on_what_was_simulated_before(graph: TaskGraph) -> None:
    try:
        first = simulate(graph)
    except Deadlock:
        return
    assert simulate(graph) == first


@given(streams())
def test_names_counts_and_prices_are_no_part_of_what_is_simulated(graph: TaskGraph) -> None:
    def renamed(task: Task) -> Task:
        flows = tuple(replace(flow, legs=(Leg("b", "read", "u", 9, 4, 3),)) for flow in task.flows)
        return replace(task, operator=f"{task.operator}'", phase="prefill", flows=flows)

    other = replace(graph, segments=tuple(replace(s, tasks=tuple(map(renamed, s.tasks))) for s in graph.segments))
    try:
        one, two = simulate(graph), simulate(other)
    except Deadlock:
        return
    assert (one.picoseconds, one.events, one.marks, one.busy) == (two.picoseconds, two.events, two.marks, two.busy)
    assert list(one.held.values()) == list(two.held.values())


@given(graphs())
def test_held_time_adds_up_to_the_picosecond(graph: TaskGraph) -> None:
    run = outcome(graph, repeats=True)
    assert isinstance(run, str) or sum(run.held.values()) == run.picoseconds


@given(graphs())
def test_every_task_is_completed_as_often_as_its_segment_says(graph: TaskGraph) -> None:
    run = outcome(graph, repeats=True)
    asked = sum(len(task.flows) * segment.times for segment in graph.segments for task in segment.tasks)
    assert isinstance(run, str) or sum(run.counts.values()) == 3 * asked


@given(graphs())
def test_no_port_is_busy_longer_than_the_run(graph: TaskGraph) -> None:
    run = outcome(graph, repeats=True)
    assert isinstance(run, str) or all(ticks // TICKS <= run.picoseconds for ticks in run.busy.values())
