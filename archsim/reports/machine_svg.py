"""A machine as a drawing: main memory left, tiles right, every link with what it carries and costs."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple
from xml.etree import ElementTree as ET

from archsim.model.component import Connector
from archsim.model.ledger import STATIC_ACTION
from archsim.reports.machine_edges import described, edges
from archsim.reports.machine_layout import Layout, layout
from archsim.reports.machine_places import MARGIN, Box, Places, places
from archsim.reports.portrait import Offer, Portrait, energy, held, offers, rate
from archsim.reports.quantities import counted, si
from archsim.reports.svg import CLASSES, Element, add, printable, shortened, style, text

_NAME, _LINE, _FIRST = 15, 19.0, 72.0


class Figure(NamedTuple):
    """A line of a box."""

    label: str
    value: str


def render(portrait: Portrait) -> str:
    """The drawing as one file: no script, no font, nothing fetched, light or dark as the viewer prefers."""
    groups = [name for name, item in portrait.machine.components.items() if not isinstance(item, Connector)]
    figures = {name: _figures(portrait, name) for name in groups}
    drawn = layout(portrait.machine, portrait.main)
    placed = places(drawn, _FIRST + _LINE * max(map(len, figures.values())) - 4)
    root = _root(portrait, drawn, placed)
    _title(root, portrait, placed)
    edges(root, portrait, drawn, placed)
    for name, box in placed.boxes.items():
        _box(root, portrait, name, box, figures[name])
    _legend(root, placed)
    ET.indent(root)
    return ET.tostring(root, encoding="unicode") + "\n"


def _root(portrait: Portrait, drawn: Layout, placed: Places) -> Element:
    size = {"width": f"{placed.width:g}", "height": f"{placed.height:g}"}
    root = ET.Element(
        "svg",
        {
            "xmlns": "http://www.w3.org/2000/svg",
            "class": "archsim-machine",
            "viewBox": f"0 0 {placed.width:g} {placed.height:g}",
            **size,
            "role": "img",
            "aria-labelledby": "machine-title machine-description",
        },
    )
    add(root, "title", id="machine-title").text = printable(f"{portrait.hardware.name}: the graph of the machine")
    add(root, "desc", id="machine-description").text = printable(_description(portrait, drawn))
    add(root, "style").text = style()
    add(root, "rect", "surface", **size)
    return root


def _description(portrait: Portrait, drawn: Layout) -> str:
    """The drawing in sentences, for those who can't see it."""
    components = portrait.machine.components
    standing = (name for names in drawn.layers for name in names)
    groups = (f"{name} ({counted(components[name].count, 'instance')})" for name in standing)
    joints = (f"{joint.source} to {joint.target} by {described(portrait, joint.link)}" for joint in drawn.joints)
    within = (f"within {group} {described(portrait, link)}" for group, link in drawn.loops.items())
    outward = (f"to other devices {described(portrait, link)}" for link in filter(None, (drawn.outward,)))
    return (
        f"From main memory to tiles: {', '.join(groups)}. Links: {'; '.join((*joints, *within, *outward)) or 'none'}."
    )


def _title(root: Element, portrait: Portrait, placed: Places) -> None:
    hardware, frame = portrait.hardware, placed.frame
    limit = "" if hardware.tdp is None else f" of {si(hardware.tdp, 'W')} TDP"
    about = (hardware.hardware_class, counted(hardware.devices, "device") + limit, f"boundary {hardware.boundary}")
    text(root, hardware.name, (MARGIN, 36), "title")
    text(root, " · ".join(about), (MARGIN, 60), "quiet")
    add(root, "rect", "frame", x=frame.x, y=frame.y, width=frame.width, height=frame.height, rx=16)
    if hardware.devices > 1:
        text(root, f"one of {hardware.devices} devices", (frame.x + 16, frame.y + 22), "quiet")


def _figures(portrait: Portrait, name: str) -> tuple[Figure, ...]:
    """What a group holds, serves, costs and draws, all instances of one device together."""
    item = portrait.machine.components[name]
    size, served = item.capacity_bytes, _main_offers(portrait, name)
    capacity = () if size == 0 else (Figure("holds", held(None if size is None else size * item.count)),)
    rates = [Figure(offer.label.removeprefix("mac "), _rate(offer, item.count)) for offer in served]
    costs = [Figure("energy", energy(offer)) for offer in served[:1]]
    watts = portrait.prices[name, STATIC_ACTION].value * item.count
    return (*capacity, *rates, *costs, Figure("static", si(watts, "W")))


def _main_offers(portrait: Portrait, name: str) -> tuple[Offer, ...]:
    """Of MACs those of the type that the machine is made for, or the first; else what differs in rate."""
    given, native = offers(portrait, name), portrait.hardware.native_dtypes
    macs = [offer for offer in given if offer.action.unit == "MAC"]
    for offer in macs:
        if native is not None and native.activations in offer.label.removeprefix("mac ").split(", "):
            return (replace(offer, label=native.activations),)
    if macs:
        return (macs[0],)
    rates: dict[int | None, Offer] = {}
    for offer in given:
        rates.setdefault(offer.action.rate, offer)
    return tuple(rates.values())[:2]


def _rate(offer: Offer, count: int) -> str:
    return rate(None if offer.action.rate is None else offer.action.rate * count, offer.action.unit)


def _box(root: Element, portrait: Portrait, name: str, box: Box, figures: tuple[Figure, ...]) -> None:
    item, left, right = portrait.machine.components[name], box.x + 14, box.right - 14
    group = add(root, "g")
    told = ", ".join(f"{figure.label} {figure.value}" for figure in figures)
    add(group, "title").text = printable(f"{name}, {item.kind}: {told}")
    add(group, "rect", "box", x=box.x, y=box.y, width=box.width, height=box.height, rx=10)
    text(group, shortened(name, _NAME), (left, box.y + 27), "name")
    if item.count > 1:
        text(group, f"× {item.count:,}", (right, box.y + 27), "quiet", "end")
    text(group, shortened(item.kind, 2 * _NAME), (left, box.y + 45), "quiet")
    for index, figure in enumerate(figures):
        y = box.y + _FIRST + index * _LINE
        text(group, shortened(figure.label, _NAME), (left, y), "quiet")
        text(group, figure.value, (right, y), "", "end")


def _legend(root: Element, placed: Places) -> None:
    """What colour and width say."""
    y, x = placed.height - MARGIN, MARGIN
    text(root, "pJ/B", (x, y), "quiet")
    x += 38
    for step, limit in enumerate((*(f"{'≤ ' if limit else ''}{limit:g}" for limit in CLASSES), f"> {CLASSES[-1]:g}")):
        add(root, "path", f"edge e{step}", d=f"M{x:g} {y - 4:g} h22", stroke_width=6)
        text(root, limit, (x + 28, y), "quiet")
        x += 34 + 8 * len(limit) + 12
    text(root, "wider line: more bandwidth", (x + 8, y), "quiet")
