"""From a flow to the servers that it passes: made once for each flow, for all its executions."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from archsim.engine.cutting import Costs, Cut, Grain, Pick, costs, cut, layout, lines, pick, pieces
from archsim.engine.kernel import Clock
from archsim.engine.pieces import Hop, Own, Track, Turns
from archsim.engine.seats import Labour
from archsim.engine.servers import Cost, Queue, Slicer
from archsim.model.taskgraph import Course, Flow, Port, Stop, Strand

_HOPS = {Pick.ALIKE: Hop, Pick.OWN: Own, Pick.TURN: Turns}

Rare = dict[int, list[tuple[Track, int]]]
"""Tracks and numbers of pieces, by the chunk that they come with."""

Bench = list[int]
"""How many requesters sit at each tile of a group."""


@dataclass(frozen=True, slots=True)
class Counted:
    """What a counter stands for: each that passes is one of `pieces` equal parts of `units` of an action."""

    counter: Hop | Labour
    port: Port
    action: str
    units: int
    pieces: int


@dataclass(frozen=True, slots=True)
class Planned:
    """A flow cut up: what it waits for, its results, its work on tiles and elsewhere, the tiles, and all counters.

    `rare` and `results` are pieces of tensors of which not each chunk has one, by chunk.

    `pace` is what a chunk takes of the pace that the flow keeps by itself.
    """

    cut: Cut
    awaited: tuple[Track, ...]
    rare: Rare
    posted: tuple[Track, ...]
    results: Rare
    labours: tuple[Labour, ...]
    errands: tuple[Track, ...]
    bench: Bench
    pace: Costs
    counted: tuple[Counted, ...]


@dataclass(slots=True)
class Servers:
    """All servers of a machine, made when a flow first asks for them; a port of a place is a port by itself."""

    clock: Clock
    _queues: dict[tuple[Port, str, bool], list[Queue]] = field(default_factory=dict)
    _slicers: dict[tuple[Port, str], list[Slicer]] = field(default_factory=dict)
    _benches: dict[tuple[str, str], Bench] = field(default_factory=dict)

    def queues(self, port: Port, place: str, count: int, *, alike: bool) -> list[Queue]:
        """The queues of a port's instances, or the one that stands for all."""
        found = self._queues.setdefault((port, place, alike), [])
        found += [Queue(self.clock) for _ in range(count - len(found))]
        return found

    def slicers(self, port: Port, place: str, count: int, capacity: int) -> list[Slicer]:
        """The slicers of the tiles of a group, each of so many tiles."""
        found = self._slicers.setdefault((port, place), [])
        found += [Slicer(self.clock, capacity) for _ in range(count - len(found))]
        return found

    def bench(self, component: str, place: str, count: int) -> Bench:
        """The tiles of a group."""
        found = self._benches.setdefault((component, place), [])
        found += [0] * (count - len(found))
        return found


class Planner:
    """Plans flows, at one grain."""

    def __init__(self, clock: Clock, grain: Grain) -> None:
        self._servers = Servers(clock)
        self._clock = clock
        self._grain = grain
        self._plans: dict[int, Planned] = {}

    def plan(self, flow: Flow) -> Planned:
        """The plan of a flow."""
        found = self._plans.get(id(flow))
        if found is None:
            found = self._plans[id(flow)] = self._make(flow)
        return found

    def _make(self, flow: Flow) -> Planned:
        course = layout(flow)
        whole = cut(flow, course, self._grain)
        maker = _Maker(self._servers, self._clock, self._grain, flow.place, course, whole)
        awaited = [maker.track(strand) for strand in course.strands if not strand.posted]
        posted = [maker.track(strand) for strand in course.strands if strand.posted]
        labours = tuple(maker.labour(stop) for stop in course.work if stop.pooled)
        errands = tuple(maker.errand(stop) for stop in course.work if not stop.pooled)
        pace = costs(Stop(Port("", ""), "", 0, 0, course.pace, 0, 1, pooled=False), Pick.ALIKE, whole.chunks, 1)
        return Planned(
            cut=whole,
            awaited=_full(awaited),
            rare=_rare(awaited),
            posted=_full(posted),
            results={whole.chunks - 1 - chunk: found for chunk, found in _rare(posted).items()},
            labours=labours,
            errands=errands,
            bench=maker.bench(),
            pace=pace,
            counted=tuple(maker.counted),
        )


