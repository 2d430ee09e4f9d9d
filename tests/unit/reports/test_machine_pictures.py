import re
from collections.abc import Mapping
from itertools import pairwise
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from archsim.components.hbm_stack import HbmStack
from archsim.components.link import Link
from archsim.components.sram import Sram
from archsim.components.tile import Tile
from archsim.model.component import Component
from archsim.model.hardware import Header
from archsim.model.machine import assemble
from archsim.model.pricing import price_list
from archsim.reports import machine_svg, machine_text
from archsim.reports.machine_edges import line_width
from archsim.reports.machine_layout import layout
from archsim.reports.machine_places import Box, places
from archsim.reports.portrait import Portrait, Range, Route, Step, constant_power, ridges, route_energy
from archsim.reports.svg import energy_class

SVG = "{http://www.w3.org/2000/svg}"

DRAM = {
    "kind": "hbm_stack",
    "count": 2,
    "capacity": "16 GiB",
    "bandwidth": "500 GB/s",
    "efficiency": 0.8,
    "latency": "300 ns",
    "static": {"value": "1 W", "low": "0.5 W", "high": "2 W"},
    "energy": {
        "read": {"value": "30 pJ/B", "low": "20 pJ/B", "high": "50 pJ/B", "source": "table 2"},
        "write": "40 pJ/B",
    },
}
CACHE = {
    "kind": "sram",
    "capacity": "8 MiB",
    "bandwidth": "4 TB/s",
    "static": "3 W",
    "energy": {"read": "2 pJ/B", "write": "2 pJ/B"},
}
TILE = {
    "kind": "tile",
    "count": 16,
    "macs": {"bf16": "1 TMAC/s", "fp16": "1 TMAC/s", "int8": "2 TMAC/s"},
    "vector": "unlimited",
    "window": "32 KiB",
    "grain": "4 KiB",
    "static": "0.5 W",
    "energy": {"mac": {"bf16": "1 pJ/MAC", "fp16": "1 pJ/MAC", "int8": "0.5 pJ/MAC"}, "vector": "0 pJ/op"},
}


def link(*between: str, **fields: Any) -> Link:
    return Link.model_validate({"between": between, "bandwidth": "1 TB/s", "energy": "10 pJ/B"} | fields)


def chip() -> dict[str, Component]:
    """DRAM to cache to tiles, the file in no such order, with a link past the cache and one to other devices."""
    return {
        "tile": Tile.model_validate(TILE),
        "cache": Sram.model_validate(CACHE),
        "dram": HbmStack.model_validate(DRAM),
        "inner": link("tile", "cache", bandwidth="2 TB/s", latency="5 ns"),
        "outer": link("dram", "cache", bandwidth="unlimited"),
        "past": link("dram", "tile"),
        "board": link("device", "device", topology="ring"),
    }


def meshed() -> dict[str, Component]:
    return {**chip(), "noc": link("tile", "tile", topology="mesh", shape=[4, 4], latency="1 ns", energy="0.8 pJ/B")}


ROUTE = Route(
    ("weights",),
    ("dram", "cache", "tile"),
    (
        Step("dram", "read", 1),
        Step("outer", "move", 1),
        Step("cache", "write", 1),
        Step("cache", "read", 2),
        Step("inner", "move", 1),
    ),
)


def portrait(components: Mapping[str, Component], name: str = "chip", devices: int = 1) -> Portrait:
    header = Header.model_validate(
        {
            "schema": "archsim.hardware/1",
            "name": name,
            "class": "gpu",
            "boundary": "chip",
            "devices": devices,
            "tdp": "100 W",
            "native_dtypes": {"weights": "int8", "kv": "int8", "activations": "int8"},
            "components": {},
            "mapper": {"kind": "temporal"},
            "sources": {"tdp": "datasheet"},
        }
    )
    machine = assemble(name, "chip", devices, components)
    return Portrait(header, machine, price_list(machine, "chip.yaml", {}), "temporal", (ROUTE,))


def page(components: Mapping[str, Component], width: int = 100) -> str:
    return machine_text.render(portrait(components), width=width)


def words(page: str) -> str:
    return re.sub(r"\s+", " ", page)


def drawing(components: Mapping[str, Component], **header: Any) -> ET.Element:
    return ET.fromstring(machine_svg.render(portrait(components, **header)))  # noqa: S314 - the project's own drawing


def said(root: ET.Element) -> list[str]:
    return [item.text or "" for item in root.iter(f"{SVG}text")]


def test_main_memory_comes_first_and_tiles_last_whatever_the_order_of_the_file() -> None:
    found = layout(assemble("chip", "chip", 1, chip()), "dram")
    assert found.layers == (("dram",), ("cache",), ("tile",))
    assert [joint.link for joint in found.chain] == ["outer", "inner"]
    assert found.outward == "board"


def test_links_written_in_a_circle_are_laid_out_all_the_same() -> None:
    items = {name: Sram.model_validate(CACHE) for name in "abc"}
    links = {"x": link("a", "b"), "y": link("b", "c"), "z": link("c", "a")}
    found = layout(assemble("chip", "chip", 1, {**items, **links}), "a")
    assert [group for groups in found.layers for group in groups] == ["a", "b", "c"]
    assert all(found.layer(joint.source) <= found.layer(joint.target) for joint in found.joints)


def test_a_second_memory_stands_beside_what_it_feeds() -> None:
    components = {**chip(), "rom": Sram.model_validate(CACHE), "own": link("rom", "tile")}
    found = layout(assemble("chip", "chip", 1, components), "dram")
    assert found.layers == (("dram",), ("cache", "rom"), ("tile",))


