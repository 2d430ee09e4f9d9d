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
from archsim.model.slowing import at_work, slower
from archsim.model.tariff import Place, Tariff
from archsim.model.taskgraph import PS_PER_SECOND, Port, Task, TaskGraph

STEPS = 100_000
"""Clocks that a kernel can have, in equal steps up to the nominal one: finer than what one more token takes."""


class Slowed(NamedTuple):
    """An operator that was held to the limit: the lowest share of the nominal clock that its kernels ran at.

    Its phase was under way for `after_s` seconds at the nominal clock before the limit acted.
    """

    operator: str
    phase: str
    clock: float
    after_s: float


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
    """Picojoules of one device that no clock changes, those of clocked parts, and watts of time: of all, of work."""

    fixed: float
    clocked: float
    always: float
    at_work: float


class _Clock(NamedTuple):
    """The step that a kernel runs at, but for a share of its work that is done at the nominal clock before."""

    step: int
    before: float = 0.0


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
    to one clock from then on: each has a share of its work done before, at the nominal one. Phases that are `lasting`
    go on beyond the run, and have settled. A kernel is at work on all devices of one of the `stages` that the layers
    are divided over.
    """
    limiter = _Limiter(machine, cap, prices, max(1, machine.devices // stages))
    clocks = {id(task): clock for work, clock in _clocks(graph, limiter, lasting) for task, _ in work}
    slower = {
        id(task): limiter.slowed(task, clocks[id(task)]) for task in _tasks(graph) if clocks[id(task)].step < STEPS
    }
    if not slower:
        return unlimited(graph)
    segments = tuple(
        replace(segment, tasks=tuple(slower.get(id(task), task) for task in segment.tasks))
        for segment in graph.segments
    )
    factors = _factors(graph, limiter, clocks, slower)
    return Capped(replace(graph, segments=segments), _slowed(graph, limiter, clocks), factors)


def _clocks(graph: TaskGraph, limiter: _Limiter, lasting: frozenset[str]) -> Iterable[tuple[_Work, _Clock]]:
    """What runs at one clock, and that clock."""
    if not limiter.cap.settles:
        yield from ((((task, 1),), limiter.clock(((task, 1),), settled=True)) for task in _tasks(graph))
        return
    times = _times(graph)
    phases: dict[str, list[tuple[Task, int]]] = defaultdict(list)
    for task in _tasks(graph):
        phases[task.phase].append((task, times[id(task)]))
    for phase, work in phases.items():
        yield tuple(work), limiter.clock(tuple(work), settled=phase in lasting)


def _times(graph: TaskGraph) -> Counter[int]:
    """How often each task is done."""
    times: Counter[int] = Counter()
    for segment in graph.segments:
        for task in segment.tasks:
            times[id(task)] += segment.times
    return times


def _tasks(graph: TaskGraph) -> Iterable[Task]:
    return {id(task): task for segment in graph.segments for task in segment.tasks}.values()


def _slowed(graph: TaskGraph, limiter: _Limiter, clocks: Mapping[int, _Clock]) -> tuple[Slowed, ...]:
    least: dict[tuple[str, str], _Clock] = {}
    for task in _tasks(graph):
        place, clock = (task.operator, task.phase), clocks[id(task)]
        if clock.step < STEPS and task.flows:
            least[place] = min(clock, least.get(place, clock))
    settles = limiter.cap.settles / PS_PER_SECOND
    return tuple(Slowed(*place, clock.step / STEPS, settles if clock.before else 0.0) for place, clock in least.items())


def _factors(
    graph: TaskGraph, limiter: _Limiter, clocks: Mapping[int, _Clock], slower: Mapping[int, Task]
) -> Mapping[Place, float]:
    """Prices at the clocks of an operator's kernels over those at the nominal one, by what each kernel counts."""
    times = _times(graph)
    sums: dict[Place, list[float]] = defaultdict(lambda: [0.0, 0.0])
    for task in _tasks(graph):
        for place, count, factor in limiter.paid(task, slower.get(id(task), task), clocks[id(task)]):
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

    def clock(self, work: _Work, *, settled: bool) -> _Clock:
        """The highest step at which the board keeps its limit, the lowest where none does; and what is done before."""
        taken = self._taken(work, STEPS)
        before = 0.0 if settled else min(1.0, self.cap.settles / max(1, taken))
        if before == 1:
            return _Clock(STEPS)
        draw = self._draw(work, taken)
        return _Clock(self._highest(lambda step: self._watts(draw, step, self._taken(work, step))), before)

    def _highest(self, watts: Callable[[int], float]) -> int:
        limit = self.cap.power.value
        if watts(STEPS) <= limit:
            return STEPS
        low, high = 1, STEPS
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if watts(middle) <= limit else (low, middle)
        return low

    def paid(self, task: Task, slow: Task, clock: _Clock) -> Iterable[tuple[Place, int, float]]:
        """Counts of what the clock drives in a slower task, and what each costs over its price at the nominal clock."""
        longer = slow.alone / task.alone if task.alone else 1.0
        for leg in (leg for flow in slow.flows for leg in flow.legs):
            group = self.machine.group_of(leg.component)
            if group in self.cap.clocked:
                at_work = leg.action == ACTIVE_ACTION
                factor = self._at_work(clock, longer) if at_work else self._cheaper(clock)
                yield Place(task.operator, task.phase, group, leg.action), leg.bill, factor

    def _cheaper(self, clock: _Clock) -> float:
        """The price of an action of the clocked parts, over that at the nominal clock."""
        return clock.before + (1 - clock.before) * float((clock.step / STEPS) ** (self.cap.exponent.value - 1))

    def _at_work(self, clock: _Clock, longer: float) -> float:
        """The mean watts of tiles at work, over those at the nominal clock, in a kernel that takes so much longer."""
        return (clock.before + (longer - clock.before) * self._power(clock.step)) / longer

    def _power(self, step: int) -> float:
        """What a clocked part takes that is always busy, over that at the nominal clock."""
        return float((step / STEPS) ** self.cap.exponent.value)

    def slowed(self, task: Task, clock: _Clock) -> Task:
        """The task at a clock; the time that tiles are at work on it grows with it."""
        slow = at_work(task, self._at(task, clock))
        if not task.each:
            return slow
        return replace(slow, each=tuple(tuple(self.slowed(one, clock) for one in each) for each in task.each))

    def _at(self, task: Task, clock: _Clock) -> Task:
        return slower(task, lambda port, ticks: self._ticks(port, ticks, clock))

    def _ticks(self, port: Port, ticks: int, clock: _Clock) -> int:
        if self.machine.group_of(port.component) not in self.cap.clocked:
            return ticks
        slow = -(-ticks * STEPS // clock.step)
        return slow - int((slow - ticks) * clock.before)

    def _taken(self, work: _Work, step: int) -> int:
        """Picoseconds of kernels one after the other at a step of the clock."""
        clock = _Clock(step)
        return sum((task if step == STEPS else self._at(task, clock)).alone * times for task, times in work)

    def _draw(self, work: _Work, taken: int) -> _Draw:
        sums = {"fixed": 0.0, "clocked": 0.0, "active": 0.0}
        for task, times in work:
            prices = self.prices.of(task.phase, task.operator)
            for leg in (leg for flow in task.flows for leg in flow.legs):
                group = self.machine.group_of(leg.component)
                kind = "active" if leg.action == ACTIVE_ACTION else "clocked" if group in self.cap.clocked else "fixed"
                sums[kind] += times * leg.bill * prices[group, leg.action].value / self.together
        static = {name: self.prices.alone[name, STATIC_ACTION].value for name in self.machine.components}
        always = sum(watts * self.machine.instances(name) for name, watts in static.items())
        return _Draw(sums["fixed"], sums["clocked"], always / self.machine.devices, sums["active"] / max(1, taken))

    def _watts(self, draw: _Draw, step: int, picoseconds: int) -> float:
        at_work = draw.at_work * self._power(step)
        return draw.always + at_work + (draw.fixed + draw.clocked * self._cheaper(_Clock(step))) / max(1, picoseconds)
