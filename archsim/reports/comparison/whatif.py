"""What the page needs to price every ledger again: counts by price, and where each price is written."""

from __future__ import annotations

from typing import Any

from archsim.model.pricing import joules_of
from archsim.reports.comparison.matrix import Comparison
from archsim.reports.comparison.outcome import Cell
from archsim.reports.comparison.repricing import PricedAction

Data = dict[str, Any]


def whatif(comparison: Comparison) -> Data:
    """Machines with their prices, and cells with counts per token of each price.

    Joules per token are the sum of counts x value x 1e-12. A price that no file states has no `setting`, and no slider.
    The times of a `frozen` cell would change with its prices.
    """
    machines = [_machine(comparison, index) for index in range(len(comparison.machines))]
    keys = [[price["key"] for price in machine["prices"]] for machine in machines]
    cells = []
    for cell in comparison.cells:
        machine = comparison.machines.index(cell.machine)
        counts = {_key(price): sum(price.counts.values()) for price in cell.prices}
        cells.append(
            {
                "workload": comparison.workloads.index(cell.workload),
                "machine": machine,
                "baseline": machine == comparison.baseline,
                "frozen": cell.document["power"]["tdp_limited"],
                "counts": [counts.get(key, 0) for key in keys[machine]],
            }
        )
    return {"machines": machines, "workloads": [workload.label for workload in comparison.workloads], "cells": cells}


def _machine(comparison: Comparison, index: int) -> Data:
    """A machine's prices, those that pay for most first."""
    machine = comparison.machines[index]
    cells = [cell for cell in comparison.cells if cell.machine == machine]
    found = {_key(price): price for cell in cells for price in cell.prices}
    spent = {key: max(_share(cell, key) for cell in cells) for key in found}
    ranked = sorted(found, key=lambda key: (-spent[key], key))
    return {"label": machine.label, "prices": [_price(found[key], spent[key]) for key in ranked]}


def _key(price: PricedAction) -> str:
    return price.setting or f"{price.component} {price.action}"


def _share(cell: Cell, key: str) -> float:
    """The part of a cell's joules that a price pays for."""
    total = cell.document["energy"]["per_token_j"] or 1.0
    mine = (price for price in cell.prices if _key(price) == key)
    return sum(joules_of(sum(price.counts.values()), price.value) for price in mine) / total


def _price(price: PricedAction, share: float) -> Data:
    return {
        "key": _key(price),
        "name": f"{price.component} {price.action.replace('_', ' ')}",
        "unit": price.unit,
        "value": price.value,
        "low": price.low,
        "high": price.high,
        "share": share,
        "setting": price.setting,
    }
