"""The one place where counts become joules: energy = integer counts x prices, and 1 W x 1 ps = 1 pJ."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import fsum
from typing import NamedTuple, TypeVar

from archsim.model.ledger import STATIC_ACTION, Row
from archsim.model.machine import Machine
from archsim.model.price import UNSTATED, Price
from archsim.model.scaling import scaled, scaling

_PJ_PER_JOULE = 1e12

PriceList = Mapping[tuple[str, str], Price]


class Joules(NamedTuple):
    """Energy with the interval that the ranges of its prices span."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Priced:
    """A ledger row with the price of its action in this run, and as a file states it (None: software states it)."""

    row: Row
    price: Price
    stated: Price | None

    @property
    def picojoules(self) -> float:
        """Count x price."""
        return self.row.count * self.price.value


def price_list(machine: Machine, origin: str, sources: Mapping[str, str]) -> PriceList:
    """Prices of all actions of a machine by (component, action), static power included.

    A price without a boundary has the machine's; one without a source was stated in `origin`, unless `sources` names
    its path.
    """
    listed: dict[tuple[str, str], Price] = {}
    stated = {_action_of(path): text for path, text in sources.items()}
    for name, component in machine.components.items():
        prices = {action: item.price for action, item in machine.actions[name].items()} | {
            STATIC_ACTION: component.static
        }
        for action, price in prices.items():
            source = price.source or stated.get((name, action), origin)
            listed[name, action] = price.model_copy(
                update={"boundary": price.boundary or machine.boundary, "source": source}
            )
    return listed


def at_node(prices: PriceList, machine: Machine) -> PriceList:
    """The prices with those of components that stand at another process node scaled."""
    return {key: price if price.source == UNSTATED else _scaled(price, machine, *key) for key, price in prices.items()}


def _scaled(price: Price, machine: Machine, name: str, action: str) -> Price:
    unit = "ps" if action == STATIC_ACTION else machine.actions[name][action].unit
    return scaled(price, scaling(machine.components[name], unit))


def _action_of(path: str) -> tuple[str, str]:
    """The component and action that a path of a price means: `components.sm.energy.mac.bf16` is (sm, mac_bf16)."""
    _, name, *rest = [*path.split("."), "", ""]
    parts = [part for part in rest if part and part != "energy"]
    return name, "_".join(parts) or "move"


def priced(rows: Iterable[Row], prices: PriceList) -> tuple[Priced, ...]:
    """Each row with its price as it is stated."""
    places = [(row, prices[row.component, row.action]) for row in rows]
    return tuple(Priced(row, price, price) for row, price in places)


def joules_of(count: float, price: float) -> float:
    """Joules of so many units at a price in picojoules each; of picoseconds at a price in watts."""
    return count * price / _PJ_PER_JOULE


def joules(entries: Sequence[Priced]) -> Joules:
    """Sum over rows, with the interval in which all prices stand at their low or all at their high."""
    return Joules(
        fsum(entry.picojoules for entry in entries) / _PJ_PER_JOULE,
        fsum(entry.row.count * entry.price.low for entry in entries) / _PJ_PER_JOULE,
        fsum(entry.row.count * entry.price.high for entry in entries) / _PJ_PER_JOULE,
    )


def watts(entries: Iterable[Priced], ran: float, measured: float) -> float:
    """Watts of a run of `ran` seconds, had it taken the `measured` ones: what is paid by time draws what it drew."""
    found = grouped(entries, lambda entry: entry.row.timed)
    return found.get(True, 0.0) / ran + found.get(False, 0.0) / measured


LOW_ACTIVITY = 0.5
"""Of data that are not random: what weights that were never written read like."""


def joules_at(entries: Iterable[Priced], given: float, wanted: float) -> float:
    """Joules if the data had another activity than the run's, nothing simulated anew."""
    return fsum(entry.picojoules * _activity(entry.price.data, given, wanted) for entry in entries) / _PJ_PER_JOULE


def _activity(data: float, given: float, wanted: float) -> float:
    """A price at one activity of the data over that at another; what costs nothing stays so."""
    at = 1 - data * (1 - given)
    return (1 - data * (1 - wanted)) / at if at else 0.0


K = TypeVar("K", bound=Hashable)


def grouped(entries: Iterable[Priced], key: Callable[[Priced], K]) -> dict[K, float]:
    """Joules by a property of the row or of its price."""
    parts: dict[K, list[float]] = {}
    for entry in entries:
        parts.setdefault(key(entry), []).append(entry.picojoules)
    return {name: fsum(part) / _PJ_PER_JOULE for name, part in parts.items()}
