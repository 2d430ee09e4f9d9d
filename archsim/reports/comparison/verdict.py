"""The comparison in a sentence for each workload: who needs least, by how much, and why."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from archsim.model.uncertainty import odds, ratio_band
from archsim.reports.comparison.matrix import Comparison, joules, pace
from archsim.reports.comparison.outcome import Cell, Subject
from archsim.reports.comparison.words import precision
from archsim.reports.quantities import counted, number, percent, rough, si

_EVEN, _TWICE = 1.03, 2.0
"""Ratios nearer to one than the first are told as equal, those below the second in percent."""

_MOST = 0.5
"""Of a difference: what explains more of it is its reason, what explains less is one of several."""

_CERTAIN = 0.01
"""Of all draws: an order that fewer of them turn is told without a caveat."""

IDEAL = "ideal"
"""The stack of machines whose software was not measured."""

_ACTIVE = "active"
"""Power of tiles at work: known of GPUs that were measured as they served, and of no other machine."""

_SPENT_ON = {
    "weights": "bringing its weights to the multipliers",
    "kv": "its KV cache",
    "state": "its recurrent state",
    "activations": "its activations",
    "arithmetic": "its arithmetic",
    "active": "power of its tiles at work",
    "static": "static power",
}


class Verdict(NamedTuple):
    """A sentence about one workload, and what weakens it."""

    workload: str
    sentence: str
    caveats: tuple[str, ...] = ()


def verdicts(comparison: Comparison) -> tuple[Verdict, ...]:
    """One for each workload, in order."""
    return tuple(_verdict(comparison, workload) for workload in comparison.workloads)


def _verdict(comparison: Comparison, workload: Subject) -> Verdict:
    ranked = sorted(comparison.results(workload), key=joules)
    reference = comparison.reference(workload)
    if not ranked:
        return Verdict(workload.label, "No machine here has figures for it; the table says why.")
    best = ranked[0]
    if len(ranked) == 1:
        return Verdict(workload.label, _alone(best, others=len(comparison.machines) - 1))
    if reference is None:
        other = ranked[1]
        missing = f"the baseline {comparison.machines[comparison.baseline].label} has no figures here"
        return Verdict(workload.label, _against(best, other), (missing, *_caveats(best, other)))
    other = ranked[1] if best is reference else reference
    return Verdict(workload.label, _against(best, other), _caveats(best, other))


def _alone(cell: Cell, others: int) -> str:
    took = f"{si(pace(cell).seconds, 's')} {pace(cell).of}"
    figures = f"{si(joules(cell), 'J')} per token, {took}."
    return f"{cell.machine.label} alone has figures: {figures}" if others else f"{cell.machine.label}: {figures}"


def _against(best: Cell, other: Cell) -> str:
    mine, its = best.machine.label, other.machine.label
    factor = joules(other) / joules(best) if joules(best) else None
    if factor is None:
        return f"{mine} needs no energy at all by its prices: nothing to hold against {its}."
    if factor < _EVEN:
        return f"{mine} and {its} need the same energy per token, {si(joules(best), 'J')}; {_speed(best, other, mine)}."
    less, told = f"{percent(1 - 1 / factor)} less", ""
    if factor >= _TWICE:
        tails = ratio_band(other.constants, best.constants)
        less = f"{rough(factor)}× less"
        told = f" ({rough(tails.p05)} to {rough(tails.p95)} times by the ranges of the prices)"
    reason = _because(best, other)
    return f"{mine} needs {less} energy per token than {its}{told}, {reason}; {_speed(best, other, 'it')}."


def _speed(best: Cell, other: Cell, called: str) -> str:
    mine, its = pace(best), pace(other)
    if mine.of != its.of or not mine.seconds or not its.seconds:
        return "their times are of unlike things"
    factor = its.seconds / mine.seconds
    if 1 / _EVEN < factor < _EVEN:
        return "both take the same time"
    quick = called if factor > 1 else other.machine.label
    return f"{quick} is {number(max(factor, 1 / factor))}× faster"


def _because(best: Cell, other: Cell) -> str:
    """The class of tensors, or static power, in which most of the difference lies."""
    mine, its = (cell.document["energy"]["by_tensor"] for cell in (best, other))
    told = [
        name for name in {**its, **mine} if name != _ACTIVE or mine.get(name)
    ]  # a price that is missing saves nothing
    savings = {name: its.get(name, 0.0) - mine.get(name, 0.0) for name in told}
    saved = max(savings, key=lambda name: savings[name])
    share = savings[saved] / (joules(other) - joules(best))
    word = "because" if share >= _MOST else "in part because"
    stays = _stays(best) if saved == "weights" and not _stays(other) else ""
    spent = _SPENT_ON.get(saved, f"its {saved}")
    costs = f"{spent} costs {si(mine.get(saved, 0.0), 'J')} a token instead of {si(its.get(saved, 0.0), 'J')}"
    return f"{word} {stays}: {costs}" if stays else f"{word} {costs}"


def _stays(cell: Cell) -> str:
    """Where weights stay that never travel; empty where they do."""
    touched = {price.kind for price in cell.prices if price.counts.get("weights")}
    if cell.home is None or not touched:
        return ""
    if "dram" not in touched:
        return "its weights never leave the chip"
    return "" if "link" in touched else "its weights never leave the memory"


def _caveats(best: Cell, other: Cell) -> tuple[str, ...]:
    found = []
    if best.machine.boundary != other.machine.boundary:
        found.append(f"their joules cover unlike things: {best.machine.boundary} and {other.machine.boundary}")
    if precision(best) != precision(other):
        found.append(f"unlike precision: {precision(best)} and {precision(other)}")
    mine, its = (cell.document["energy"]["by_tensor"].get(_ACTIVE, 0.0) for cell in (best, other))
    if its and not mine:
        unknown = f"{si(its, 'J')} of {other.machine.label} are power of its tiles at work"
        found.append(f"{unknown}, for which {best.machine.label} states no price")
    turned = odds(other.constants, best.constants)
    if turned >= _CERTAIN:
        found.append(f"the order is not certain: in {percent(turned)} of draws of the prices it is the other way round")
    flights = [cell.document["throughput"]["sequences_in_flight"] for cell in (best, other)]
    if flights[0] != flights[1]:
        found.append(f"{flights[0]:,} and {flights[1]:,} sequences in flight")
    return (*found, *_unlike_machines(best, other))


def _unlike_machines(best: Cell, other: Cell) -> Iterator[str]:
    """Software on one side alone, and unlike numbers of devices."""
    mine, its = (cell.document["hardware"] for cell in (best, other))
    for bare, laden, one, another in ((mine, its, best, other), (its, mine, other, best)):
        if bare["stack"] == IDEAL != laden["stack"]:
            software = f"{another.machine.label} has the overheads of `{laden['stack']}`"
            yield f"{one.machine.label} runs without software (stack `{IDEAL}`), {software}"
    if mine["devices"] != its["devices"]:
        yield f"{best.machine.label} is {_devices(mine)}, {other.machine.label} {_devices(its)}"


def _devices(hardware: Mapping[str, Any]) -> str:
    return counted(hardware["devices"], "device")
