"""The tally: completions of tasks times what the graph says of each, so that booking costs nothing per event."""

from collections.abc import Iterable

from archsim.engine.live import Loop
from archsim.model.run import CountKey
from archsim.model.taskgraph import Port, Task


def completions(loops: Iterable[Loop]) -> list[tuple[Task, int]]:
    """Each task of the graph once, and how often it was completed wherever it stands."""
    tasks: dict[int, tuple[Task, int]] = {}
    for loop in loops:
        for place in loop.places:
            before = tasks[id(place.task)][1] if id(place.task) in tasks else 0
            tasks[id(place.task)] = (place.task, before + place.completed)
    return list(tasks.values())


def counts(done: Iterable[tuple[Task, int]]) -> dict[CountKey, int]:
    """The rows of the ledger: completions x bill."""
    rows: dict[CountKey, int] = {}
    for task, times in done:
        for flow in task.flows:
            for leg in flow.legs:
                key = CountKey(leg.component, leg.action, task.operator, task.phase, leg.tensor)
                rows[key] = rows.get(key, 0) + times * leg.bill
    return rows


def busy(done: Iterable[tuple[Task, int]]) -> dict[Port, int]:
    """Ticks of each port that completed flows took."""
    ticks: dict[Port, int] = {}
    for task, times in done:
        for flow in task.flows:
            for port, load in flow.loads:
                ticks[port] = ticks.get(port, 0) + times * load
    return ticks