def test_energy_of_a_byte_is_the_sum_of_its_steps_with_copies() -> None:
    shown = portrait(chip())
    assert route_energy(ROUTE, shown.prices) == Range(30 + 10 + 2 + 4 + 10, 46, 76)
    assert "weights 56.0 pJ/B 46.0–76.0 dram read 30.0 + outer 10.0 + cache write 2.00" in words(page(chip()))


def test_constant_power_counts_every_instance_of_every_device() -> None:
    power, parts = constant_power(portrait(chip(), devices=3))
    assert power == Range(3 * (2 + 3 + 8), 3 * (1 + 3 + 8), 3 * (4 + 3 + 8))
    assert parts == {"dram": 6, "cache": 9, "tile": 24}


def test_the_balance_point_is_macs_over_the_slowest_bytes() -> None:
    found = {ridge.label: ridge for ridge in ridges(portrait(chip()))}
    assert found["bf16, fp16"].macs_per_byte == pytest.approx(16e12 / (2 * 0.8 * 500e9))
    assert found["int8"].macs_per_byte == pytest.approx(2 * 16e12 / 800e9)
    assert found["int8"].slowest == "dram read"


def test_without_a_limit_there_is_no_balance_point() -> None:
    free = Tile.model_validate(TILE | {"macs": {"int8": "unlimited"}})
    (ridge,) = ridges(portrait({**chip(), "tile": free}))
    assert ridge.macs_per_byte is None


def test_the_page_tells_rates_of_one_and_of_all() -> None:
    told = words(page(chip()))
    for text in ("400 GB/s 0.800 of 1.00 TB/s 300 ns", "dram hbm_stack 2 16 GiB 32 GiB 1.00 W 2.00 W", "16.0 TMAC/s"):
        assert text in told


def test_the_page_names_the_source_of_every_price_and_of_other_figures() -> None:
    told = words(page(chip()))
    assert "dram read 30.0 pJ/B (20.0–50.0) table 2 chip, assumed" in told
    assert "inner 10.0 pJ/B chip.yaml chip, assumed" in told
    assert "tdp datasheet" in told


def test_a_topology_is_told_by_its_shape() -> None:
    told = words(page(meshed()))
    assert "each other: mesh 4 × 4" in told
    assert "noc tile, mesh 4 × 4 24 1.00 TB/s" in told


@pytest.mark.parametrize("width", [80, 100, 140])
def test_no_line_of_the_page_is_wider_than_the_terminal(width: int) -> None:
    assert max(map(len, page(meshed(), width).splitlines())) <= width


def test_the_page_has_colours_only_when_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert "\x1b" not in page(chip())
    assert "\x1b" in machine_text.render(portrait(chip()), color=True)


def test_the_drawing_names_every_component_and_what_links_carry() -> None:
    told = said(drawing(meshed()))
    for text in ("tile", "cache", "dram", "inner", "2.00 TB/s", "noc · mesh 4 × 4", "other devices", "ring"):
        assert text in told


def test_the_drawing_shows_the_type_that_the_machine_is_made_for() -> None:
    told = said(drawing(chip()))
    assert told[told.index("int8") + 1] == "32.0 TMAC/s"


def test_the_drawing_can_be_read_to_those_who_do_not_see_it() -> None:
    root = drawing(chip())
    ids = {item.get("id"): item.text or "" for item in root.iter() if item.get("id")}
    title, description = (ids[name] for name in (root.get("aria-labelledby") or "").split())
    assert root.get("role") == "img"
    assert title.startswith("chip")
    assert "dram to cache by outer: unlimited each way, 0 s, 10.0 pJ/B" in description


def test_names_are_escaped() -> None:
    name = "<script>alert('&\x1b')</script>"
    text = machine_svg.render(portrait({**chip(), "<b>&": Sram.model_validate(CACHE)}, name=name))
    assert "<script" not in text
    assert "<b>" not in text
    root = ET.fromstring(text)  # noqa: S314 - the project's own drawing
    assert name.replace("\x1b", "\N{REPLACEMENT CHARACTER}") in said(root)


def test_nothing_is_fetched_and_both_schemes_are_there() -> None:
    text = machine_svg.render(portrait(meshed()))
    assert "prefers-color-scheme: dark" in text
    assert not re.search(r"url\(|href|@import|<image|<script", text)
    assert re.findall(r"https?://[^\"]+", text) == ["http://www.w3.org/2000/svg"]


def test_boxes_are_alike_and_nothing_lies_on_another_or_outside() -> None:
    found = places(layout(assemble("chip", "chip", 1, meshed()), "dram"), 140)
    boxes = [*found.boxes.values()]
    assert len({(box.width, box.height) for box in boxes}) == 1
    assert all(one.right < other.x for one, other in pairwise(sorted(boxes)))
    assert all(_inside(box, found.frame) for box in boxes)
    assert found.frame.right < found.width
    assert found.frame.bottom < found.height


def _inside(box: Box, frame: Box) -> bool:
    return frame.x < box.x < box.right < frame.right and frame.y < box.y < box.bottom < frame.bottom


def test_wider_lines_carry_more_and_unlimited_the_most() -> None:
    widths = [line_width(rate) for rate in (10**8, 10**10, 10**12, 10**15, None)]
    assert widths == sorted(widths)
    assert widths[0] < widths[1] < widths[2] < widths[3]


def test_colours_deepen_with_the_energy_of_a_byte() -> None:
    assert [energy_class(energy) for energy in (0, 0.3, 5, 5.1, 60, 61)] == ["e0", "e1", "e2", "e3", "e4", "e5"]
