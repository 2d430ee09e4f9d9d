"""The tally: completions of tasks times what the graph says of each, so that booking costs nothing per event."""

from collections.abc import Iterable, Iterator

from archsim.engine.live import Loop
from archsim.model.run import CountKey
from archsim.model.taskgraph import Port, Task


class Completions:
    """Each task of a graph once, and how often it was completed wherever it stands."""

    def __init__(self) -> None:
        self._tasks: dict[int, tuple[Task, int]] = {}

    def add(self, task: Task, times: int) -> None:
        """A task was completed so many times (more)."""
        _, before = self._tasks.get(id(task), (task, 0))
        self._tasks[id(task)] = (task, before + times)

    def __iter__(self) -> Iterator[tuple[Task, int]]:
        return iter(self._tasks.values())


def completions(loops: Iterable[Loop]) -> Completions:
    """What was completed in some loops."""
    done = Completions()
    for loop in loops:
        for place in loop.places:
            done.add(place.task, place.completed)
    return done


def counts(done: Iterable[tuple[Task, int]]) -> dict[CountKey, int]:
    """The rows of the ledger: completions x bill."""
    sums: dict[tuple[str, str, str, str, str], int] = {}
    for task, times in done:
        operator, phase = task.operator, task.phase
        for flow in task.flows:
            for component, action, tensor, bill, _, _ in flow.legs:
                key = (component, action, operator, phase, tensor)
                sums[key] = sums.get(key, 0) + times * bill
    return dict(zip(map(CountKey._make, sums), sums.values(), strict=True))


def busy(done: Iterable[tuple[Task, int]]) -> dict[Port, int]:
    """Ticks of each port that completed flows took."""
    ticks: dict[Port, int] = {}
    for task, times in done:
        for flow in task.flows:
            for port, load in flow.loads:
                ticks[port] = ticks.get(port, 0) + times * load
    return ticks
