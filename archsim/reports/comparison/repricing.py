"""A ledger as counts by price, so that a page can price it again; and where each price is written."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from pydantic import BaseModel

from archsim.model.component import Component, Connector
from archsim.model.ledger import STATIC_ACTION
from archsim.model.price import Price
from archsim.model.result import Result

_PLAIN = re.compile(r"[A-Za-z0-9_-]+")


@dataclass(frozen=True, slots=True)
class PricedAction:
    """Actions of one component that one price pays for.

    `counts` are units (B, MAC, op; ps of time) per output token by class of tensor, times what the run makes of the
    stated price (activity of the data, overheads of the software, clock): joules per token are the sum of counts x
    value x 1e-12. `setting` is the path of the price for `--set`, empty where no file states it.
    """

    component: str
    action: str
    kind: str
    unit: str
    value: float
    low: float
    high: float
    setting: str
    counts: Mapping[str, float]


def priced_actions(result: Result) -> tuple[PricedAction, ...]:
    """The prices of a run's ledger in its order; those with one setting are one."""
    counts: dict[str, dict[str, float]] = {}
    firsts: dict[str, tuple[str, str, str, str, Price]] = {}
    for entry in result.entries:
        row = entry.row
        if entry.stated is None and not entry.price.high:
            continue
        setting = _setting(result, row.component, row.action)
        key = setting or f"{row.component} {row.action}"
        unit = "W" if row.unit == "ps" else f"pJ/{row.unit}"
        stated = entry.stated or entry.price
        firsts.setdefault(key, (row.component, row.action, unit, setting, stated))
        tensors = counts.setdefault(key, {})
        tensor = result.tensor_class(row)
        billed = row.count * (entry.price.value / stated.value if stated.value else 1.0)
        tensors[tensor] = tensors.get(tensor, 0.0) + billed
    return tuple(
        PricedAction(
            component=component,
            action=action,
            kind="static" if action == STATIC_ACTION else result.machine.components[component].energy_kind,
            unit=unit,
            value=price.value,
            low=price.low,
            high=price.high,
            setting=setting,
            counts={tensor: count / result.tokens for tensor, count in counts[key].items()},
        )
        for key, (component, action, unit, setting, price) in firsts.items()
    )


def _setting(result: Result, name: str, action: str) -> str:
    """The path of a price in the hardware file: where the component keeps the very object that the action bills."""
    component = result.machine.components[name]
    price = component.static if action == STATIC_ACTION else result.machine.actions[name][action].price
    section = "links" if isinstance(component, Connector) else "components"
    found = next((path for path, item in _prices(component) if item is price), None)
    return "" if found is None else ".".join(("hardware", section, _quoted(name), *map(_quoted, found)))


def _prices(value: Component | object) -> Iterator[tuple[tuple[str, ...], Price]]:
    """Every price below a value with its path."""
    if isinstance(value, Price):
        yield (), value
    elif isinstance(value, BaseModel | Mapping):
        for key, item in value.items() if isinstance(value, Mapping) else value:
            yield from (((str(key), *path), price) for path, price in _prices(item))


def _quoted(part: str) -> str:
    return part if _PLAIN.fullmatch(part) else f'"{part}"'
