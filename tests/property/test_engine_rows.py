"""One event for tasks in a row that meet nobody changes nothing: in pipelines of exclusive stages, at any sharing."""

from hypothesis import given, settings
from hypothesis import strategies as st

from archsim.engine.rows import fused
from archsim.model.run import Span
from archsim.model.taskgraph import TICKS, Flow, Leg, Port, Segment, Task, TaskGraph
from tests.property.test_engine_repeats import outcome

Credit = tuple[tuple[str, int], ...]


@st.composite
def flows(draw: st.DrawFn, place: str) -> Flow:
    """Flows on ports of their stage, and some on a port that everybody uses."""
    own = draw(st.integers(0, 40)) * TICKS // draw(st.sampled_from((1, 1, 3)))
    ports = draw(st.sets(st.sampled_from((f"{place}.a", f"{place}.b", f"{place}.a", "everybody")), max_size=2))
    loads = tuple((Port(port, "p"), own // draw(st.sampled_from((1, 2)))) for port in sorted(ports))
    delay = st.sampled_from((0, 0, 3))
    return Flow((Leg("a", "move", "t", 3, 3, 1),), own, loads, draw(delay), draw(delay), draw(st.sampled_from((0, 9))))


@st.composite
def rows(draw: st.DrawFn, place: str, takes: Credit, gives: Credit, *, starts: bool = False) -> list[Task]:
    size = draw(st.integers(1, 4))
    made = []
    for index in range(size):
        parts = tuple(draw(st.lists(flows(place), max_size=2)))
        after = () if starts and not index else ("step",)
        taken, given_back = takes if not index else (), gives if index + 1 == size else ()
        launch = draw(st.sampled_from((0, 0, 5)))
        made.append(Task(f"{place}{index}", "decode", parts, launch, after, ("step",), taken, given_back))
    return made


@st.composite
def pipelines(draw: st.DrawFn) -> TaskGraph:
    """Sequences through stages with a way between them, as mappers make them; sometimes a stage takes two at once."""
    stages = draw(st.integers(1, 3))
    rooms = [draw(st.sampled_from((1, 1, 1, 2))) for _ in range(stages)]
    passes = []
    for token in range(draw(st.integers(1, 2))):
        tasks: list[Task] = []
        for n in range(stages):
            opens: Credit = (("flying", 1),) if n == 0 else ()
            closes: Credit = (("flying", 1),) if n + 1 == stages else ()
            here: Credit = ((f"stage{n}", 1),)
            tasks += draw(rows(f"s{n}", (*opens, *here), here, starts=n == 0))
            tasks += draw(rows(draw(st.sampled_from((f"s{n}", f"w{n}"))), ((f"way{n}", 1),), ((f"way{n}", 1), *closes)))
        passes.append(Segment(tuple(tasks), draw(st.sampled_from((1, 2, 7, 30))), f"token {token}"))
    sizes = [("flying", draw(st.integers(1, 4))), *((f"way{n}", 1) for n in range(stages))]
    return TaskGraph(tuple(passes), (*sizes, *((f"stage{n}", room) for n, room in enumerate(rooms))))


@settings(max_examples=100)  # what happens at one instant hides an error well
@given(pipelines())
def test_a_pipeline_of_rows_equals_the_full_run(graph: TaskGraph) -> None:
    assert outcome(graph, repeats=True) == outcome(graph, repeats=False)


@given(pipelines())
def test_no_task_is_lost(graph: TaskGraph) -> None:
    lengths = [len(row) for row in parts_of(graph)]
    assert sum(lengths) == sum(len(segment.tasks) for segment in graph.segments)


def parts_of(graph: TaskGraph) -> list[tuple[tuple[int, Span], ...]]:
    """The parts of every task of the fused graph; a task that stands for itself is one."""
    found = fused(graph, lambda row: tuple((n, Span(task.operator, "")) for n, task in enumerate(row)))
    tasks = [task for segment in found.graph.segments for task in segment.tasks]
    return [found.parts.get(id(task), ((0, Span("", "")),)) for task in tasks]
