"""A limit of board power as a clock for each kernel, found from counts and prices before anything is simulated.

A kernel that would draw more than the limit runs at a lower clock: what the clock drives serves more slowly, and at a
lower voltage each of its actions costs less. The engine sees longer kernels, never joules.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple

from archsim.model.component import ACTIVE_ACTION
from archsim.model.hardware import PowerCap
from archsim.model.ledger import STATIC_ACTION
from archsim.model.machine import Machine
from archsim.model.pricing import PriceList
from archsim.model.services import by_port
from archsim.model.tariff import Place, Tariff
from archsim.model.taskgraph import Course, Flow, Port, Stop, Task, TaskGraph

STEPS = 1000
"""Clocks that a kernel can have: 1/1000 to 1000/1000 of the nominal one."""


class Slowed(NamedTuple):
    """An operator that was held to the limit: the lowest share of the nominal clock that its kernels were timed at.

    It is 1 where only the prices of a mix are held, and no kernel takes longer.
    """

    operator: str
    phase: str
    clock: float


@dataclass(frozen=True)
class Capped:
    """A graph under a limit, the operators that it slows, and what that makes of their prices."""

    graph: TaskGraph
    slowed: tuple[Slowed, ...]
    factors: Mapping[Place, float]


def unlimited(graph: TaskGraph) -> Capped:
    """A graph without a limit, or within it."""
    return Capped(graph, (), {})


class _Draw(NamedTuple):
    """Picojoules of one device that no clock changes, those of clocked parts, and watts that time takes."""

    fixed: float
    clocked: float
    timed: float


class _Clock(NamedTuple):
    """Steps of a kernel: that which its time follows, and that, no higher, which its prices follow."""

    time: int
    price: int


_Work = tuple[tuple[Task, int], ...]
"""Kernels that run at one clock, each with how often it is done."""


def capped(
    graph: TaskGraph,
    machine: Machine,
    cap: PowerCap,
    prices: Tariff,
    stages: int = 1,
    lasting: frozenset[str] = frozenset(),
) -> Capped:
    """The graph at the highest clocks that keep the board within its limit.

    A limit that acts at once holds each kernel by itself. One that takes time to settle holds all kernels of a phase
    to one clock, and none of a phase that is over before; phases that are `lasting` go on beyond the run. A kernel is
    at work on all devices of one of the `stages` that the layers are divided over.
    """
    limiter = _Limiter(machine, cap, prices, max(1, machine.devices // stages))
    clocks = {id(task): clock for work, clock in _clocks(graph, limiter, lasting) for task, _ in work}
    slower = {
        id(task): limiter.slowed(task, clocks[id(task)].time) for task in _tasks(graph) if clocks[id(task)].time < STEPS
    }
    if all(clock.price == STEPS for clock in clocks.values()):
        return unlimited(graph)
    segments = tuple(
        replace(segment, tasks=tuple(slower.get(id(task), task) for task in segment.tasks))
        for segment in graph.segments
    )
    return Capped(replace(graph, segments=segments), _slowed(graph, clocks), _factors(graph, clocks, limiter))


def _clocks(graph: TaskGraph, limiter: _Limiter, lasting: frozenset[str]) -> Iterable[tuple[_Work, _Clock]]:
    """What runs at one clock, and that clock."""
    settles = limiter.cap.settles
    if not settles:
        yield from ((((task, 1),), limiter.clock(((task, 1),))) for task in _tasks(graph))
        return
    times = _times(graph)
    phases: dict[str, list[tuple[Task, int]]] = defaultdict(list)
    for task in _tasks(graph):
        phases[task.phase].append((task, times[id(task)]))
    for phase, work in phases.items():
        brief = phase not in lasting and sum(task.alone * count for task, count in work) < settles
        yield tuple(work), _Clock(STEPS, STEPS) if brief else limiter.clock(tuple(work))


def _times(graph: TaskGraph) -> Counter[int]:
    """How often each task is done."""
    times: Counter[int] = Counter()
    for segment in graph.segments:
        for task in segment.tasks:
            times[id(task)] += segment.times
    return times


def _tasks(graph: TaskGraph) -> Iterable[Task]:
    return {id(task): task for segment in graph.segments for task in segment.tasks}.values()


def _slowed(graph: TaskGraph, clocks: Mapping[int, _Clock]) -> tuple[Slowed, ...]:
    least: dict[tuple[str, str], int] = {}
    for task in _tasks(graph):
        place, clock = (task.operator, task.phase), clocks[id(task)]
        if clock.price < STEPS and task.flows:
            least[place] = min(clock.time, least.get(place, STEPS))
    return tuple(Slowed(*place, step / STEPS) for place, step in least.items())


def _factors(graph: TaskGraph, clocks: Mapping[int, _Clock], limiter: _Limiter) -> Mapping[Place, float]:
    """Prices at the clocks of an operator's kernels over those at the nominal one, by what each kernel counts."""
    times = _times(graph)
    sums: dict[Place, list[float]] = defaultdict(lambda: [0.0, 0.0])
    for task in _tasks(graph):
        factor = limiter.cheaper(clocks[id(task)].price)
        for place, count in limiter.clocked(task):
            sums[place][0] += count * times[id(task)]
            sums[place][1] += count * times[id(task)] * factor
    return {place: paid / count for place, (count, paid) in sums.items() if paid != count}


