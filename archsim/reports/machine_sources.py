"""Where the figures of a machine come from: each price with its range, boundary and grade, then what is no price."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from archsim.model.ledger import STATIC_ACTION
from archsim.model.price import Price
from archsim.reports.page import QUIET, Column, heading, table
from archsim.reports.portrait import Portrait, energy, named, offers, span
from archsim.reports.quantities import si

if TYPE_CHECKING:
    from rich.console import Console


def sources(portrait: Portrait, console: Console) -> None:
    """Every price with its range, boundary, grade and source; then the sources of what is no price."""
    rows = list(_stated(portrait))
    told = {source for *_, source in rows}
    heading("Sources of prices", console)
    found = table((Column(), Column(), Column(wraps=True, style=QUIET)), ())
    for name, figure, source in rows:
        found.add_row(name, figure, source)
    console.print(found)
    others = [(path, text) for path, text in portrait.hardware.sources.items() if text not in told]
    if others:
        heading("Sources of other figures", console)
        console.print(table((Column(wraps=True), Column(wraps=True, style=QUIET)), others))


def _stated(portrait: Portrait) -> Iterable[tuple[str, str, str]]:
    machine = portrait.machine
    for name in machine.components:
        for offer in offers(portrait, name):
            yield _source(named(name, offer.label), offer.price, energy(offer))
        static = portrait.prices[name, STATIC_ACTION]
        if static.high:
            yield _source(f"{name} static", static, si(static.value, "W"))


def _source(name: str, price: Price, figure: str) -> tuple[str, str, str]:
    interval = f" ({span(price)})" if span(price) else ""
    return name, f"{figure}{interval}\n{price.boundary}, {price.grade}", price.source
