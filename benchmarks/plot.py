"""A log-log plot as SVG."""

from collections.abc import Mapping, Sequence
from math import ceil, floor, log10
from xml.etree import ElementTree as ET

WIDTH, HEIGHT = 760, 420
LEFT, RIGHT, TOP, BOTTOM = 60, 150, 20, 44
COLOURS = ("#85391c", "#cf8561", "#2f6f8f", "#6b8e23", "#8a5fa8", "#b8860b", "#3b7a57", "#555555")
STYLE = """
svg { font: 12px system-ui, -apple-system, "Segoe UI", sans-serif; background: #ffffff; }
text { fill: #23211f; } .rule { stroke: #e4e0db; } .line { fill: none; stroke-width: 2; }
"""

Points = Sequence[tuple[float, float]]


def log_log(series: Mapping[str, Points], across: str, up: str) -> str:
    """Lines of points (x, y), all above 0, each with its name at its end."""
    xs = [x for points in series.values() for x, _ in points]
    ys = [y for points in series.values() for _, y in points]
    box = _Box(floor(log10(min(xs))), ceil(log10(max(xs))), floor(log10(min(ys))), ceil(log10(max(ys))))
    svg = ET.Element("svg", xmlns="http://www.w3.org/2000/svg", viewBox=f"0 0 {WIDTH} {HEIGHT}", role="img")
    ET.SubElement(svg, "title").text = f"{up} against {across}"
    ET.SubElement(svg, "style").text = STYLE
    _axes(svg, box, across, up)
    heights = _apart([(box.x(points[-1][0]), box.y(points[-1][1])) for points in series.values()])
    for (name, points), colour, height in zip(series.items(), COLOURS, heights, strict=False):
        way = " ".join(f"{box.x(x):.1f},{box.y(y):.1f}" for x, y in points)
        ET.SubElement(svg, "polyline", {"class": "line", "points": way, "stroke": colour})
        for x, y in points:
            ET.SubElement(svg, "circle", cx=f"{box.x(x):.1f}", cy=f"{box.y(y):.1f}", r="3", fill=colour)
        _text(svg, box.x(points[-1][0]) + 8, height + 4, name, fill=colour)
    ET.indent(svg)
    return ET.tostring(svg, encoding="unicode") + "\n"


class _Box:
    """From decades to places on the page."""

    def __init__(self, west: int, east: int, south: int, north: int) -> None:
        self.xs, self.ys = range(west, east + 1), range(south, north + 1)
        self._across = (WIDTH - LEFT - RIGHT) / max(1, east - west)
        self._up = (HEIGHT - TOP - BOTTOM) / max(1, north - south)

    def x(self, value: float) -> float:
        return LEFT + (log10(value) - self.xs[0]) * self._across

    def y(self, value: float) -> float:
        return HEIGHT - BOTTOM - (log10(value) - self.ys[0]) * self._up


def _axes(svg: ET.Element, box: _Box, across: str, up: str) -> None:
    for decade in box.xs:
        x = box.x(10.0**decade)
        _rule(svg, (x, TOP), (x, HEIGHT - BOTTOM))
        _text(svg, x, HEIGHT - BOTTOM + 16, f"{10.0**decade:,g}", anchor="middle")
    for decade in box.ys:
        y = box.y(10.0**decade)
        _rule(svg, (LEFT, y), (WIDTH - RIGHT, y))
        _text(svg, LEFT - 6, y + 4, f"{10.0**decade:,g}", anchor="end")
    _text(svg, (LEFT + WIDTH - RIGHT) / 2, HEIGHT - 6, across, anchor="middle")
    _text(svg, 4, 12, up)


def _rule(svg: ET.Element, start: tuple[float, float], end: tuple[float, float]) -> None:
    ends = {"x1": start[0], "y1": start[1], "x2": end[0], "y2": end[1]}
    ET.SubElement(svg, "line", {"class": "rule", **{name: f"{value:.1f}" for name, value in ends.items()}})


def _text(svg: ET.Element, x: float, y: float, text: str, anchor: str = "start", fill: str = "") -> None:
    shown = {"x": f"{x:.1f}", "y": f"{y:.1f}", "text-anchor": anchor} | ({"style": f"fill: {fill}"} if fill else {})
    ET.SubElement(svg, "text", shown).text = text


def _apart(ends: Sequence[tuple[float, float]], least: float = 14, near: float = 90) -> list[float]:
    """Heights of labels, moved down where they would meet."""
    found: dict[int, float] = {}
    for index in sorted(range(len(ends)), key=lambda index: ends[index][1]):
        across, height = ends[index]
        above = [found[other] for other in found if abs(ends[other][0] - across) < near]
        found[index] = max([height, *(other + least for other in above if other + least > height)])
    return [found[index] for index in range(len(ends))]
