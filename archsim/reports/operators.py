"""Where the time went, line by line: operators, and the time in which none ran, so that shares add up to a whole."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from archsim.model.limits import OperatorTime
from archsim.model.pricing import grouped
from archsim.model.result import Result
from archsim.model.run import Span
from archsim.model.taskgraph import PS_PER_SECOND
from archsim.reports.quantities import NOTHING, part_of, percent, percentages, si

_IDLE = "nothing"


class Line(NamedTuple):
    """One line of the operator table: time of one token (in prefill of the prompt), energy per output token."""

    operator: str
    phase: str
    time: str
    share: str
    energy: str
    limiter: str
    achieved: str
    used: str
    second: str
    bound: str


@dataclass(frozen=True, slots=True)
class _Spent:
    """What a line is made of: joules per output token; `times` None where it stands for several operators."""

    name: str
    phase: str
    seconds: float
    joules: float
    times: OperatorTime | None


def accounted(result: Result) -> tuple[OperatorTime, ...]:
    """All picoseconds of a run: its operators in program order, then the time that none of them held."""
    known = {Span(item.operator, item.phase) for item in result.operators}
    rest = {span: held for span, held in result.run.held.items() if held and span not in known}
    return (*result.operators, *(_idle(span, held, result) for span, held in rest.items()))


def _idle(span: Span, held: int, result: Result) -> OperatorTime:
    return OperatorTime(
        operator=span.operator,
        phase=span.phase,
        time_s=held / PS_PER_SECOND,
        share=held / result.run.picoseconds,
        limiter=_IDLE,
        second_limiter=_IDLE,
        achieved=0.0,
        peak=None,
        unit="",
        bound_s=0.0,
    )


def time_heading(result: Result) -> str:
    """What the times of the lines are of."""
    if result.workload.prompt_cached:
        return "per token"
    return "prompt/token" if result.workload.decode_steps else "per prompt"


def operator_lines(result: Result, limit: int | None = None) -> tuple[Line, ...]:
    """Phases in program order, in each the longest line first; the shortest beyond `limit` are added up in one."""
    joules = grouped(result.entries, lambda entry: Span(entry.row.operator, entry.row.phase))
    phases: dict[str, list[_Spent]] = {}
    for item in accounted(result):
        energy = joules.get(Span(item.operator, item.phase), 0.0) / result.tokens
        phases.setdefault(item.phase, []).append(_Spent(item.operator, item.phase, item.time_s, energy, item))
    spent = [one for lines in phases.values() for one in _folded(sorted(lines, key=_longest_first), limit)]
    shares = percentages([one.seconds for one in spent]) if result.run.picoseconds else [NOTHING] * len(spent)
    return tuple(_line(one, share, _steps(result, one.phase)) for one, share in zip(spent, shares, strict=True))


def _steps(result: Result, phase: str) -> int:
    """What the time of a phase is divided by; prefill, and idle time in a run that has one, are told as a whole."""
    decoded = phase == "decode" or (not phase and result.workload.prompt_cached)
    return max(1, result.workload.decode_steps) if decoded else 1


def _longest_first(spent: _Spent) -> tuple[float, str]:
    return -spent.seconds, spent.name


def _folded(lines: Sequence[_Spent], limit: int | None) -> Sequence[_Spent]:
    if limit is None or len(lines) <= limit:
        return lines
    rest = lines[limit - 1 :]
    seconds, joules = sum(line.seconds for line in rest), sum(line.joules for line in rest)
    return (*lines[: limit - 1], _Spent(f"{len(rest)} others", rest[0].phase, seconds, joules, None))


def _line(spent: _Spent, share: str, steps: int) -> Line:
    time, energy = si(spent.seconds / steps, "s"), si(spent.joules, "J")
    item = spent.times
    if item is None or item.limiter == _IDLE:
        return Line(spent.name, spent.phase, time, share, energy, *([NOTHING] * 5))
    second = NOTHING if item.second_limiter == _IDLE else item.second_limiter
    bound = si(item.bound_s / steps, "s")
    return Line(spent.name, spent.phase, time, share, energy, item.limiter, *_achieved(item), second, bound)


def _achieved(item: OperatorTime) -> tuple[str, str]:
    """The rate of the busiest port, of its peak, and the share that this is."""
    if not item.unit:
        return NOTHING, NOTHING
    if not item.peak:
        return si(item.achieved, item.unit), NOTHING
    return part_of(item.achieved, item.peak, item.unit), percent(item.achieved / item.peak)
