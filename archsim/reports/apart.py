"""What it costs that devices wait for each other, where each is simulated by itself."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate, groupby

from archsim.model.devices import DeviceTime, device_times
from archsim.model.ledger import STATIC_ACTION
from archsim.model.pricing import grouped
from archsim.model.result import Result
from archsim.model.taskgraph import PS_PER_SECOND
from archsim.reports.quantities import si

_FEW = 3
"""Groups of devices that are told one by one."""


def waiting(result: Result) -> tuple[DeviceTime, ...]:
    """The time of each device; none where equal ones are folded."""
    return device_times(result.plan.graph, result.run, result.plan.apart) if result.plan.apart else ()


def waiting_j(result: Result, waited: int) -> float:
    """Joules per output token of so many picoseconds of a device's static power."""
    static = grouped(result.entries, lambda entry: entry.row.action).get(STATIC_ACTION, 0.0)
    whole = result.run.picoseconds * result.machine.devices
    return static * waited / whole / result.tokens if whole else 0.0


def told(result: Result) -> str:
    """Who waits how long at collectives, and the joules of it."""
    times, total = waiting(result), result.run.picoseconds
    if not (times and total):
        return ""
    shares = [f"{item.waits / total:.1%}".removesuffix("%") for item in times]
    waited = sum(item.waits for item in times)
    mean = waited / len(times) / result.workload.output_tokens / PS_PER_SECOND
    if not waited:
        return "each by itself; none waits for another"
    cost = f"on average {si(mean, 's')} a token, in which all draw {si(waiting_j(result, waited), 'J')} of static power"
    return f"each by itself; {_who(shares)} % of the time at collectives for the slowest; {cost}"


def _who(shares: Sequence[str]) -> str:
    """Devices that wait about as long together; all of them where each waits for another time."""
    alike = [(share, len(list(same))) for share, same in groupby(shares)]
    if len(alike) > _FEW:
        ordered = sorted(shares, key=float)
        return f"they wait {ordered[0]} to {ordered[-1]}"
    ends = accumulate(count for _, count in alike)
    return ", ".join(
        f"{_named(end - count, end - 1)} {'waits' if count == 1 else 'wait'} {share}"
        for (share, count), end in zip(alike, ends, strict=True)
    )


def _named(first: int, last: int) -> str:
    return f"device {first}" if first == last else f"devices {first} to {last}"
