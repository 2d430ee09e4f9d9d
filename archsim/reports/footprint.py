"""What a million tokens take: kilowatt-hours, water, carbon and money, for results of a server or a facility."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from archsim.model.conversion import Bill, bill
from archsim.model.price import Boundary
from archsim.model.pricing import Joules
from archsim.model.result import Result
from archsim.reports.quantities import number, same

TITLE = "Per million output tokens"
_WIDE: tuple[Boundary, ...] = ("server", "facility")


class Taken(NamedTuple):
    """One line: how much, its range, of what, and what it rests on."""

    value: str
    range: str
    of: str
    basis: str


def footprint(result: Result) -> tuple[Taken, ...]:
    """The lines; none where the joules stop at a board."""
    return tuple(_lines(bill(result), result)) if result.machine.boundary in _WIDE else ()


def _lines(found: Bill, result: Result) -> Iterator[Taken]:
    site, boundary = result.hardware.site, result.machine.boundary
    rest = {
        "server": f"server over boards {site.server.value:g}",
        "facility": f"PUE {site.pue.value:g}",
    }
    for name in _WIDE[: _WIDE.index(boundary) + 1]:
        known = () if name == result.hardware.boundary else (rest[name],)
        yield from _line(found.kwh[name], "kWh", f"energy of the {name}", *known)
    yield from _line(found.water_l, "L", "water", f"{site.water.value:g} L/kWh of the servers")
    yield from _line(found.carbon_kg, "kg", "CO2e", f"{site.carbon.value:g} kg/kWh of the facility")
    yield from _line(found.electricity_usd, "USD", "electricity", f"{site.electricity.value:g} USD/kWh of the facility")
    if site.hire is not None:
        yield from _line(found.hire_usd, "USD", "hire", f"{site.hire.value:g} USD/h of a device")
        yield from _line(found.total_usd, "USD", "in all", "electricity and hire")


def _line(amount: Joules | None, unit: str, of: str, basis: str = "") -> Iterator[Taken]:
    if amount is not None:
        ends = "" if same(amount.low, amount.high) else f"{number(amount.low)}\N{EN DASH}{number(amount.high)}"
        yield Taken(f"{number(amount.value)} {unit}", ends, of, basis)
