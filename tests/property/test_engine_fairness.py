"""What max-min fairness promises, whatever the flows."""

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from archsim.engine.maxmin import Demand, demand, paces
from archsim.engine.simulate import simulate
from archsim.model.taskgraph import TICKS, Flow, Port, Segment, Task, TaskGraph

PORTS = tuple(Port(name, "move") for name in "abcd")
TINY = Fraction(1, 1 << 40)


@st.composite
def flows(draw: st.DrawFn) -> Flow:
    own = draw(st.integers(1, 10**9)) * TICKS // draw(st.integers(1, 1000))
    shares = draw(st.dictionaries(st.sampled_from(PORTS), st.integers(1, 100), min_size=1))
    loads = tuple((port, own * share // 100) for port, share in shares.items())
    return Flow((), own, loads, lead=draw(st.integers(0, 10**9)), weight=draw(st.integers(1, 200)))


def fills(demands: list[Demand], speeds: tuple[int, ...], port: Port) -> Fraction:
    return Fraction(
        sum(pace * dict(one.uses).get(port, 0) for one, pace in zip(demands, speeds, strict=True)), TICKS**2
    )


@given(st.lists(flows(), min_size=1, max_size=8))
def test_no_port_is_more_than_full(group: list[Flow]) -> None:
    demands = [demand(one) for one in group]
    speeds = paces(demands)
    assert all(0 < pace <= TICKS for pace in speeds)
    assert all(fills(demands, speeds, port) <= 1 + TINY for port in PORTS)


@given(st.lists(flows(), min_size=1, max_size=8))
def test_a_slowed_flow_has_a_full_port_at_which_nobody_is_at_a_higher_level(group: list[Flow]) -> None:
    demands = [demand(one) for one in group]
    speeds = paces(demands)
    levels = [Fraction(pace, one.urge) for one, pace in zip(demands, speeds, strict=True)]
    highest = {
        port: max((level for one, level in zip(demands, levels, strict=True) if port in dict(one.uses)), default=0)
        for port in PORTS
    }
    for one, pace in zip(demands, speeds, strict=True):
        assert pace == TICKS or any(
            fills(demands, speeds, port) >= 1 - TINY and highest[port] <= Fraction(pace + 1, one.urge) * (1 + TINY)
            for port, _ in one.uses
        )


@given(st.lists(flows(), min_size=1, max_size=6))
def test_paces_do_not_depend_on_the_order_of_the_flows(group: list[Flow]) -> None:
    speeds = paces([demand(one) for one in group])
    backwards = paces([demand(one) for one in reversed(group)])
    assert all(abs(a - b) <= TICKS * TINY for a, b in zip(speeds, reversed(backwards), strict=True))


@given(st.lists(st.integers(1, 10**6), min_size=1, max_size=8), st.integers(1, 7))
def test_a_shared_port_is_never_idle_while_flows_are_left(owns: list[int], parts: int) -> None:
    port = PORTS[0]
    ticks = [own * TICKS // parts for own in owns]
    tasks = tuple(Task("t", "decode", (Flow((), own, ((port, own),), lead=own // TICKS + 1),)) for own in ticks)
    span = simulate(TaskGraph((Segment(tasks),))).picoseconds * TICKS
    assert sum(ticks) - TICKS < span <= sum(ticks) + len(ticks) * TICKS


@given(st.lists(st.integers(0, 10**6), min_size=1, max_size=12), st.data())
def test_a_chain_takes_the_sum_and_never_less_for_more_work(owns: list[int], data: st.DataObject) -> None:
    def chain(sizes: list[int]) -> int:
        ticks = [size * TICKS // 3 for size in sizes]
        flows = [Flow((), own, ((PORTS[0], own),), fill=5, drain=2) for own in ticks]
        tasks = tuple(Task("t", "decode", (flow,), 1, ("h",), ("h",)) for flow in flows)
        return simulate(TaskGraph((Segment(tasks),))).picoseconds

    more = [own + data.draw(st.integers(0, 100)) for own in owns]
    assert chain(owns) == sum(8 - (-own // 3) for own in owns)
    assert chain(more) >= chain(owns)
