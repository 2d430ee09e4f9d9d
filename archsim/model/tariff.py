"""What a run pays: stated prices, and what its data, software and clocks make of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from archsim.model.component import ACTIVE_ACTION
from archsim.model.ledger import Row
from archsim.model.price import UNSTATED, Overhead, Price
from archsim.model.pricing import Priced, PriceList
from archsim.model.stack import Mix, Stack
from archsim.model.trace import Trace


class Place(NamedTuple):
    """Rows of the ledger that one clock ran for."""

    operator: str
    phase: str
    component: str
    action: str


@dataclass(frozen=True)
class Tariff:
    """Prices as stated, those that kernels pay alone, and those that decode steps of whole models pay.

    `prompts` is the share of an operator's MACs in decode that prompts ask for which join steps: they pay as alone.
    """

    stated: PriceList
    alone: PriceList
    steps: PriceList
    prompts: Mapping[str, float] = field(default_factory=dict)
    _blended: dict[float, PriceList] = field(default_factory=dict, repr=False, compare=False)
    _scaled: dict[tuple[int, float], Price] = field(default_factory=dict, repr=False, compare=False)

    def of(self, phase: str, operator: str = "") -> PriceList:
        """The prices of an operator in a phase."""
        if phase != "decode":
            return self.alone
        share = self.prompts.get(operator, 0.0)
        if share not in self._blended:
            self._blended[share] = _blended(self.alone, self.steps, share) if share else self.steps
        return self._blended[share]

    def joined(self, trace: Trace) -> Tariff:
        """The prices of a trace, of whose steps prompts may be a part."""
        asked, of_prompts = Counter[str](), Counter[str]()
        for operator, phase, times in trace.executions():
            if phase == "decode":
                asked[operator.name] += operator.macs * times
                of_prompts[operator.name] += operator.prompt_macs * times
        shares = {name: macs / asked[name] for name, macs in of_prompts.items() if macs}
        return replace(self, prompts=shares, _blended={}, _scaled={}) if shares else self

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
    return Tariff(stated, alone, alone if mix is None else _of_steps(stated, alone, mix, stack.name))


def _of_steps(stated: PriceList, alone: PriceList, mix: Mix, stack: str) -> PriceList:
    """What tiles pay in steps; units that multiply beside a memory run no kernels, and pay as alone."""
    found = dict(alone)
    for (component, action), price in alone.items():
        if action == ACTIVE_ACTION and mix.active is not None and stated[component, action].source == UNSTATED:
            found[component, action] = mix.active.model_copy(update={"boundary": price.boundary})
        elif action.startswith("mac_") and mix.mac.value != 1 and (component, ACTIVE_ACTION) in stated:
            found[component, action] = _dearer(price, mix.mac, stack)
    return found


def _blended(alone: PriceList, steps: PriceList, share: float) -> PriceList:
    """Prices of steps, with MACs that pay as alone for a share of them."""
    found = dict(steps)
    for key, price in steps.items():
        if key[1].startswith("mac_") and price is not alone[key]:
            ends = {
                end: share * getattr(alone[key], end) + (1 - share) * getattr(price, end)
                for end in ("value", "low", "high")
            }
            found[key] = price.model_copy(update=ends)
    return found


def _dearer(price: Price, overhead: Overhead, stack: str) -> Price:
    """A price times an overhead; the range is the wider of the two."""
    scaled = price.scaled(overhead.value)
    ends = {
        "low": min(scaled.low, price.value * overhead.low),
        "high": max(scaled.high, price.value * overhead.high),
        "source": f"{price.source}; x {overhead.value:g} in the mix of {stack}: {overhead.source}",
    }
    return scaled.model_copy(update=ends)