def _full(tracks: Iterable[Track]) -> tuple[Track, ...]:
    return tuple(track for track in tracks if track.full)


def _rare(tracks: Iterable[Track]) -> Rare:
    found: Rare = {}
    for track in tracks:
        for chunk, number in track.stages() if not track.full else ():
            found.setdefault(chunk, []).append((track, number))
    return found


@dataclass(slots=True)
class _Maker:
    """Makes the tracks of one flow."""

    servers: Servers
    clock: Clock
    grain: Grain
    place: str
    course: Course
    cut: Cut
    counted: list[Counted] = field(default_factory=list)

    def track(self, strand: Strand, grain: int = 0) -> Track:
        """The way of a tensor; of work, whose last grain takes that long."""
        count = pieces(strand, self.course, self.cut, self.grain)
        latency = 0 if strand.posted else sum(stop.latency for stop in strand.stops)
        hops = [self._hop(stop, count) for stop in strand.stops if stop.ticks]
        if not hops:
            hops = [Hop([Queue(self.clock)], Costs(0, 0, 0))]
        served = iter(hops)
        hop = hops[0]
        for stop in strand.stops:  # what passes a stop without a limit passes the one before it too
            hop = next(served) if stop.ticks else hop
            self._count(hop, stop, count)
        return Track(hops, latency, count, self.cut.chunks, grain)

    def errand(self, stop: Stop) -> Track:
        """Work that is done where its data lie."""
        how = pick(stop, self.course, self.grain)
        cost = costs(stop, how, self.cut.chunks, self._serving(stop, how)).busiest
        return self.track(Strand((stop,)), -(-cost // self.cut.grains))

    def _hop(self, stop: Stop, count: int) -> Hop:
        how = pick(stop, self.course, self.grain)
        alike = how is Pick.ALIKE and stop.instances > 1
        served = self._serving(stop, how)
        queues = self.servers.queues(stop.port, self.place, served, alike=alike)
        return _HOPS[how](queues, costs(stop, how, count, served, self.course.ways // self.cut.seats))

    def _serving(self, stop: Stop, how: Pick) -> int:
        """The lines that serve pieces at a stop."""
        return self.cut.seats if how is Pick.OWN else 1 if how is Pick.ALIKE else lines(stop, self.grain)

    def labour(self, stop: Stop) -> Labour:
        """Work on the tile of each requester."""
        seats, tiles = self.cut.seats, lines(stop, self.grain)
        capacity, weight = (1, 1) if self.grain.folds is None else (stop.instances, self.course.ways * tiles // seats)
        slicers = self.servers.slicers(stop.port, self.place, tiles, capacity)
        cost = costs(stop, Pick.OWN, self.cut.chunks, seats).busiest
        labour = Labour(slicers if stop.ticks else (), Cost(cost, -(-cost // self.cut.grains), weight))
        self._count(labour, stop, self.cut.chunks)
        return labour

    def bench(self) -> Bench:
        """The tiles that requesters sit at: where they compute, or nowhere in particular."""
        tiles = next((stop for stop in self.course.work if stop.pooled), None)
        if tiles is None:
            return self.servers.bench("", self.place, self.cut.seats)
        return self.servers.bench(tiles.port.component, self.place, lines(tiles, self.grain))

    def _count(self, counter: Hop | Labour, stop: Stop, count: int) -> None:
        if stop.action:
            self.counted.append(Counted(counter, stop.port, stop.action, stop.units, count))
