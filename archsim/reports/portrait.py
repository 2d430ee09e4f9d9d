"""What a picture of a machine may see, and its figures: rates, prices, bytes on their way, the balance point."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import fsum
from typing import NamedTuple

from archsim.config.units import DATA, format_quantity
from archsim.model.component import Action, Connector
from archsim.model.hardware import Header
from archsim.model.ledger import STATIC_ACTION
from archsim.model.machine import Machine
from archsim.model.price import Price
from archsim.model.pricing import PriceList
from archsim.model.taskgraph import PS_PER_SECOND
from archsim.reports.quantities import number, si

UNLIMITED = "unlimited"


class Step(NamedTuple):
    """What one byte does on its way: an action of a component, `copies` times; a row is opened for many bytes."""

    component: str
    action: str
    copies: float


@dataclass(frozen=True, slots=True)
class Route:
    """The way of some tensors between their home and the tiles: the stations in order, and all that a byte does."""

    tensors: tuple[str, ...]
    stations: tuple[str, ...]
    steps: tuple[Step, ...]


@dataclass(frozen=True)
class Portrait:
    """A checked machine with its prices; `mapper` is its name with its degrees, the first route that of weights."""

    hardware: Header
    machine: Machine
    prices: PriceList
    mapper: str
    routes: tuple[Route, ...]

    @property
    def main(self) -> str:
        """The main memory: the home of the weights."""
        return self.routes[0].stations[0] if self.routes else main_memory(self.machine)


class Range(NamedTuple):
    """A figure with its interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Offer:
    """Actions of a component that are alike: `rate` of one instance (`peak` where it sustains less) and of all."""

    component: str
    label: str
    action: Action
    price: Price
    instances: int

    @property
    def total(self) -> int | None:
        """Units per second of all instances."""
        return None if self.action.rate is None else self.action.rate * self.instances


@dataclass(frozen=True, slots=True)
class Ridge:
    """Where time turns from memory to arithmetic: MACs per byte of weights; None where either knows no limit."""

    component: str
    label: str
    macs: int | None
    bytes: float | None
    slowest: str

    @property
    def macs_per_byte(self) -> float | None:
        """The balance point; 1 MAC is 2 FLOP."""
        return self.macs / self.bytes if self.macs and self.bytes else None


def main_memory(machine: Machine) -> str:
    """The largest memory, DRAM first; the first component where there is none."""
    standing = {name: item for name, item in machine.components.items() if not isinstance(item, Connector)}

    def size(name: str) -> tuple[bool, float]:
        item = standing[name]
        capacity = float("inf") if item.capacity_bytes is None else float(item.capacity_bytes * item.count)
        return item.energy_kind == "dram", capacity

    return max(standing, key=size)


def offers(portrait: Portrait, name: str) -> tuple[Offer, ...]:
    """What a component does, its actions of equal rate and price as one."""
    served, count = portrait.machine.actions[name], portrait.machine.instances(name)
    alike: dict[tuple[object, ...], list[str]] = {}
    for action, item in served.items():
        price = portrait.prices[name, action]
        alike.setdefault((item.rate, item.peak, item.latency, item.unit, price), []).append(action)
    return tuple(
        Offer(name, _label(same), served[same[0]], portrait.prices[name, same[0]], count) for same in alike.values()
    )


def _label(actions: list[str]) -> str:
    """`mac bf16, fp16` for mac_bf16 and mac_fp16."""
    first, *others = (action.replace("_", " ") for action in actions)
    family = first.partition(" ")[0] + " "
    return ", ".join((first, *(other.removeprefix(family) for other in others)))


def route_energy(route: Route, prices: PriceList) -> Range:
    """Picojoules of a byte over all its steps."""
    steps = [(prices[step.component, step.action], step.copies) for step in route.steps]
    return Range(*(fsum(getattr(price, end) * copies for price, copies in steps) for end in Range._fields))


def covered(route: Route, machine: Machine) -> tuple[str, ...]:
    """The layers that the prices along a route say they hold, in order."""
    steps = dict.fromkeys(step.component for step in route.steps)
    return tuple(dict.fromkeys(layer for name in steps for layer in machine.components[name].covers))


def counted_twice(route: Route, machine: Machine) -> tuple[str, ...]:
    """A sentence for each layer that two components along a route are both priced for."""
    holders: dict[str, list[str]] = {}
    for name in dict.fromkeys(step.component for step in route.steps):
        for layer in machine.components[name].covers:
            holders.setdefault(layer, []).append(name)
    return tuple(f"{layer} counted twice: {' and '.join(names)}" for layer, names in holders.items() if len(names) > 1)


def constant_power(portrait: Portrait) -> tuple[Range, Mapping[str, float]]:
    """Watts of all instances of all devices whatever they do, and those of each component that draws some."""
    machine = portrait.machine
    statics = {name: portrait.prices[name, STATIC_ACTION] for name in machine.components}
    counts = {name: machine.instances(name) for name in statics}
    ends = (fsum(getattr(price, end) * counts[name] for name, price in statics.items()) for end in Range._fields)
    return Range(*ends), {name: price.value * counts[name] for name, price in statics.items() if price.value}


def ridges(portrait: Portrait) -> Iterator[Ridge]:
    """The balance point of each type that the tiles multiply in, against the slowest step of the weights' way."""
    supply, slowest = _supply(portrait)
    for name in portrait.machine.components:
        for offer in offers(portrait, name):
            if offer.action.unit == "MAC":
                yield Ridge(name, offer.label.removeprefix("mac "), offer.total, supply, slowest)


def _supply(portrait: Portrait) -> tuple[float | None, str]:
    machine, rates = portrait.machine, []
    for component, action, copies in portrait.routes[0].steps if portrait.routes else ():
        served = machine.actions[component][action].rate
        if served is not None:
            rates.append((served * machine.instances(component) / copies, named(component, action)))
    return min(rates, default=(None, ""))


def named(component: str, action: str) -> str:
    """`l2 read`, but `xbar` where all that it does is to move."""
    return component if action == "move" else f"{component} {action}"


def rate(value: float | None, unit: str) -> str:
    """Units per second: `6.50 TB/s`."""
    return UNLIMITED if value is None else si(value, f"{unit}/s")


def held(size: int | None) -> str:
    """Bytes of a memory as they are written: `80 GiB`."""
    return UNLIMITED if size is None else format_quantity(size, DATA)


def delay(picoseconds: int) -> str:
    """A latency: `480 ns`."""
    return si(picoseconds / PS_PER_SECOND, "s")


def energy(offer: Offer) -> str:
    """What one unit costs: `28.0 pJ/B`."""
    return f"{number(offer.price.value)} pJ/{offer.action.unit}"


def span(price: Price | Range) -> str:
    """The interval of a price without its unit; empty where it has none."""
    return "" if price.low == price.high else f"{number(price.low)}–{number(price.high)}"
