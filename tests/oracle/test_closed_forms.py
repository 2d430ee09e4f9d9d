"""Chunks between servers against closed forms: waiting at a link, Little's law, max-min shares, Amdahl's law."""

from math import sqrt
from random import Random
from statistics import fmean, stdev

import pytest

from archsim.engine.maxmin import demand, paces
from archsim.engine.simulate import simulate
from archsim.model.taskgraph import TICKS, Course, Flow, Port, Segment, Stop, Strand, Task, TaskGraph

CHUNK = 4096
SERVICE = CHUNK * 1000  # picoseconds of a chunk at a link


def stop(link: str, size: int, latency: int = 0) -> Stop:
    return Stop(Port(link, "down"), "move", size, size, size * 1000 * TICKS, latency, 1, pooled=False)


def sent(size: int, *links: str, window: int | None = None, latency: int = 0, ways: int = 1) -> Flow:
    """`size` bytes over some links in a row."""
    stops = tuple(stop(link, size, latency if index == 0 else 0) for index, link in enumerate(links))
    loads = tuple((item.port, item.ticks) for item in stops)
    own = size * max(1000 * TICKS, latency * TICKS // (ways * window) if window else 0)
    course = Course((Strand(stops),), (), ways, window, CHUNK)
    return Flow((), own, loads, latency, lead=size, weight=ways, course=course)


def waits(load: float, arrivals: int = 6000, seed: int = 1) -> list[float]:
    """Waiting times of chunks that arrive at random at a link, as multiples of a service."""
    draw, now, tasks = Random(seed), 0.0, []
    for index in range(arrivals):
        now += draw.expovariate(load / SERVICE)
        tasks.append(Task(str(index), "", (sent(CHUNK, "link"),), round(now)))
    done = simulate(TaskGraph((Segment(tuple(tasks)),)), fidelity="chunk", timeline=True).timeline
    return [(item.end - item.start - item.task.launch - SERVICE) / SERVICE for item in done]


@pytest.mark.parametrize("load", [0.3, 0.6, 0.8])
def test_chunks_that_arrive_at_random_wait_as_long_as_in_an_m_d_1_queue(load: float) -> None:
    means = [fmean(some) for some in batches(waits(load), 300)]
    error = 3 * stdev(means) / sqrt(len(means))
    assert error < 0.3 * load / (2 * (1 - load))
    assert fmean(means) == pytest.approx(load / (2 * (1 - load)), abs=error)


def batches(values: list[float], size: int) -> list[list[float]]:
    return [values[start : start + size] for start in range(0, len(values), size)]


@pytest.mark.parametrize("chunks", [1, 2, 8])
def test_what_is_outstanding_is_throughput_times_latency(chunks: int) -> None:
    size, latency = 512 * CHUNK, 40 * SERVICE
    flow = sent(size, "link", window=chunks * CHUNK, latency=latency)
    took = simulate(TaskGraph((Segment((Task("a", "", (flow,)),)),)), fidelity="chunk", chunk=CHUNK).picoseconds
    assert size / took * (latency + SERVICE) == pytest.approx(chunks * CHUNK, rel=0.02)


def test_flows_over_two_links_get_their_max_min_shares() -> None:
    """One over both links, one beside it on the first, two on the second: a third, a third, and what they leave."""
    size = 400 * CHUNK
    flows = [sent(size, "a", "b"), sent(size, "a"), sent(size, "b"), sent(size, "b")]
    fair = [pace / TICKS for pace in paces([demand(flow) for flow in flows])]
    assert fair == pytest.approx([1 / 3, 2 / 3, 1 / 3, 1 / 3])
    tasks = tuple(Task(str(index), "", (flow,)) for index, flow in enumerate(flows))
    done = simulate(TaskGraph((Segment(tasks),)), fidelity="chunk", chunk=CHUNK, timeline=True).timeline
    first = min(done, key=lambda item: item.end)
    assert first.task.operator == "1"
    assert size * 1000 / first.end == pytest.approx(fair[1], rel=0.25)  # a queue shares by what waits, not by flows


@pytest.mark.parametrize("fidelity", ["flow", "tile", "chunk"])
@pytest.mark.parametrize("tiles", [1, 4, 16, 64])
def test_tiles_speed_up_what_is_parallel_and_nothing_else(fidelity: str, tiles: int) -> None:
    serial, parallel = 10**6, 64 * 10**6
    each = parallel // tiles
    work = Stop(Port("tile", "mac"), "mac", parallel, each, each * TICKS, 0, 64, pooled=True)
    loads = ((Port("tile", "mac"), each * tiles * TICKS // 64),)
    flow = Flow((), each * TICKS, loads, weight=tiles, course=Course((), (work,), tiles))
    task = Task("a", "", (flow,), serial)
    assert simulate(TaskGraph((Segment((task,)),)), fidelity=fidelity).picoseconds == pytest.approx(
        serial + parallel / tiles, rel=1e-5
    )
