"""Discrepancies of a run, as sentences, from evidence that the engine did not write: trace, declarations, graph.

Any sentence stops the report.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

from archsim.model.component import Connector
from archsim.model.machine import Machine
from archsim.model.plan import Plan
from archsim.model.run import CountKey, Run
from archsim.model.taskgraph import TICKS
from archsim.model.trace import Trace

_HOME_ROLES = ("weights", "kv", "state")
_SLACK = TICKS
"""Ticks by which the ends of a run may be rounded: one picosecond."""


class Books(NamedTuple):
    """What an audit looks at."""

    trace: Trace
    plan: Plan
    machine: Machine
    run: Run


def audit(trace: Trace, plan: Plan, machine: Machine, run: Run) -> tuple[str, ...]:
    """All discrepancies; none where the books balance."""
    books = Books(trace, plan, machine, run)
    return tuple(sentence for check in CHECKS for sentence in check(books))


def macs_asked_are_done(books: Books) -> Iterator[str]:
    """MACs issued, less the padding that the mapper declares, are those of the trace, each done once.

    Tensor parallelism may round a share up, by less than one per device and execution.
    """
    asked: dict[tuple[str, str], int] = defaultdict(int)
    executions: dict[tuple[str, str], int] = defaultdict(int)
    for operator, phase, times in books.trace.executions():
        if operator.macs:
            replicas = books.plan.parallel.get("tensor_parallel", 1) if operator.shards == "none" else 1
            asked[phase, f"mac_{operator.mac_dtype}"] += operator.macs * times * replicas
            executions[phase, f"mac_{operator.mac_dtype}"] += times
    padding: dict[tuple[str, str], int] = defaultdict(int)
    for declared in books.plan.declarations:
        padding[declared.phase, declared.action] += declared.extra
    issued = _sums(books.run, lambda key: (key.phase, key.action) if key.action.startswith("mac_") else None)
    for key in sorted(set(asked) | set(issued)):
        done = issued.get(key, 0) - padding[key]
        if not 0 <= done - asked[key] <= executions[key] * (books.machine.devices - 1):
            yield f"{key[0]}: {asked[key]:,} MACs asked by the trace in {key[1]}, {done:,} done"


def homes_serve_unique_bytes(books: Books) -> Iterator[str]:
    """Weights and caches are read at their home as often as the trace asks, and as the mapper declares beyond that."""
    asked: dict[tuple[str, str], int] = defaultdict(int)
    for operator, phase, times in books.trace.executions():
        for tensor in operator.reads:
            if tensor.role in _HOME_ROLES:
                asked[phase, tensor.role] += tensor.bytes * times
    for declared in books.plan.declarations:
        if declared.action == "read":
            asked[declared.phase, declared.tensor] += declared.extra
    homes: dict[str, str] = {placed.role: placed.component for placed in books.plan.placements}
    served = _sums(
        books.run,
        lambda key: (
            (key.phase, key.tensor) if key.action == "read" and homes.get(key.tensor) == key.component else None
        ),
    )
    for place in sorted(set(asked) | set(served)):
        if place[1] in homes and asked[place] != served.get(place, 0):
            yield (
                f"{place[0]}: `{homes[place[1]]}` serves {served.get(place, 0):,} B of {place[1]}, "
                f"but {asked[place]:,} B are asked and declared"
            )


def homes_take_what_is_appended(books: Books) -> Iterator[str]:
    """What the trace appends to caches and states is written at their home, by at least one device."""
    asked: dict[tuple[str, str], int] = defaultdict(int)
    for operator, phase, times in books.trace.executions():
        for tensor in operator.writes:
            if tensor.role in _HOME_ROLES:
                asked[phase, tensor.role] += tensor.bytes * times
    homes: dict[str, str] = {placed.role: placed.component for placed in books.plan.placements}
    taken = _sums(
        books.run,
        lambda key: (
            (key.phase, key.tensor) if key.action == "write" and homes.get(key.tensor) == key.component else None
        ),
    )
    for place, appended in sorted(asked.items()):
        if place[1] in homes and taken.get(place, 0) < appended:
            written = f"`{homes[place[1]]}` is written {taken.get(place, 0):,} B"
            yield f"{place[0]}: {appended:,} B of {place[1]} are appended by the trace, but {written}"


def bytes_over_links_meet_memories(books: Books) -> Iterator[str]:
    """What a memory reads and writes of a tensor is what the links at it carry: no hop forgotten, none twice."""
    incident = {
        name: [
            key
            for key, item in books.machine.components.items()
            if isinstance(item, Connector) and name in item.between
        ]
        for name, component in books.machine.components.items()
        if component.capacity_bytes != 0
    }
    stored = _sums(books.run, lambda key: (key.component, key.tensor) if key.action in ("read", "write") else None)
    moved = _sums(books.run, lambda key: (key.component, key.tensor) if key.action == "move" else None)
    for (memory, tensor), count in sorted(stored.items()):
        carried = sum(moved.get((link, tensor), 0) for link in incident.get(memory, ()))
        if carried != count:
            yield f"`{memory}` reads and writes {count:,} B of {tensor}, but its links carry {carried:,} B"


def actions_have_prices(books: Books) -> Iterator[str]:
    """Each billed action is one that its component offers, with a price."""
    for component, action in sorted({(books.machine.group_of(key.component), key.action) for key in books.run.counts}):
        if action not in books.machine.actions.get(component, {}):
            yield f"`{component}` bills `{action}`, which has no price"


def ports_fit_the_run(books: Books) -> Iterator[str]:
    """No port is busy longer than the run."""
    for port, ticks in sorted(books.run.busy.items()):
        if ticks > books.run.picoseconds * TICKS + _SLACK:
            busy = f"busy for {ticks // TICKS:,} ps of {books.run.picoseconds:,} ps"
            yield f"port `{port.name}` of `{port.component}` is {busy}"


def residents_fit(books: Books) -> Iterator[str]:
    """What must be held over the run fits where it is placed."""
    used: dict[str, int] = defaultdict(int)
    for placed in books.plan.placements:
        used[placed.component] += placed.bytes
    for name, needed in used.items():
        capacity = books.machine.components[name].capacity_bytes
        if capacity is not None and needed > capacity * books.machine.components[name].count:
            yield f"`{name}` holds {needed:,} B of {capacity * books.machine.components[name].count:,} B"


def time_is_held_once(books: Books) -> Iterator[str]:
    """The times of the operators add up to the run."""
    if sum(books.run.held.values()) != books.run.picoseconds:
        yield f"operators hold {sum(books.run.held.values()):,} ps of {books.run.picoseconds:,} ps"


def servers_count_what_is_laid_out(books: Books) -> Iterator[str]:
    """What servers counted as it passed is what the tasks lay out for one device, where a fidelity has servers."""
    if not books.run.served:
        return
    asked: dict[tuple[str, str], int] = {}
    for segment in books.plan.graph.segments:
        for task in segment.tasks:
            for stop in (stop for flow in task.flows if flow.course for stop in flow.course.stops):
                place = (stop.port.component, stop.action)
                asked[place] = asked.get(place, 0) + stop.units * segment.times
    for place in sorted(set(asked) | set(books.run.served)):
        if asked.get(place, 0) != books.run.served.get(place, 0):
            counted = f"the servers of `{place[0]}` counted {books.run.served.get(place, 0):,} units of `{place[1]}`"
            yield f"{counted}, but the tasks have {asked.get(place, 0):,} for one device"


CHECKS = (
    macs_asked_are_done,
    homes_serve_unique_bytes,
    homes_take_what_is_appended,
    bytes_over_links_meet_memories,
    actions_have_prices,
    ports_fit_the_run,
    residents_fit,
    time_is_held_once,
    servers_count_what_is_laid_out,
)


def _sums(run: Run, place: Callable[[CountKey], tuple[str, str] | None]) -> Mapping[tuple[str, str], int]:
    """Counts added up by a place in the books; keys without one are left out."""
    sums: dict[tuple[str, str], int] = {}
    for key, count in run.counts.items():
        found = place(key)
        if found is not None:
            sums[found] = sums.get(found, 0) + count
    return sums
