"""Who needs least energy, how sure that is, and which price at the end of its range would turn it."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations, pairwise
from math import fsum, prod
from typing import NamedTuple

from archsim.model.ledger import price_unit
from archsim.model.uncertainty import Band, Constant, odds, ratio_band
from archsim.reports.comparison.matrix import Comparison, joules
from archsim.reports.comparison.outcome import Cell, Subject


class Turn(NamedTuple):
    """A price of a machine that by itself turns an order, and the end of its range that does; pJ per unit, or W.

    Or what lies around the machine, a factor, as its `site`. Prices are at the machine's own boundary, as in its file.
    """

    machine: str
    component: str
    action: str
    end: str
    price: float
    unit: str
    source: str


class Pair(NamedTuple):
    """Two machines, the one with less joules first.

    `ratio` is of the second to the first, `odds` the share of draws in which the first needs less. `turns` are the
    prices that turn the order each by itself, the strongest first; `firm` says that not even all of them together do.
    """

    less: Cell
    more: Cell
    ratio: float | None
    band: Band | None
    odds: float
    turns: tuple[Turn, ...]
    firm: bool


class Ranking(NamedTuple):
    """The cells of a workload by their joules, and all pairs of them; `steps` are the neighbours."""

    workload: Subject
    order: tuple[Cell, ...]
    pairs: tuple[Pair, ...]

    @property
    def steps(self) -> tuple[Pair, ...]:
        """Each but the last against the next."""
        found = {(id(pair.less), id(pair.more)): pair for pair in self.pairs}
        return tuple(found[id(less), id(more)] for less, more in pairwise(self.order))


def rankings(comparison: Comparison) -> tuple[Ranking, ...]:
    """One for each workload that two machines or more can run."""
    found = []
    for workload in comparison.workloads:
        order = tuple(sorted(comparison.results(workload), key=joules))
        if len(order) > 1:
            found.append(Ranking(workload, order, tuple(_pair(*pair) for pair in combinations(order, 2))))
    return tuple(found)


class _Difference(NamedTuple):
    """A figure with the cell that spends most on it, and what it adds to the joules of the first less the second.

    That is at its value, and with it alone at its low and at its high.
    """

    constant: Constant
    cell: Cell
    value: float
    low: float
    high: float


def _pair(less: Cell, more: Cell) -> Pair:
    stated = tuple(_differences(less, more, less.constants.outside, more.constants.outside))
    worst = _differences(less, more, _outside(less, more, "high"), _outside(more, less, "low"))
    gap = fsum(item.value for item in stated)
    strongest = sorted(stated, key=lambda item: item.value - max(item.low, item.high))
    turns = (turn for item in strongest for turn in _turns(item, gap - item.value))
    known = joules(less) > 0
    return Pair(
        less=less,
        more=more,
        ratio=joules(more) / joules(less) if known else None,
        band=ratio_band(more.constants, less.constants) if known else None,
        odds=odds(less.constants, more.constants),
        turns=(*turns, *_turned_around(less, more)),
        firm=fsum(max(item.value, item.low, item.high) for item in worst) < 0,
    )


def _outside(cell: Cell, other: Cell, end: str) -> float:
    """Joules outside for each inside, where what lies around this cell alone stands at an end of its range."""
    return prod(step.value if step in other.constants.around else getattr(step, end) for step in cell.constants.around)


def _differences(less: Cell, more: Cell, here: float, there: float) -> Iterator[_Difference]:
    """At the boundary of the joules: `here` and `there` are what both cells' are multiplied by to get there."""
    mine, its = ({item.figure: item for item in cell.constants.figures} for cell in (less, more))
    for figure in {**mine, **its}:
        one, other = mine.get(figure), its.get(figure)
        larger, cell = (one, less) if one and (other is None or one.value >= other.value) else (other, more)
        if larger is not None:
            ends = (here * _at(one, share) - there * _at(other, share) for share in (None, 0.0, 1.0))
            yield _Difference(larger, cell, *ends)


def _turned_around(less: Cell, more: Cell) -> Iterator[Turn]:
    """What lies around one of the machines only, and turns the order at an end of its range."""
    for cell, other, end in ((less, more, "high"), (more, less, "low")):
        for step in cell.constants.around:
            factor = getattr(step, end)
            moved = joules(cell) * factor / step.value
            turned = moved > joules(more) if cell is less else moved < joules(less)
            if turned and step not in other.constants.around:
                yield Turn(cell.machine.label, "site", step.name, end, factor, "x", step.told)


def _at(constant: Constant | None, share: float | None) -> float:
    """Joules at a quantile of the range, or at the stated value; none where a cell has nothing that stands on it."""
    if constant is None:
        return 0.0
    return constant.value if share is None else constant.at(share)


def _turns(item: _Difference, others: float) -> Iterator[Turn]:
    """The ends of a figure's range that turn the order, with all others as stated."""
    name = item.constant
    for end, moved in (("low", item.low), ("high", item.high)):
        if others + moved > 0:
            rows = item.cell.document["counts"]
            row = next(row for row in rows if (row["component"], row["action"]) == (name.component, name.action))
            price = row[f"{end}_pj"] / prod(getattr(step, end) for step in item.cell.constants.around)
            unit = price_unit(row["unit"])
            yield Turn(item.cell.machine.label, name.component, name.action, end, price, unit, name.source)
