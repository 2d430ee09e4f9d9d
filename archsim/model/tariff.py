"""What a run pays: stated prices, and what its data, software and clocks make of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from archsim.model.component import ACTIVE_ACTION
from archsim.model.ledger import Row
from archsim.model.price import UNSTATED, Overhead, Price, StaticPower
from archsim.model.pricing import Priced, PriceList
from archsim.model.stack import Stack
from archsim.model.trace import Attention, Sampling, Trace


class Place(NamedTuple):
    """Rows of the ledger that one clock ran for."""

    operator: str
    phase: str
    component: str
    action: str


@dataclass(frozen=True)
class Tariff:
    """Prices as stated, those that kernels pay alone, and those that decode steps of whole models pay.

    In steps attention of single tokens and the drawing of tokens have prices of their own: `apart`, by operator, once
    the trace has said which operators they are.
    """

    stated: PriceList
    alone: PriceList
    steps: PriceList
    attention: PriceList
    sampling: PriceList
    apart: Mapping[str, PriceList] = field(default_factory=dict)
    _scaled: dict[tuple[int, float], Price] = field(default_factory=dict, repr=False, compare=False)

    def of(self, phase: str, operator: str = "") -> PriceList:
        """The prices of an operator in a phase."""
        return self.apart.get(operator, self.steps) if phase == "decode" else self.alone

    def joined(self, trace: Trace) -> Tariff:
        """The prices of a trace: of attention those of a prompt that joins a step are as alone."""
        apart = {}
        for operator, phase, _ in trace.executions():
            if phase == "decode" and isinstance(operator.shape, Attention) and operator.shape.queries == 1:
                apart[operator.name] = self.attention
            elif phase == "decode" and isinstance(operator.shape, Sampling):
                apart[operator.name] = self.sampling
        return replace(self, apart=apart, _scaled={})

    def bill(self, rows: Iterable[Row], slowed: Mapping[Place, float]) -> tuple[Priced, ...]:
        """Each row with its price, times the factor of a slower clock; the audit has made sure that there is one."""
        return tuple(self._priced(row, slowed) for row in rows)

    def _priced(self, row: Row, slowed: Mapping[Place, float]) -> Priced:
        place = row.component, row.action
        paid, stated = self.of(row.phase, row.operator)[place], self.stated[place]
        factor = slowed.get(Place(row.operator, row.phase, row.component, row.action), 1.0)
        if factor != 1:
            paid = self._scaled.setdefault((id(paid), factor), paid.scaled(factor))
        return Priced(row, paid, None if stated.source == UNSTATED else stated)


def tariff(stated: PriceList, activity: float, stack: Stack, *, mixed: bool, here: PriceList | None = None) -> Tariff:
    """The prices of a run with data of some activity; `mixed` where it runs steps of a whole model.

    `here` are the prices at the node that the machine stands at, where that is another than its files state.
    """
    alone = {key: price.at(activity) for key, price in (here or stated).items()}
    mix = stack.mix if mixed else None
    if mix is None:
        return Tariff(stated, alone, alone, alone, alone)
    steps = _at_work(stated, alone, mix.active)
    attention = _attending(stated, steps, mix.attention, stack.name)
    return Tariff(stated, alone, steps, attention, _at_work(stated, steps, mix.sampling or mix.active))


def _at_work(stated: PriceList, prices: PriceList, power: StaticPower | None) -> PriceList:
    """Prices with the power of a tile at work, where the machine states none."""
    unstated = [key for key in prices if key[1] == ACTIVE_ACTION and stated[key].source == UNSTATED]
    found = {key: power.model_copy(update={"boundary": prices[key].boundary}) for key in unstated if power is not None}
    return {**prices, **found}


def _attending(stated: PriceList, prices: PriceList, overhead: Overhead, stack: str) -> PriceList:
    """Prices of attention; units that multiply beside a memory run no kernels, and pay as alone."""
    of_tiles = [key for key in prices if key[1].startswith("mac_") and (key[0], ACTIVE_ACTION) in stated]
    dearer = {key: _dearer(prices[key], overhead, stack) for key in of_tiles if overhead.value != 1}
    return {**prices, **dearer}


def _dearer(price: Price, overhead: Overhead, stack: str) -> Price:
    """A price times an overhead; the range is the wider of the two."""
    scaled = price.scaled(overhead.value)
    ends = {
        "low": min(scaled.low, price.value * overhead.low),
        "high": max(scaled.high, price.value * overhead.high),
        "source": f"{price.source}; x {overhead.value:g} in the mix of {stack}: {overhead.source}",
    }
    return scaled.model_copy(update=ends)
