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
    books: dict[tuple[str, str], dict[tuple[str, str, str], int]] = {}
    keys: list[CountKey] = []
    sums: list[int] = []
    for task, times in done:
        places = books.setdefault((task.operator, task.phase), {})
        for flow in task.flows:
            for leg in flow.legs:
                place = leg.component, leg.action, leg.tensor
                if place not in places:
                    places[place] = len(keys)
                    keys.append(CountKey(leg.component, leg.action, task.operator, task.phase, leg.tensor))
                    sums.append(0)
                sums[places[place]] += times * leg.bill
    return dict(zip(keys, sums, strict=True))


def busy(done: Iterable[tuple[Task, int]]) -> dict[Port, int]:
    """Ticks of each port that completed flows took."""
    ticks: dict[Port, int] = {}
    for task, times in done:
        for flow in task.flows:
            for port, load in flow.loads:
                ticks[port] = ticks.get(port, 0) + times * load
    return ticks
