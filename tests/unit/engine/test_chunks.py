"""Flows in chunks: what one takes alone, how several share a port, a tile or a buffer, and what servers count."""

from dataclasses import replace

import pytest

from archsim.engine.errors import Deadlock, EventLimit, Unrepresentable
from archsim.engine.simulate import simulate
from archsim.model.run import Run
from archsim.model.taskgraph import PS_PER_SECOND, TICKS, Course, Flow, Port, Segment, Stop, Strand, Task, TaskGraph

BYTE = 1000  # picoseconds of a byte at the link


def moved(  # noqa: PLR0913 - a test names only what it asks about
    size: int,
    *,
    ways: int = 1,
    window: int | None = None,
    latency: int = 0,
    work: int = 0,
    tiles: int = 4,
    posted: int = 0,
    grain: int = 4096,
) -> Flow:
    """`size` bytes over a link to `ways` requesters, `work` picoseconds on the tile of each, and results back."""
    link, tile = Port("link", "down"), Port("tile", "mac")
    strands = [Strand((Stop(link, "move", size, size, size * BYTE * TICKS, latency, 1, pooled=False),))]
    if posted:
        back = Stop(Port("link", "up"), "move", posted, posted, posted * BYTE * TICKS, latency, 1, pooled=False)
        strands.append(Strand((back,), posted=True))
    labour = (Stop(tile, "mac", work * ways, work, work * TICKS, 0, tiles, pooled=True),) if work else ()
    course = Course(tuple(strands), labour, ways, window, grain)
    return Flow((), max(size * BYTE, work) * TICKS, (), lead=size, weight=ways, course=course)


def played(*flows: Flow, fidelity: str = "chunk", chunk: int | None = None, limit: int | None = None) -> Run:
    segments = tuple(Segment((Task(str(n), "decode", (one,)),), closes=str(n)) for n, one in enumerate(flows))
    return simulate(TaskGraph(segments), fidelity=fidelity, chunk=chunk, max_events=limit)


def ends(*flows: Flow, fidelity: str = "chunk", chunk: int | None = None) -> list[int]:
    marks = {mark.what: mark.at for mark in played(*flows, fidelity=fidelity, chunk=chunk).marks}
    return [marks[str(n)] for n in range(len(flows))]


@pytest.mark.parametrize("fidelity", ["tile", "chunk"])
def test_a_stream_takes_its_latency_and_its_bytes(fidelity: str) -> None:
    assert ends(moved(8192, latency=700), fidelity=fidelity) == [700 + 8192 * BYTE]


