"""A ledger as counts by price, so that a page can price it again; and where each price is written."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from archsim.model.ledger import STATIC_ACTION, price_unit
from archsim.model.price_paths import path_of
from archsim.model.pricing import Priced
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
    together: dict[str, list[Priced]] = {}
    for entry in result.entries:
        if entry.stated is not None or entry.price.high:
            row = entry.row
            key = _setting(result, row.component, row.action) or f"{row.component} {row.action}"
            together.setdefault(key, []).append(entry)
    return tuple(_action(result, entries) for entries in together.values())


def _action(result: Result, entries: Sequence[Priced]) -> PricedAction:
    """What the price of some entries pays for."""
    row, price = entries[0].row, entries[0].stated or entries[0].price
    counts: dict[str, float] = {}
    for entry in entries:
        tensor = result.tensor_class(entry.row)
        counts[tensor] = counts.get(tensor, 0.0) + _billed(entry)
    return PricedAction(
        component=row.component,
        action=row.action,
        kind="static" if row.action == STATIC_ACTION else result.machine.components[row.component].energy_kind,
        unit=price_unit(row.unit),
        value=price.value,
        low=price.low,
        high=price.high,
        setting=_setting(result, row.component, row.action),
        counts={tensor: count / result.tokens for tensor, count in counts.items()},
    )


def _billed(entry: Priced) -> float:
    """The count that comes to the same joules at the stated price."""
    stated = entry.stated or entry.price
    return entry.row.count * (entry.price.value / stated.value if stated.value else 1.0)


def _setting(result: Result, name: str, action: str) -> str:
    """The path of a price as `--set` takes it; empty where no file states it."""
    found = path_of(result.machine, name, action)
    return ".".join(("hardware", found[0], *map(_quoted, found[1:]))) if found else ""


def _quoted(part: str) -> str:
    return part if _PLAIN.fullmatch(part) else f'"{part}"'
