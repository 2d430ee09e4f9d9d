"""How sure a comparison is, in words: the order with its odds, and what each machine was held against."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from archsim.model.validity import Validities
from archsim.reports.comparison.matrix import Comparison, joules
from archsim.reports.comparison.outcome import Cell, Subject
from archsim.reports.comparison.ranking import Pair, Ranking, Turn, rankings
from archsim.reports.comparison.words import between, precision
from archsim.reports.quantities import NOTHING, interval, number, percent, si

ORDER = (
    "Prices are drawn from their ranges, 10,000 times; a figure that machines share is the same in all of them. Nine "
    "of ten draws lie between the two figures given. Times are as simulated."
)
ORDER_HEADINGS = (
    *("", "machine", "energy/token", "5–95 %", "the next needs", "draws in this order"),
    "a price that turns it, at the end of its range",
)

_MOST_TURNS = 4


class Place(NamedTuple):
    """A machine in the order of a workload, and the next one held against it; nothing behind the last."""

    place: str
    machine: str
    energy: str
    band: str
    next_needs: str
    odds: str
    turned_by: str


class Order(NamedTuple):
    """The places of a workload, the least joules first, and what weakens their order."""

    workload: Subject
    places: tuple[Place, ...]
    caveats: tuple[str, ...]


class Stands(NamedTuple):
    """How time and energy of a machine stand for some of the workloads."""

    workloads: str
    time: str
    energy: str


class Held(NamedTuple):
    """What the time and the energy of a machine were held against, and how its results stand to it."""

    machine: str
    evidence: tuple[str, ...]
    stands: tuple[Stands, ...]


class Doubt(NamedTuple):
    """A constant that the joules of a cell are least sure for, with its share of their variance."""

    machine: str
    workload: str
    constant: str
    share: str
    source: str


def doubts(comparison: Comparison) -> tuple[Doubt, ...]:
    """The largest of each cell, in order."""
    return tuple(
        Doubt(
            cell.machine.label,
            cell.workload.label,
            f"{item['component']} {item['action'].replace('_', ' ')}",
            percent(item["share"]),
            item["source"],
        )
        for cell in comparison.cells
        for item in cell.document["energy"]["dominant"]
    )


def orders(comparison: Comparison) -> tuple[Order, ...]:
    """One for each workload that two machines or more can run."""
    return tuple(Order(found.workload, _places(found), _caveats(found)) for found in rankings(comparison))


def _caveats(found: Ranking) -> tuple[str, ...]:
    """What the cells differ in beside their prices."""
    unlike = {
        "joules cover unlike things": {cell.document["hardware"]["boundary"]: None for cell in found.order},
        "precisions are unlike": {precision(cell): None for cell in found.order},
    }
    return tuple(f"{what}: {', '.join(texts)}" for what, texts in unlike.items() if len(texts) > 1)


def _places(found: Ranking) -> tuple[Place, ...]:
    nexts = [(_factor(step), chance(step.odds), _turned_by(step)) for step in found.steps]
    return tuple(
        Place(str(place), cell.machine.label, si(joules(cell), "J"), band(cell), *told)
        for place, (cell, told) in enumerate(zip(found.order, [*nexts, (NOTHING,) * 3], strict=True), start=1)
    )


def band(cell: Cell) -> str:
    """The joules that nine of ten draws lie between."""
    energy = cell.document["energy"]
    return interval(energy["p05_j"], energy["p95_j"], "J")


def chance(share: float) -> str:
    """A share of draws: what is not all of them never reads as all."""
    return ">99 %" if share > 0.99 else percent(share)  # noqa: PLR2004 - the last percent that can be told


def _factor(step: Pair) -> str:
    return NOTHING if step.ratio is None or step.band is None else f"{number(step.ratio)}× ({between(step.band)})"


def _turned_by(step: Pair) -> str:
    """The prices that turn an order by themselves; or that it takes several, or more than their ranges."""
    if step.turns:
        named: dict[str, list[str]] = {}
        for turn in step.turns[:_MOST_TURNS]:
            named.setdefault(turn.machine, []).append(_turn(turn))
        more = len(step.turns) - _MOST_TURNS
        texts = (f"{machine}: {', '.join(turns)}" for machine, turns in named.items())
        return "; ".join((*texts, *((f"{more} more",) if more > 0 else ())))
    return "nothing in their ranges" if step.firm else "several prices together"


def _turn(turn: Turn) -> str:
    return f"{turn.component} {turn.action.replace('_', ' ')} at {number(turn.price)} {turn.unit}"


def held(comparison: Comparison) -> tuple[Held, ...]:
    """The machines that have figures, in order."""
    return tuple(
        _held(machine.label, cells)
        for machine in comparison.machines
        if (cells := [cell for cell in comparison.cells if cell.machine == machine])
    )


def _held(machine: str, cells: Sequence[Cell]) -> Held:
    workloads: dict[Validities, list[str]] = {}
    for cell in cells:
        workloads.setdefault(cell.validity, []).append(cell.workload.label)
    time, energy = (item.against for item in cells[0].validity)
    return Held(
        machine,
        (f"time and energy: {time}",) if time == energy else (f"time: {time}", f"energy: {energy}"),
        tuple(Stands(", ".join(names), found.time.brief, found.energy.brief) for found, names in workloads.items()),
    )
