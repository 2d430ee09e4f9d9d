"""A machine as a page for the terminal: its graph, what its parts hold, serve and cost, and whose figures they are."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING

from archsim.model.component import Connector
from archsim.model.hardware import NativeDtypes
from archsim.model.ledger import STATIC_ACTION
from archsim.model.scaling import rescaled
from archsim.model.workload import Format
from archsim.reports.machine_graph import graph, topology
from archsim.reports.machine_sources import sources
from archsim.reports.page import ACCENT, QUIET, Column, heading, table, written
from archsim.reports.portrait import (
    Offer,
    Portrait,
    Route,
    Step,
    constant_power,
    counted_twice,
    covered,
    delay,
    energy,
    held,
    named,
    offers,
    rate,
    ridges,
    route_energy,
    span,
)
from archsim.reports.quantities import NOTHING, counted, number, part_of, si

if TYPE_CHECKING:
    from rich.console import Console

_STRONG = f"bold {ACCENT}"


def render(portrait: Portrait, *, width: int | None = None, color: bool = False) -> str:
    """The page in `width` columns; figures of a total are of all devices together."""
    sections = (_head, _graph, _components, _actions, _links, _ways, _balance, _elsewhere, sources)
    return written((partial(section, portrait) for section in sections), width, color=color)


def _head(portrait: Portrait, console: Console) -> None:
    hardware = portrait.hardware
    limit = "" if hardware.tdp is None else f" of {si(hardware.tdp, 'W')} TDP"
    about = (hardware.hardware_class, counted(hardware.devices, "device") + limit, f"boundary {hardware.boundary}")
    native = hardware.native_dtypes
    made_for = () if native is None else (f"made for {_formats(native)}",)
    console.print(hardware.name, style="bold")
    console.print(" · ".join((*about, *made_for)), style=QUIET)
    console.print(f"stack {hardware.stack} · mapper {portrait.mapper}", style=QUIET)


def _formats(native: NativeDtypes) -> str:
    return f"weights {_format(native.weights)}, KV {_format(native.kv)}, activations {native.activations}"


def _format(stored: Format) -> str:
    return stored.dtype if stored.group is None else f"{stored.dtype} in groups of {stored.group}"


def _graph(portrait: Portrait, console: Console) -> None:
    heading("Graph", console)
    for index, (names, *carried) in enumerate(graph(portrait, console.width)):
        console.print(*([""] if index else []), names, sep="\n", overflow="fold")
        console.print(*carried, sep="\n", style=QUIET, overflow="fold")


def _components(portrait: Portrait, console: Console) -> None:
    """What there is of each, one device: capacity and static power of an instance, and of all."""
    machine = portrait.machine
    columns = (
        Column("component", wraps=True),
        Column("kind"),
        Column("count", right=True),
        Column("capacity", right=True, spare=1),
        *(Column(name, right=True) for name in ("in all", "static power", "in all")),
    )
    rows = []
    for name, item in machine.components.items():
        if isinstance(item, Connector):
            continue
        count, size = machine.instances(name), item.capacity_bytes
        capacity = (NOTHING, NOTHING) if size == 0 else (held(size), held(None if size is None else size * count))
        watts = portrait.prices[name, STATIC_ACTION].value
        rows.append((name, item.kind, f"{count:,}", *capacity, si(watts, "W"), si(watts * count, "W")))
    heading("Components", console)
    console.print(table(columns, rows, console.width))


def _actions(portrait: Portrait, console: Console) -> None:
    """What each serves, and what it costs."""
    columns = (
        Column("component", wraps=True),
        Column("action"),
        Column("each", right=True, spare=1),
        Column("in all", right=True),
        Column("latency", right=True, spare=2),
        *(Column(name, right=True) for name in ("energy", "range")),
    )
    machine = portrait.machine
    standing = [name for name, item in machine.components.items() if not isinstance(item, Connector)]
    rows = [
        (
            "" if index else name,
            offer.label,
            rate(offer.action.rate, offer.action.unit),
            _total(offer),
            delay(offer.action.latency) if offer.action.latency else NOTHING,
            energy(offer),
            span(offer.price) or NOTHING,
        )
        for name in standing
        for index, offer in enumerate(offers(portrait, name))
    ]
    heading("What they do", console)
    console.print(table(columns, rows, console.width))


def _total(offer: Offer) -> str:
    """The rate of all instances, beside their peak where they sustain less."""
    peak, unit = offer.action.peak, f"{offer.action.unit}/s"
    if offer.total is None or peak is None or peak == offer.action.rate:
        return rate(offer.total, offer.action.unit)
    return part_of(offer.total, peak * offer.instances, unit)


def _links(portrait: Portrait, console: Console) -> None:
    machine = portrait.machine
    columns = (
        Column("link", wraps=True),
        Column("between", wraps=True),
        Column("count", right=True, spare=2),
        *(Column(name, right=True) for name in ("each way", "latency", "energy", "range")),
        Column("static power", right=True, spare=1),
    )
    rows = []
    for name, item in machine.components.items():
        if not isinstance(item, Connector):
            continue
        shape = topology(portrait, name)
        ends = " – ".join(dict.fromkeys(item.between)) + (f", {shape}" if shape else "")
        watts = portrait.prices[name, STATIC_ACTION].value * machine.instances(name)
        (offer,) = offers(portrait, name)
        carried = (rate(offer.action.rate, "B"), delay(offer.action.latency))
        costs = (energy(offer), span(offer.price) or NOTHING, si(watts, "W") if watts else NOTHING)
        rows.append((name, ends, f"{machine.instances(name):,}", *carried, *costs))
    heading("Links", console)
    console.print(table(columns, rows, console.width))


def _ways(portrait: Portrait, console: Console) -> None:
    """Joules of a byte from its home to the tiles, layer by layer, and watts that are drawn whatever happens."""
    rows = []
    for route in portrait.routes:
        total = route_energy(route, portrait.prices)
        layers = " + ".join(_layer(step, portrait) for step in route.steps)
        layers += "".join(f"\n{text}" for text in _coverage(route, portrait))
        rows.append((", ".join(route.tensors), f"{number(total.value)} pJ/B", span(total), layers))
    power, parts = constant_power(portrait)
    drawn = " + ".join(f"{name} {si(watts, 'W')}" for name, watts in parts.items())
    rows.append(("constant power", si(power.value, "W"), span(power), drawn or "none"))
    columns = (Column(wraps=True), Column(right=True, style=_STRONG), Column(style=QUIET), Column(wraps=True))
    heading("Energy of a byte on its way, and constant power", console)
    console.print(table(columns, rows, console.width))


def _coverage(route: Route, portrait: Portrait) -> Iterator[str]:
    """What the prices of a way hold, and what they hold twice."""
    layers = covered(route, portrait.machine)
    if layers:
        yield f"holds {', '.join(layers)}"
    yield from (f"WARNING: {text}" for text in counted_twice(route, portrait.machine))


def _layer(step: Step, portrait: Portrait) -> str:
    copies = f"{number(step.copies)} × " if step.copies > 1 else ""
    price = portrait.prices[step.component, step.action]
    return f"{copies}{named(step.component, step.action)} {number(step.copies * price.value)}"


def _elsewhere(portrait: Portrait, console: Console) -> None:
    """What of the machine stands at another node than its figures are of."""
    sentences = tuple(rescaled(portrait.machine.components, portrait.machine.actions))
    if sentences:
        heading("At another node: energies scaled, rates, capacities and areas kept", console)
        for sentence in sentences:
            console.print(sentence, style=QUIET)


def _balance(portrait: Portrait, console: Console) -> None:
    """Arithmetic per byte of weights at which neither waits for the other."""
    columns = (
        Column("tiles", wraps=True),
        Column("type"),
        *(Column(name, right=True) for name in ("MACs", "bytes", "MAC/B")),
        Column("FLOP/B", right=True, spare=1),
        Column("limited by", wraps=True),
    )
    rows = []
    for ridge in ridges(portrait):
        balance = ridge.macs_per_byte
        point = (NOTHING, NOTHING) if balance is None else (number(balance), number(2 * balance))
        rates = (rate(ridge.macs, "MAC"), rate(ridge.bytes, "B"))
        rows.append((ridge.component, ridge.label, *rates, *point, ridge.slowest))
    if rows:
        heading("Balance point", console)
        console.print(table(columns, rows, console.width))
