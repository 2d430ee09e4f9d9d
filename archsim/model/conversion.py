"""From one boundary to another: what a result's joules are where converters, hosts and cooling count too.

Joules of a machine are those of its own boundary, whatever each price covers: prices are the layers of one sum.
Outward every price is multiplied by what lies between; inward nothing can be taken away, so a result narrows only where
no price and no static power is wider than asked.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import reduce
from itertools import pairwise

from archsim.model.price import BOUNDARIES, Boundary, Price
from archsim.model.pricing import Joules
from archsim.model.result import Result
from archsim.model.site import Site
from archsim.model.uncertainty import Step

TOKENS = 1_000_000
JOULES_PER_KWH = 3.6e6
_HOURS = 1 / 3600


class ConversionError(Exception):
    """Why joules of one boundary can't be told at another."""


def steps(site: Site, start: Boundary, end: Boundary) -> tuple[Step, ...]:
    """What joules at `start` are multiplied by, one after the other, at `end`, the same or wider.

    Raises:
        ConversionError: from `device`, where what a chip adds is in no price.
    """
    if start == "device" != end:
        raise ConversionError(
            "at the boundary `device` parts alone are priced: what wires, clocks and controllers add is unknown"
        )
    crossed = BOUNDARIES[BOUNDARIES.index(start) : BOUNDARIES.index(end) + 1]
    return tuple(_outward(site, outer) for _, outer in pairwise(crossed))


def step(site: Site, start: Boundary, end: Boundary) -> Step:
    """All steps as one; raises `ConversionError` as they do."""
    return reduce(_further, steps(site, start, end), Step(1.0, 1.0, 1.0))


def _outward(site: Site, outer: Boundary) -> Step:
    if outer == "board":
        share = site.regulators
        told = f"/ {share.value:g} (regulators)"
        return Step(1 / share.value, 1 / share.high, 1 / share.low, told, "regulators")
    factor, name = (site.server, "server") if outer == "server" else (site.pue, "PUE")
    return Step(factor.value, factor.low, factor.high, f"x {factor.value:g} ({name})", name)


def _further(one: Step, other: Step) -> Step:
    told = " ".join(part for part in (one.told, other.told) if part)
    return Step(one.value * other.value, one.low * other.low, one.high * other.high, told)


def converted(result: Result, wanted: Boundary) -> Result:
    """The result at another boundary, nothing simulated anew; time stays, power is of the wider thing.

    Raises:
        ConversionError: where the machine has no data for it.
    """
    given = result.machine.boundary
    if wanted == given:
        return result
    around: tuple[Step, ...] = ()
    if BOUNDARIES.index(wanted) < BOUNDARIES.index(given):
        _refuse_wider(result, wanted)
        factor, note = Step(1.0, 1.0, 1.0), f"joules at the boundary {wanted}: no price of this machine is wider"
    else:
        around = steps(result.hardware.site, given, wanted)
        factor = reduce(_further, around)
        note = f"joules converted from {given} to {wanted}: {factor.told}"
    prices = {id(entry.price): entry.price for entry in result.entries}
    moved = {key: _moved(price, factor, wanted) for key, price in prices.items()}
    return replace(
        result,
        machine=replace(result.machine, boundary=wanted),
        entries=tuple(replace(entry, price=moved[id(entry.price)]) for entry in result.entries),
        warnings=(*result.warnings, note),
        around=around,
    )


def _moved(price: Price, factor: Step, wanted: Boundary) -> Price:
    if not factor.told:
        return price
    source = f"{price.source}; {factor.told} to {wanted}"
    return price.times(factor.value, factor.low, factor.high, boundary=wanted, source=source)


def _refuse_wider(result: Result, wanted: Boundary) -> None:
    limit = BOUNDARIES.index(wanted)
    wider = dict.fromkeys(
        f"{entry.row.component} {entry.row.action.replace('_', ' ')} ({entry.price.boundary})"
        for entry in result.entries
        if entry.price.boundary is not None and BOUNDARIES.index(entry.price.boundary) > limit
    )
    if wider:
        raise ConversionError(f"prices cover more than the {wanted} and can't be narrowed: {', '.join(wider)}")


def beyond(result: Result) -> Step:
    """What lies between the machine's own boundary and that of the result."""
    own, given = result.hardware.boundary, result.machine.boundary
    narrower = BOUNDARIES.index(given) <= BOUNDARIES.index(own)
    return Step(1.0, 1.0, 1.0) if narrower else step(result.hardware.site, own, given)


@dataclass(frozen=True, slots=True)
class Bill:
    """What a million output tokens take, at `boundary` the energy; None where the machine has no data to say."""

    kwh: dict[Boundary, Joules | None]
    water_l: Joules | None
    carbon_kg: Joules | None
    electricity_usd: Joules | None
    hire_usd: Joules | None
    total_usd: Joules | None


def bill(result: Result) -> Bill:
    """Energy at every boundary from the machine's own outward, and what the facility's energy takes with it.

    Water is by the energy of the servers, carbon and money by that of the facility; hire by the hours of all devices.
    """
    site, own, back = result.hardware.site, result.hardware.boundary, beyond(result)
    scale = TOKENS / result.tokens / JOULES_PER_KWH
    here = result.energy
    inner = Joules(here.value * scale / back.value, here.low * scale / back.low, here.high * scale / back.high)
    kwh = {outer: _at(inner, site, own, outer) for outer in BOUNDARIES}
    hours = result.latency.total_s * _HOURS * result.machine.devices * TOKENS / result.tokens
    electricity = _priced(kwh["facility"], site.electricity)
    hire = None if site.hire is None else _priced(Joules(hours, hours, hours), site.hire)
    return Bill(
        kwh=kwh,
        water_l=_priced(kwh["server"], site.water),
        carbon_kg=_priced(kwh["facility"], site.carbon),
        electricity_usd=electricity,
        hire_usd=hire,
        total_usd=_sum(electricity, hire),
    )


def _at(inner: Joules, site: Site, own: Boundary, outer: Boundary) -> Joules | None:
    if BOUNDARIES.index(outer) < BOUNDARIES.index(own):
        return None
    try:
        factor = step(site, own, outer)
    except ConversionError:
        return None
    return Joules(inner.value * factor.value, inner.low * factor.low, inner.high * factor.high)


def _priced(amount: Joules | None, price: Price) -> Joules | None:
    if amount is None:
        return None
    return Joules(amount.value * price.value, amount.low * price.low, amount.high * price.high)


def _sum(one: Joules | None, other: Joules | None) -> Joules | None:
    if one is None or other is None:
        return one
    return Joules(one.value + other.value, one.low + other.low, one.high + other.high)
