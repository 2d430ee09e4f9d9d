"""The flow net: one SimPy process that divides the ports among the flows under way.

Max-min fairness is a joint decision, so one process serves all ports. It wakes at the end of an instant in which
flows came or went, and solves only for the flows that are connected to the change by shared ports; each connected
group has one timer, for its next departure. A flow that meets nobody needs no decision: its end is known when it
comes.
"""

from collections import defaultdict
from collections.abc import Callable, Generator, Hashable, Sequence
from functools import lru_cache, partial
from operator import attrgetter

from simpy.events import Event

from archsim.engine.kernel import Bell, Clock, Timer
from archsim.engine.live import Dock, LiveFlow
from archsim.engine.maxmin import Demand, demand, paces
from archsim.engine.tally import Completions
from archsim.model.taskgraph import TICKS, Flow, Port

_SLACK = TICKS >> 20
"""Ticks left that count as none, for a flow that was slowed: its pace was rounded down to a tick per picosecond."""


class FlowNet:
    """Flows that share ports; calls `served` with each flow whose own time is used up.

    What is left of a flow is exact in ticks and its pace depends only on the flows that it meets, so equal layers take
    equal time.
    """

    fidelity = "flow"

    def __init__(self, clock: Clock, served: Callable[[LiveFlow], None]) -> None:
        self._clock = clock
        self._served = served
        self._ports: defaultdict[Port, Dock] = defaultdict(dict)
        self._docks: dict[int, tuple[Dock, ...]] = {}
        self._changed: list[LiveFlow] = []
        self._demands: dict[int, Demand] = {}
        self._paces: Callable[[tuple[Demand, ...]], tuple[int, ...]] = paces
        self._bell = Bell(clock)
        self._at_work = False

    def join(self, flow: LiveFlow) -> None:
        """Let a flow share its ports from now on."""
        docks = self._docks.get(id(flow.flow))
        flow.docks = self._find(flow.flow) if docks is None else docks
        alone = True
        for dock in flow.docks:
            if dock:
                alone = False
            dock[flow] = None
        if alone:
            flow.timer = Timer(self._clock, -(-flow.left // TICKS), flow.rank, partial(self._depart, [flow]))
        else:
            self._changed.append(flow)
            if not self._at_work:
                self._begin()
            self._bell.ring()

    def _begin(self) -> None:
        """Let the process work from the first time on that flows meet: many programs have no such time."""
        self._at_work = True
        self._paces = lru_cache(maxsize=1024)(paces)
        self._clock.process(self._serve())

    def state(self, flow: LiveFlow, now: int) -> Hashable:
        """What the future of a flow depends on: what is left of it."""
        return flow.left - flow.pace * (now - flow.since), flow.slack

    def counted(self, done: Completions) -> dict[tuple[str, str], int]:
        """Nothing: at `flow` no server sees bytes."""
        return {}

    def _find(self, flow: Flow) -> tuple[Dock, ...]:
        docks = self._docks[id(flow)] = tuple(self._ports[port] for port, load in flow.loads if load)
        return docks

    def _serve(self) -> Generator[Event, None, None]:
        while True:
            yield self._bell
            self._bell = Bell(self._clock)
            changed, self._changed = self._changed, []
            seen: set[LiveFlow] = set()
            for flow in changed:
                if flow not in seen:
                    group = _connected(flow)
                    seen.update(group)
                    self._set(group, self._paces(tuple(self._demand(one.flow) for one in group)))

    def _demand(self, flow: Flow) -> Demand:
        if id(flow) not in self._demands:
            self._demands[id(flow)] = demand(flow)
        return self._demands[id(flow)]

    def _set(self, group: Sequence[LiveFlow], speeds: Sequence[int]) -> None:
        """Let a group run at new paces, with a new timer for its next departure, which voids the old ones."""
        now = self._clock.now
        waits = []
        for flow, pace in zip(group, speeds, strict=True):
            _advance(flow, now)
            flow.pace = pace
            if pace < TICKS:
                flow.slack = _SLACK
            waits.append(-((flow.slack - flow.left) // pace))
        timer = Timer(self._clock, max(0, min(waits)), group[0].rank, partial(self._depart, group))
        for flow in group:
            flow.timer = timer

    def _depart(self, group: Sequence[LiveFlow], timer: Event) -> None:
        if group[0].timer is not timer:
            return
        now = self._clock.now
        done = []
        for flow in group:
            _advance(flow, now)
            if flow.left <= flow.slack:
                done.append(flow)
                for dock in flow.docks:
                    del dock[flow]
            else:
                self._changed.append(flow)
        if len(done) < len(group):
            self._bell.ring()
        for flow in done:
            self._served(flow)


def _advance(flow: LiveFlow, now: int) -> None:
    flow.left -= flow.pace * (now - flow.since)
    flow.since = now


def _connected(flow: LiveFlow) -> list[LiveFlow]:
    """The flows that a flow meets, directly or through others, in program order."""
    group = {flow: None}
    docks: set[int] = set()
    agenda = [flow]
    while agenda:
        for dock in agenda.pop().docks:
            if id(dock) not in docks:
                docks.add(id(dock))
                agenda += [other for other in dock if other not in group]
                group.update(dock)
    return sorted(group, key=attrgetter("rank"))
