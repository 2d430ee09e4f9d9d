"""The chunk net: flows as chunks that requesters ask for, and the servers that these pass."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Container, Hashable, Sequence

from archsim.engine.cutting import Grain
from archsim.engine.kernel import Clock, Sleeper
from archsim.engine.live import LiveFlow
from archsim.engine.pieces import Hop, Parcel, Track
from archsim.engine.plans import Bench, Planned, Planner
from archsim.engine.seats import Buffer, Labour, Seat
from archsim.engine.servers import FINE, PART, Queue
from archsim.engine.tally import Completions
from archsim.model.taskgraph import Flow


class ChunkNet:
    """Flows that pass servers in chunks; calls `served` with each flow of which the last chunk has."""

    def __init__(self, clock: Clock, served: Callable[[LiveFlow], None], grain: Grain) -> None:
        self._clock = clock
        self._served = served
        self._grain = grain
        self._planner = Planner(clock, grain)
        self._begun: Counter[int] = Counter()

    @property
    def fidelity(self) -> str:
        """`tile` where representatives stand for tiles, `chunk` where each is itself."""
        return "chunk" if self._grain.folds is None else "tile"

    def join(self, flow: LiveFlow) -> None:
        """Let a flow ask for its first chunks."""
        self._begun[id(flow.flow)] += 1
        Stream(self._clock, flow, self._planner.plan(flow.flow), self._served).start(self._clock.now)

    def state(self, flow: LiveFlow, now: int) -> Hashable:
        """What the future of a flow depends on: known where it has only begun, like no other state where it has not."""
        return None if flow.since == now else object()

    def counted(self, done: Completions) -> dict[tuple[str, str], int]:
        """Units that servers counted, by component and action; of executions that were skipped, as of the others."""
        sums: dict[tuple[str, str], int] = {}
        for flow, times in _executions(done):
            plan = self._planner.plan(flow)
            for item in plan.counted if times else ():
                key = (item.port.component, item.action)
                units = item.counter.passed * item.units * times // (item.pieces * self._begun[id(flow)])
                sums[key] = sums.get(key, 0) + units
        return sums


def _executions(done: Completions) -> list[tuple[Flow, int]]:
    """Each flow once, and how often its tasks were completed."""
    flows: dict[int, tuple[Flow, int]] = {}
    for task, times in done:
        for flow in task.flows:
            flows[id(flow)] = (flow, times + flows.get(id(flow), (flow, 0))[1])
    return list(flows.values())


class Stream:
    """One execution of a flow: it hands out its chunks, and ends when all are done and all results are delivered."""

    def __init__(self, clock: Clock, flow: LiveFlow, plan: Planned, over: Callable[[LiveFlow], None]) -> None:
        self.clock = clock
        self.awaited: Sequence[Track] = plan.awaited
        self.rare = plan.rare
        self.labours: Sequence[Labour] = plan.labours
        self.errands: Sequence[Track] = plan.errands
        self.parts = len(plan.errands) + sum(1 for labour in plan.labours if labour.slicers)
        self._flow = flow
        self._plan = plan
        self._over = over
        self.underway = plan.cut.chunks
        self.posted: Sequence[Track] = plan.posted
        self.results = plan.results
        self.leaving: Container[int] = range(plan.cut.chunks) if plan.posted else plan.results
        self._parcels: list[Parcel] = []
        self._until = 0
        self._tiles = _seated(plan)
        if plan.pace.busiest:
            own = Track((Hop((Queue(clock),), plan.pace),), 0, plan.cut.chunks, plan.cut.chunks)
            self.awaited = (*plan.awaited, own)

    def start(self, now: int) -> None:
        """Ask for the first chunks, one for each requester, then another, as far as buffers go."""
        cut = self._plan.cut
        heap = iter(range(cut.chunks))
        seats = [
            Seat(self, number, tile, iter(range(number, cut.chunks, cut.seats)) if cut.bound else heap)
            for number, tile in enumerate(self._tiles)
        ]
        for _ in range(cut.depth):
            for seat in seats:
                chunk = next(seat.chunks, None)
                if chunk is not None:
                    buffer = Buffer(seat)
                    self._parcels += buffer.parcels
                    buffer.ask(chunk, now)

    def finish(self, seat: Seat, buffer: Buffer, now: int) -> None:
        """Send the results of a chunk on their way, from its first grain on; end with the last."""
        chunk, since = buffer.chunk, buffer.since
        first = since + ((now << FINE) - since) // self._plan.cut.grains
        self.underway += 1
        for track, number in (*((track, chunk) for track in self.posted), *self.results.get(chunk, ())):
            self.underway += 1
            self.parcel(track, seat.number, self._settle).send(number, first, now << FINE, now)
        self._settle(now, now)

    def parcel(self, track: Track, seat: int, landed: Callable[[int, int], None]) -> Parcel:
        """A piece of a tensor that is sent once."""
        found = Parcel(track, seat, landed)
        self._parcels.append(found)
        return found

    def _settle(self, _: int, due: int) -> None:
        """One result less to wait for, that is delivered then; the last is over when all has passed."""
        self._until = max(self._until, due)
        self.underway -= 1
        if self.underway:
            return
        delay = max([self._until, *(parcel.tail + PART >> FINE for parcel in self._parcels)]) - self.clock.now
        if delay > 0:
            Sleeper(self.clock, self._end).sleep(self.clock.now + delay)
        else:
            self._end(self.clock.now)

    def _end(self, _: int) -> None:
        bench = self._plan.bench
        for tile in self._tiles:
            bench[tile] -= 1
        self._over(self._flow)


def _seated(plan: Planned) -> list[int]:
    """The tiles that a flow gets: those with the fewest requesters, in turn."""
    bench: Bench = plan.bench
    order = sorted(range(len(bench)), key=bench.__getitem__) if any(bench) else range(len(bench))
    tiles = [order[seat % len(bench)] for seat in range(plan.cut.seats)]
    for tile in tiles:
        bench[tile] += 1
    return tiles
