"""The machine as a graph of components: it knows the routes, and it alone makes flows, so no hop is forgotten."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction

from archsim.model.component import ACTIVE_ACTION, OPEN_ACTION, Action, Component, Touch
from archsim.model.graph import Hop, NoRouteError, Wiring, wire
from archsim.model.journeys import journeys_of, strands_of, timed
from archsim.model.knee import unhidden
from archsim.model.price import Boundary
from archsim.model.request import Move, Requester, Work
from archsim.model.services import Piece, Served, Service, by_port, demands, piece_of
from archsim.model.taskgraph import PS_PER_SECOND, TICKS, Course, Flow, Leg, Port, Strand, Task


@dataclass(frozen=True)
class Machine:
    """Components by name, and the graph that joins their instances.

    A group of equal instances is one node with a count, unless a topology joins its instances to each other: then
    each is a node of its own. Equal devices are folded: everything stands `devices` times, and each device does the
    same.
    """

    name: str
    boundary: Boundary
    devices: int
    components: Mapping[str, Component]
    actions: Mapping[str, Mapping[str, Action]]
    wiring: Wiring
    _routes: dict[tuple[str, str], tuple[Hop, ...]] = field(default_factory=dict, repr=False, compare=False)
    _touches: dict[tuple[str, int | None], Touch | None] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )
    _ways: dict[tuple[str, str, int | None], tuple[Service, ...]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )
    _served: dict[Move, Served] = field(default_factory=dict, init=False, repr=False, compare=False)

    def instances(self, group: str) -> int:
        """Instances of a component over all devices (edges of a topology counted one by one)."""
        return self.components[group].count * self.devices * self.wiring.edges.get(group, 1)

    def group_of(self, node: str) -> str:
        """The component group that a node (or an edge of a topology) belongs to."""
        return self.wiring.group_of(node)

    def route(self, source: str, target: str) -> tuple[Hop, ...]:
        """Links and switches from one node to another, never through a third memory or tile group; found once.

        Raises:
            NoRouteError: where the graph has none.
        """
        key = (source, target)
        if key not in self._routes:
            self._routes[key] = self.wiring.route(source, target)
        return self._routes[key]

    def connected(self, source: str, target: str) -> bool:
        """Whether there is a route."""
        try:
            self.route(source, target)
        except NoRouteError:
            return False
        return True

    def multicast(self, source: str, targets: Iterable[str]) -> tuple[Hop, ...]:
        """The union of the routes to all targets: each link of the tree carries each byte once."""
        return tuple(dict.fromkeys(hop for target in targets for hop in self.route(source, target)))

    def reduce(self, sources: Iterable[str], target: str) -> tuple[Hop, ...]:
        """The union of the routes from all sources: partial sums meet on the way."""
        return tuple(dict.fromkeys(hop for source in sources for hop in self.route(source, target)))

    def carry(self, tensor: str, hops: Iterable[Hop], size: int) -> tuple[Leg, ...]:
        """Legs of `size` bytes over each of the hops."""
        return tuple(Leg(hop.node, "move", tensor, size, size, 1) for hop in hops)

    def latency(self, hops: Iterable[Hop]) -> int:
        """Picoseconds over hops one after the other."""
        return sum(self.actions[hop.group]["move"].latency for hop in hops)

    def flow(self, moves: Sequence[Move], work: Sequence[Work], requester: Requester, drain: int = 0) -> Flow:
        """One flow of moves and work that advance together.

        Its own time is the larger of the sum of critical / rate over each port, and of Little's bytes x latency /
        window of a tensor that is waited for. At its end come `drain` picoseconds and those of a knee.
        """
        served = [self._served.get(move) or self._serve(move) for move in moves]
        carried = [piece for one in served for piece in one.pieces]
        worked = [self._worked(item) for item in work]
        needs, loads = demands(carried + worked)
        strands = strands_of(moves, [one.stops for one in served])
        journeys = journeys_of(strands)
        spent = timed(journeys, by_port(needs), {piece.at.port for piece in worked}, requester)
        if requester.knee:
            legs = [carried] if requester.streams else [one.pieces for one in served]
            ports = ([piece.at.port for piece in leg] for leg in legs)
            drain += unhidden(by_port(needs), ports, spent.stall, requester.knee)
        measured = requester.turnaround or any(requester.trip > one.latency for one in journeys)
        return Flow(
            legs=(*(piece.leg for piece in carried + worked), *(leg for one in served for leg in one.opened)),
            own=spent.own,
            loads=tuple(sorted(loads.items())),
            fill=spent.fill,
            drain=spent.drain + drain,
            lead=max((one.size for one in journeys), default=0) * self.devices,
            weight=requester.ways * self.devices,
            stall=spent.stall,
            needs=needs,
            course=Course(
                strands=strands,
                work=tuple(piece.stop for piece in worked),
                ways=requester.ways,
                window=requester.window,
                grain=requester.grain,
                drain=drain,
                pace=spent.stall if measured else 0,
            ),
        )

    def at_work(self, task: Task, component: str, ways: int, over: Fraction | None = None) -> Task:
        """The task, and the time that `ways` instances of a component are at work on it, launch included.

        Nothing is added where the component has no such action. `over` is as in `Work`.
        """
        if ACTIVE_ACTION not in self.actions[component]:
            return task
        spent = task.alone
        leg = Leg(component, ACTIVE_ACTION, "", self._all(ways * spent, over), spent, ways * self.devices)
        first, *others = task.flows or (Flow((), 0, ()),)
        return replace(task, flows=(replace(first, legs=(*first.legs, leg)), *others))

    def exchange(self, link: str, tensor: str, sent: int, rate: int | None, over: Fraction | None = None) -> Flow:
        """The busiest device sends `sent` bytes over its own link, at no more than `rate` bytes per second.

        All devices together send `over` times as much; as often as there are devices where left out.
        """
        leg = Leg(link, "move", tensor, self._all(sent, over), sent, self.devices)
        piece = piece_of(leg, self._service(link, "move", "down"), sent)
        needs, _ = demands([piece])
        ticks = by_port(needs)
        stall = sent * PS_PER_SECOND * TICKS // rate if rate else 0
        loads = tuple((port, spent) for port, spent in ticks.items() if spent)
        own = max(stall, *ticks.values())
        stop = piece.stop._replace(latency=0)  # the mapper has it in the steps of the exchange
        course = Course((Strand((stop,)),), (), 1, pace=stall)
        return Flow(
            (leg,), own, loads, lead=sent * self.devices, weight=self.devices, stall=stall, needs=needs, course=course
        )

    def _serve(self, move: Move) -> Served:
        """How a move is served; found once, since most moves of a token are those of the one before."""
        pieces = tuple(self._carried(move))
        found = Served(pieces, tuple(piece.stop for piece in pieces), tuple(self._opened(move)))
        self._served[move] = found
        return found

    def _carried(self, move: Move) -> Iterator[Piece]:
        bill = self._all(move.bytes, move.over)
        for served in self._way(move.source, move.target, move.run):
            at = served
            if served.action == "read":
                at = served.sped_up(move.faster, self.actions[self.group_of(served.node)]["read"].peak)
            even = -(-move.bytes // at.ways)
            if at.action != "move":
                critical = max(even, min(move.bytes, move.fullest or 0))
            else:
                critical = even if move.busiest is None or at.ways == 1 else max(move.busiest, even)
            leg = Leg(at.node, at.action, move.tensor, bill, critical, at.ways * self.devices)
            yield piece_of(leg, at, move.bytes)

    def _way(self, source: str, target: str, run: int | None) -> tuple[Service, ...]:
        """Where a move is served: read, carried hop by hop, written; found once."""
        way = self._ways.get((source, target, run))
        if way is None:
            hops = (self._service(hop.node, "move", hop.port) for hop in self.route(source, target))
            way = (*self._stored(source, "read", run), *hops, *self._stored(target, "write", None))
            self._ways[source, target, run] = way
        return way

    def _stored(self, memory: str, action: str, run: int | None) -> Iterator[Service]:
        if action in self.actions[self.group_of(memory)]:
            at, touch = self._service(memory, action), self._touch(memory, run)
            slower = touch.slower if touch else 1
            yield at if at.rate is None else at._replace(rate=int(at.rate / slower))

    def _touch(self, memory: str, run: int | None) -> Touch | None:
        """What runs make of a memory; worked out once."""
        if (memory, run) not in self._touches:
            self._touches[memory, run] = self.components[self.group_of(memory)].touch(run)
        return self._touches[memory, run]

    def _opened(self, move: Move) -> Iterator[Leg]:
        """The rows that a move opens where it is read and written."""
        for memory, run in ((move.source, move.run), (move.target, None)):
            touch = self._touch(memory, run)
            if touch is not None:
                count, opened = self.components[self.group_of(memory)].count, touch.opened
                rows = -(-move.bytes * opened.numerator // opened.denominator)
                fullest = min(move.bytes, move.fullest or 0)
                each = max(-(-rows // count), -(-fullest * opened.numerator // opened.denominator))
                yield Leg(memory, OPEN_ACTION, move.tensor, self._all(rows, move.over), each, count * self.devices)

    def _worked(self, work: Work) -> Piece:
        at = self._service(work.component, work.action)
        bill = self._all(work.amount, work.over)
        leg = Leg(work.component, work.action, "", bill, work.critical, work.ways * self.devices)
        return piece_of(leg, at, work.amount)

    def _service(self, node: str, action: str, port: str | None = None) -> Service:
        group = self.group_of(node)
        offered, component = self.actions[group][action], self.components[group]
        pool = self.instances(group) if component.pooled else None
        place = Port(node, port or offered.port)
        return Service(node, action, place, offered.rate, offered.latency, component.count, pool)

    def _all(self, amount: int, over: Fraction | None) -> int:
        """What all devices do together, rounded up."""
        return amount * self.devices if over is None else -(-amount * over.numerator // over.denominator)


def assemble(name: str, boundary: Boundary, devices: int, components: Mapping[str, Component]) -> Machine:
    """A machine of components by name, links among them."""
    return Machine(
        name, boundary, devices, components, {key: item.actions() for key, item in components.items()}, wire(components)
    )
