from archsim.engine.maxmin import demand, paces
from archsim.engine.simulate import simulate
from archsim.model.taskgraph import TICKS, Flow, Port, Segment, Task, TaskGraph

LINK = Port("link", "move")


def flow(own: int, *ports: str, lead: int = 0, weight: int = 1, fill: int = 0, drain: int = 0) -> Flow:
    loads = tuple((Port(name, "move"), own * TICKS) for name in ports)
    return Flow((), own * TICKS, loads, fill, drain, lead, weight)


def ends(*flows: Flow) -> list[int]:
    segments = tuple(Segment((Task(str(n), "decode", (one,)),), closes=str(n)) for n, one in enumerate(flows))
    marks = {mark.what: mark.at for mark in simulate(TaskGraph(segments)).marks}
    return [marks[str(n)] for n in range(len(flows))]


def test_a_lone_flow_takes_its_closed_form_rounded_up_once() -> None:
    one = Flow((), 7 * TICKS // 3, ((LINK, 7 * TICKS // 3),), fill=100, drain=20, lead=64)
    assert simulate(TaskGraph((Segment((Task("a", "decode", (one,), launch=5),)),))).picoseconds == 5 + 100 + 3 + 20


def test_a_chain_of_fractions_rounds_each_flow_up() -> None:
    one = Flow((), 7 * TICKS // 3, ((LINK, 7 * TICKS // 3),))
    task = Task("a", "decode", (one,), after=("x",), makes=("x",))
    assert simulate(TaskGraph((Segment((task,), 1000),))).picoseconds == 3000


def test_equal_flows_on_one_link_halve() -> None:
    assert ends(flow(1000, "link"), flow(1000, "link")) == [2000, 2000]


def test_three_equal_flows_take_three_times_as_long_to_the_picosecond() -> None:
    assert ends(*[flow(1_000_000_007, "link")] * 3) == [3_000_000_021] * 3


def test_disjoint_flows_do_not_touch() -> None:
    assert ends(flow(1000, "left"), flow(1000, "right")) == [1000, 1000]


def test_flows_at_different_ports_of_one_component_do_not_touch() -> None:
    up, down = (Flow((), 10 * TICKS, ((Port("link", name), 10 * TICKS),)) for name in ("up", "down"))
    assert ends(up, down) == [10, 10]


def test_a_small_reader_does_not_wait_for_the_big_stream_beside_it() -> None:
    bandwidth = 3.35  # bytes per picosecond; shared as a fraction of each flow, the reader would take 72.8 us
    stream, reader = (flow(round(size / bandwidth), "hbm", lead=size) for size in (240_000_000, 4_000_000))
    _, read = ends(stream, reader)
    assert abs(read - 2 * 4_000_000 / bandwidth) < 10


def test_shares_go_with_requesters() -> None:
    many, few = flow(10_000, "hbm", lead=5_000, weight=3), flow(10_000, "hbm", lead=5_000, weight=1)
    assert paces([demand(many), demand(few)]) == (TICKS * 3 // 4, TICKS // 4)


def test_flows_that_move_nothing_compete_by_weight_alone() -> None:
    long, short = flow(9000, "mac", weight=3), flow(10, "mac", weight=1)
    assert paces([demand(long), demand(short)]) == (TICKS * 3 // 4, TICKS // 4)


def test_what_a_slow_flow_cannot_use_goes_to_the_others() -> None:
    slow = Flow((), 1000 * TICKS, ((LINK, 100 * TICKS),), lead=100)
    fast = [flow(1000, "link", lead=1000)] * 2
    assert paces([demand(slow), *map(demand, fast)]) == (TICKS, TICKS * 9 // 20, TICKS * 9 // 20)


def test_a_departure_gives_its_share_back_and_an_arrival_takes_one() -> None:
    assert ends(flow(100, "link", lead=100), flow(1000, "link", lead=1000), flow(50, "link", lead=50, fill=400)) == [
        200,
        1150,
        500,
    ]


def test_a_flow_gets_what_another_is_kept_from_elsewhere() -> None:
    left, bridge, right = flow(100, "a", lead=100, weight=3), flow(100, "a", "b", lead=100), flow(100, "b", lead=100)
    paced = paces([demand(one) for one in (left, bridge, right)])
    assert paced == (TICKS * 3 // 4, TICKS // 4, TICKS * 3 // 4)


def test_a_port_without_load_connects_nobody() -> None:
    idle = Flow((), 100 * TICKS, ((LINK, 0),), lead=1)
    assert ends(idle, flow(100, "link")) == [100, 100]


def test_a_flow_without_own_time_takes_only_its_delays() -> None:
    assert ends(flow(0, "link", fill=30, drain=4), flow(100, "link")) == [34, 100]


def test_a_flow_of_no_time_at_all_ends_when_it_starts() -> None:
    assert ends(flow(0), flow(0)) == [0, 0]


def test_a_task_ends_with_its_last_flow() -> None:
    task = Task("a", "decode", (flow(10, "a"), flow(5, "b", fill=1, drain=7)), launch=2)
    assert simulate(TaskGraph((Segment((task,)),))).picoseconds == 2 + 13


def test_tasks_without_flows_repeat_exactly() -> None:
    both = (("x", 2),)
    graph = TaskGraph(
        (
            Segment((Task("a", "decode", (flow(1),), takes=(("x", 1),), gives=(("x", 1),)),)),
            Segment((Task("b", "decode", (), launch=11, takes=both, gives=both),), times=9),
        ),
        (("x", 4),),
    )
    assert simulate(graph).picoseconds == simulate(graph, repeats=False).picoseconds == 55


def test_a_task_without_flows_takes_its_launch() -> None:
    assert simulate(TaskGraph((Segment((Task("a", "decode", (), launch=9),)),))).picoseconds == 9