@dataclass(frozen=True)
class _Limiter:
    """Finds the clock of a task, done by so many devices `together`, and what it is at that clock."""

    machine: Machine
    cap: PowerCap
    prices: Tariff
    together: int

    def clock(self, work: _Work) -> _Clock:
        """The highest steps at which the board keeps its limit; the lowest ones where none does.

        Time follows prices of kernels alone, which are measured one by one. A mix may cost more than the limit
        leaves: then its prices follow a lower clock, and its time does not.
        """
        alone = self._draw(work, lambda _: self.prices.alone)
        mixed = self._draw(work, lambda task: self.prices.of(task.phase, task.operator))
        time = self._highest(STEPS, lambda step: self._watts(alone, step, self._taken(work, step)))
        taken = self._taken(work, time)
        return _Clock(time, self._highest(time, lambda step: self._watts(mixed, step, taken)))

    def _highest(self, most: int, watts: Callable[[int], float]) -> int:
        limit = self.cap.power.value
        if watts(most) <= limit:
            return most
        low, high = 1, most
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if watts(middle) <= limit else (low, middle)
        return low

    def cheaper(self, step: int) -> float:
        """The price of an action of the clocked parts, over that at the nominal clock."""
        return float((step / STEPS) ** (self.cap.exponent.value - 1))

    def clocked(self, task: Task) -> Iterable[tuple[Place, int]]:
        """Counts of what the clock drives."""
        for flow in task.flows:
            for leg in flow.legs:
                group = self.machine.group_of(leg.component)
                if group in self.cap.clocked and leg.action != ACTIVE_ACTION:
                    yield Place(task.operator, task.phase, group, leg.action), leg.bill

    def slowed(self, task: Task, step: int) -> Task:
        """The task at a step of the clock; the time that tiles are at work on it grows with it."""
        flows = tuple(self._flow(flow, step) for flow in task.flows)
        slow = replace(task, flows=flows)
        before, after = task.alone, slow.alone
        return replace(slow, flows=tuple(_at_work(flow, before, after) for flow in flows))

    def _flow(self, flow: Flow, step: int) -> Flow:
        needs = tuple(need._replace(ticks=self._ticks(need.port, need.ticks, step)) for need in flow.needs)
        own = max(flow.own, *by_port(needs).values()) if needs else flow.own
        return replace(
            flow,
            own=own,
            drain=flow.drain * own // flow.own if flow.own else flow.drain,  # what the slowest leg leaves unhidden
            loads=tuple((port, self._ticks(port, load, step)) for port, load in flow.loads),
            needs=needs,
            course=flow.course and self._course(flow.course, step),
        )

    def _course(self, course: Course, step: int) -> Course:
        def stop(at: Stop) -> Stop:
            return at._replace(ticks=self._ticks(at.port, at.ticks, step))

        strands = tuple(strand._replace(stops=tuple(map(stop, strand.stops))) for strand in course.strands)
        return course._replace(strands=strands, work=tuple(map(stop, course.work)))

    def _ticks(self, port: Port, ticks: int, step: int) -> int:
        driven = self.machine.group_of(port.component) in self.cap.clocked
        return -(-ticks * STEPS // step) if driven else ticks

    def _taken(self, work: _Work, step: int) -> int:
        """Picoseconds of kernels one after the other at a step of the clock."""
        return sum(self._alone(task, step) * times for task, times in work)

    def _alone(self, task: Task, step: int) -> int:
        if step == STEPS:
            return task.alone
        return replace(task, flows=tuple(self._flow(flow, step) for flow in task.flows)).alone

    def _draw(self, work: _Work, prices_of: Callable[[Task], PriceList]) -> _Draw:
        sums = {"fixed": 0.0, "clocked": 0.0, "active": 0.0}
        for task, times in work:
            prices = prices_of(task)
            for leg in (leg for flow in task.flows for leg in flow.legs):
                group = self.machine.group_of(leg.component)
                kind = "active" if leg.action == ACTIVE_ACTION else "clocked" if group in self.cap.clocked else "fixed"
                sums[kind] += times * leg.bill * prices[group, leg.action].value / self.together
        static = {name: self.prices.alone[name, STATIC_ACTION].value for name in self.machine.components}
        always = sum(watts * self.machine.instances(name) for name, watts in static.items())
        at_work = sums["active"] / max(1, self._taken(work, STEPS))
        return _Draw(sums["fixed"], sums["clocked"], always / self.machine.devices + at_work)

    def _watts(self, draw: _Draw, step: int, picoseconds: int) -> float:
        return draw.timed + (draw.fixed + draw.clocked * self.cheaper(step)) / max(1, picoseconds)


def _at_work(flow: Flow, before: int, after: int) -> Flow:
    legs = tuple(
        leg._replace(bill=leg.bill * after // before, critical=after) if leg.action == ACTIVE_ACTION else leg
        for leg in flow.legs
    )
    return replace(flow, legs=legs)
