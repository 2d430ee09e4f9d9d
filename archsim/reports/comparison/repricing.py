"""A ledger as counts by price, so that a page can price it again; and where each price is written."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from archsim.model.ledger import STATIC_ACTION, price_unit
from archsim.model.price import Price
from archsim.model.price_paths import path_of
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
        unit = price_unit(row.unit)
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
    """The path of a price as `--set` takes it; empty where no file states it."""
    found = path_of(result.machine, name, action)
    return ".".join(("hardware", found[0], *map(_quoted, found[1:]))) if found else ""


def _quoted(part: str) -> str:
    return part if _PLAIN.fullmatch(part) else f'"{part}"'