@pytest.mark.parametrize("chunk", [4096, None])
def test_the_last_grain_is_computed_when_it_has_arrived(chunk: int | None) -> None:
    assert ends(moved(4 * 4096, work=40), chunk=chunk) == [4 * 4096 * BYTE + 40 // 4]


def test_compute_hides_all_but_the_first_chunk() -> None:
    work = 40 * 4096 * BYTE
    assert ends(moved(4 * 4096, work=work), chunk=4096) == [4096 * BYTE + work]


def test_a_window_is_emptied_once_in_a_latency() -> None:
    latency = 10**9  # far more than the bytes of a window take
    assert ends(moved(8 * 8192, window=8192, latency=latency)) == [8 * (latency) + 8192 * BYTE + 7 * 4096 * BYTE]


def test_streams_share_a_link_by_requesters() -> None:
    size = 64 * 4096
    many, few = ends(moved(3 * size, ways=3), moved(size, ways=1), chunk=4096)
    assert many == pytest.approx(4 * size * BYTE, rel=0.01)
    assert few == pytest.approx(4 * size * BYTE, rel=0.02)


def test_a_small_reader_does_not_wait_for_the_big_stream_beside_it() -> None:
    _, reader = ends(moved(400 * 4096), moved(4 * 4096), chunk=4096)
    assert reader <= 2 * 4 * 4096 * BYTE + 2 * 4096 * BYTE


def read(ways: int, stacks: int, work: int = 0) -> Flow:
    """65536 B from each stack to some requesters, and so many picoseconds of work beside each stack."""
    size = stacks * 65536
    io = Stop(Port("hbm", "io"), "read", size, 65536, 65536 * BYTE * TICKS, 0, stacks, pooled=False)
    unit = Stop(Port("unit", "mac"), "mac", stacks * work, work, work * TICKS, 0, stacks, pooled=False)
    course = Course((Strand((io,)),), (unit,) if work else (), ways, None, 4096)
    return Flow((), 65536 * BYTE * TICKS, (), lead=size, weight=ways, course=course)


@pytest.mark.parametrize("fidelity", ["tile", "chunk"])
@pytest.mark.parametrize("stacks", [2, 64])
def test_a_reader_of_all_stacks_meets_one_with_a_stack_for_each_requester(fidelity: str, stacks: int) -> None:
    found = ends(read(1, stacks), read(stacks, stacks), fidelity=fidelity)
    assert max(found) == pytest.approx(2 * 65536 * BYTE, rel=0.1)
    assert max(found) >= 2 * 65536 * BYTE


@pytest.mark.parametrize("fidelity", ["tile", "chunk"])
def test_each_works_beside_its_own_stack_whoever_else_reads_them(fidelity: str) -> None:
    """As data arrive: one after the other, the last representative would begin when the others have ended."""
    alone, work = read(64, 64, work=60_000_000), 65536 * BYTE + 60_000_000 // 16
    assert played(alone, fidelity=fidelity).picoseconds == pytest.approx(work, rel=0.02)
    after = Segment((Task("b", "decode", (read(1, 64),), after=("0",)),), closes="1")
    first = Segment((Task("a", "decode", (alone,), makes=("0",)),), closes="0")
    found = simulate(TaskGraph((first, after)), fidelity=fidelity)
    assert found.marks[0].at == pytest.approx(work, rel=0.02)


@pytest.mark.parametrize("fidelity", ["tile", "chunk"])
@pytest.mark.parametrize("tiles", [1, 2, 3, 4, 7])
def test_fewer_tiles_than_representatives_work_as_fast_as_they_are(fidelity: str, tiles: int) -> None:
    work = 1_000_000
    for ways in range(1, tiles + 1):
        found = ends(moved(ways, ways=ways, work=work, tiles=tiles), fidelity=fidelity)
        assert found == pytest.approx([work], rel=0.05)


def test_two_computations_on_one_tile_are_sliced() -> None:
    work = 1_000_000
    assert ends(moved(1, work=work, tiles=1), moved(1, work=work // 10, tiles=1)) == pytest.approx(
        [work * 11 // 10, 2 * work // 10], rel=0.01
    )


def test_computations_on_tiles_of_their_own_do_not_meet() -> None:
    work = 1_000_000
    assert ends(moved(1, work=work, tiles=2), moved(1, work=work, tiles=2)) == [work + BYTE, work + 2 * BYTE]


def test_who_has_a_short_latency_does_not_wait_for_one_with_a_long_latency_before_it() -> None:
    def passed(latency: int) -> Flow:
        stops = (Stop(Port(link, ""), "move", 1, 1, 10 * TICKS, 0, 1, pooled=False) for link in ("far", "near"))
        strand = Strand(tuple(stop._replace(latency=latency // 2) for stop in stops))
        return Flow((), 10 * TICKS, (), lead=1, course=Course((strand,), (), 1))

    assert ends(passed(10**9), passed(0), passed(10**8)) == [10**9 + 10, 20, 10**8 + 30]


def test_a_computation_that_will_come_leaves_the_tile_to_one_that_comes_before_it() -> None:
    late, early = moved(1, latency=10**6, work=500, tiles=1), moved(1, latency=10, work=10**5, tiles=1)
    assert ends(late, early) == [10**6 + BYTE + 500, 10 + 2 * BYTE + 10**5]


def test_results_are_delivered_before_a_task_ends_and_nobody_waits_for_their_latency() -> None:
    assert ends(moved(4096, latency=700, posted=4096)) == [700 + 2 * 4096 * BYTE]


@pytest.mark.parametrize("fidelity", ["tile", "chunk"])
def test_servers_count_what_they_serve(fidelity: str) -> None:
    run = played(moved(1_000_003, ways=7, window=9000, work=50, posted=77), fidelity=fidelity)
    assert run.served == {("link", "move"): 1_000_003 + 77, ("tile", "mac"): 350}


def test_repeats_count_what_was_skipped_and_change_nothing_else() -> None:
    task = Task("layer", "decode", (moved(100_000, ways=3, latency=700, work=5000),), 50, ("x",), ("x",))
    graph = TaskGraph((Segment((task,), 100),))
    full = simulate(graph, fidelity="chunk", repeats=False)
    quick = simulate(graph, fidelity="chunk")
    assert quick.events < full.events / 10
    assert (quick.picoseconds, quick.served, quick.held) == (full.picoseconds, full.served, full.held)


def test_four_representatives_stand_for_many_tiles() -> None:
    flow = moved(132 * 40 * 4096, ways=132, window=8192, latency=700_000, work=200 * 4096 * BYTE, tiles=132)
    tile, chunk = (played(flow, fidelity=fidelity) for fidelity in ("tile", "chunk"))
    assert tile.picoseconds == pytest.approx(chunk.picoseconds, rel=0.005)
    assert tile.events < chunk.events / 20
    assert tile.served == chunk.served


def test_a_chunk_larger_than_a_buffer_is_refused() -> None:
    with pytest.raises(Unrepresentable, match=r"a chunk of 5,000 B is larger than .* 4,096 B outstanding") as caught:
        played(moved(100_000, window=4096), chunk=5000)
    assert caught.value.help.startswith("at most 4096 bytes")


def test_smaller_chunks_take_more_events_for_the_same_bytes() -> None:
    fine, coarse = (played(moved(1 << 20, window=8192), chunk=chunk) for chunk in (1024, 4096))
    assert fine.events > 3 * coarse.events
    assert fine.served == coarse.served


def test_a_flow_that_no_machine_laid_out_is_served_by_its_loads() -> None:
    loads = ((Port("a", "x"), 900 * TICKS), (Port("b", "x"), 300 * TICKS))
    assert ends(Flow((), 1000 * TICKS, loads, fill=30, drain=7)) == [1037]


def test_flows_of_a_place_do_not_meet_those_of_another() -> None:
    load = ((Port("a", "x"), 900 * TICKS),)
    assert ends(*(Flow((), 900 * TICKS, load, place=place) for place in ("left", "right"))) == [900, 900]


def test_deadlocks_and_limits_are_as_at_flow() -> None:
    flow = moved(4096)
    stuck = Task("a", "decode", (flow,), takes=(("buf", 2),))
    with pytest.raises(Deadlock, match=r"a\[0\] waits for 2 of buffer buf"):
        simulate(TaskGraph((Segment((stuck,)),), (("buf", 1),)), fidelity="chunk")
    with pytest.raises(EventLimit):
        played(moved(1 << 20), limit=10)


def test_rates_that_do_not_divide_lose_nothing_between_chunks() -> None:
    size, rate = 999_983 * 64, 670 * 10**9
    ticks = size * PS_PER_SECOND * TICKS // rate
    stop = Stop(Port("link", "down"), "move", size, size, ticks, 0, 1, pooled=False)
    flow = Flow((), ticks, (), lead=size, course=Course((Strand((stop,)),), (), 1, 2 * 4096, 4096))
    assert ends(flow)[0] - ticks // TICKS in (0, 1, 2)


def test_what_would_take_too_long_is_refused_before_it_starts() -> None:
    with pytest.raises(Unrepresentable, match=r"about \d[\d,]+ events; 100,000,000 are the bound") as caught:
        played(moved(10**12, ways=8, window=8192))
    assert "--fidelity tile" in caught.value.help
    with pytest.raises(EventLimit):
        played(moved(10**12, ways=8, window=8192), limit=10)


def test_what_no_port_limits_does_not_make_room_for_others() -> None:
    free = Strand((Stop(Port("wire", "down"), "move", 10**12, 10**12, 0, 0, 1, pooled=False),))
    endless = moved(10**12, ways=8, window=8192)
    assert endless.course is not None
    wide = replace(endless, course=endless.course._replace(strands=(*endless.course.strands, *[free] * 8)))
    with pytest.raises(Unrepresentable, match="events; 100,000,000 are the bound"):
        played(wide)
