"""Exact repeats: what happened once from a state happens again from an equal one, so periods are skipped.

The state is all that the future depends on: every live task with its iteration relative to the newest one, where each
of its flows is and what is left of it, the credits, and who waits for them in which order. Ties follow program order,
so nothing else is hidden in the kernel.
"""

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from functools import partial

from simpy.events import Event

from archsim.engine.credits import Credits
from archsim.engine.held import Held
from archsim.engine.kernel import LOOK, Clock, Timer
from archsim.engine.live import Iteration, LiveFlow, LiveTask, Loop, Stage
from archsim.engine.program import Program
from archsim.model.run import Span

_PATIENCE = 64
"""States to remember before giving up on a loop."""


@dataclass(frozen=True, slots=True)
class _Glimpse:
    """What grows from one state to the next: the newest iteration, the time, and how it was held."""

    newest: int
    now: int
    held: dict[Span, int]


class Repeats:
    """Looks at the state where iterations end, one loop at a time, and skips periods once it equals an earlier one.

    Only while every live task belongs to the loop, and never past the unrolling of its last iteration.
    """

    def __init__(
        self,
        clock: Clock,
        program: Program,
        pool: Credits,
        held: Held,
        served: Callable[[LiveFlow, int], Hashable],
    ) -> None:
        self._clock = clock
        self._program = program
        self._pool = pool
        self._held = held
        self._served = served
        self._loop: Loop | None = None
        self._seen: dict[Hashable, _Glimpse] = {}
        self._looking = False
        self._settled = False

    def watch(self, iteration: Iteration) -> None:
        """Look at the state after all else at this instant, in which an iteration was completed."""
        newest = self._program.newest
        if newest is None or newest.loop is not iteration.loop:
            return
        if newest.loop is not self._loop:
            self._loop, self._seen, self._settled = newest.loop, {}, False
        if not self._looking and not self._settled and newest.number + 1 < newest.loop.times:
            self._looking = True
            Timer(self._clock, 0, LOOK, partial(self._look, newest.loop))

    def _look(self, loop: Loop, _: Event) -> None:
        self._looking = False
        newest = self._program.newest
        earliest = next(iter(self._program.live.values()), None)
        if newest is None or newest.loop is not loop or earliest is None or earliest.iteration.loop is not loop:
            return
        self._held.charge(self._clock.now)
        glimpse = _Glimpse(newest.number, self._clock.now, dict(self._held.spans))
        earlier = self._seen.setdefault(self._state(newest), glimpse)
        if earlier is not glimpse:
            self._skip(loop, earlier, glimpse)
        self._settled = earlier is not glimpse or len(self._seen) == _PATIENCE

    def _skip(self, loop: Loop, earlier: _Glimpse, later: _Glimpse) -> None:
        period = later.newest - earlier.newest
        periods = (loop.times - 1 - later.newest) // period
        loop.times -= periods * period
        loop.skipped += periods * period
        for place in loop.places:
            place.completed += periods * period
        self._clock.skipped += periods * (later.now - earlier.now)
        for span, held in later.held.items():
            self._held.spans[span] += periods * (held - earlier.held.get(span, 0))

    def _state(self, newest: Iteration) -> Hashable:
        tasks = tuple(self._task(task, newest) for task in self._program.live.values())
        queue = tuple(_position(task, newest) for task in self._pool.queue())
        return tasks, queue, tuple(self._pool.left.values())

    def _task(self, task: LiveTask, newest: Iteration) -> Hashable:
        return _position(task, newest), task.waits, tuple(map(self._flow, task.flows))

    def _flow(self, flow: LiveFlow) -> Hashable:
        if flow.stage is Stage.SHARE:
            return flow.stage, self._served(flow, self._clock.now)
        return flow.stage, None if flow.stage is Stage.DONE else self._clock.now - flow.since


def _position(task: LiveTask, newest: Iteration) -> tuple[int, int]:
    return task.place.index, newest.number - task.iteration.number
