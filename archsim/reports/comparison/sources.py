"""Where the figures of a comparison come from: files with their digests, and prices with their sources."""

from __future__ import annotations

from typing import NamedTuple

from archsim.reports.comparison.matrix import Comparison
from archsim.reports.comparison.outcome import Cell
from archsim.reports.quantities import number, same


class Cited(NamedTuple):
    """A price of a machine, as texts."""

    component: str
    action: str
    price: str
    interval: str
    boundary: str
    grade: str
    source: str


def inputs(comparison: Comparison) -> tuple[tuple[str, str], ...]:
    """Every file that was read and its SHA-256, by path."""
    read = {
        (item["path"], item["sha256"]) for cell in comparison.cells for item in cell.document["provenance"]["inputs"]
    }
    return tuple(sorted(read))


def prices(cells: tuple[Cell, ...]) -> tuple[Cited, ...]:
    """The prices that cells of one machine use, each once."""
    found: dict[tuple[str, str], Cited] = {}
    for cell in cells:
        ranges = {
            (count["component"], count["action"]): (count["low_pj"], count["high_pj"])
            for count in cell.document["counts"]
        }
        for price in cell.document["provenance"]["prices"]:
            key = price["component"], price["action"]
            low, high = ranges[key]
            bounds = "none stated" if same(low, high) else f"{number(low)}–{number(high)}"
            text = f"{number(price['value'])} {price['unit']}"
            found.setdefault(key, Cited(*key, text, bounds, price["boundary"], price["grade"], price["source"]))
    return tuple(found.values())
