"""Every predicted time against its measurement in one picture, for pages that draw no scripts."""

from __future__ import annotations

from collections.abc import Iterator
from math import ceil, floor, log10
from typing import NamedTuple
from xml.etree import ElementTree as ET

from archsim.config.units import unprefixed
from archsim.reports.accuracy.scores import Case, Validation
from archsim.reports.quantities import si
from archsim.reports.svg import Element, add, text

_SIZE, _LEFT, _TOP, _KEY = 560, 60, 20, 400
"""Of the square, its margins, and the width of the legend beside it."""

_COLORS = (
    ("#1763a6", "#6db3f0"), ("#d3790f", "#eaa04a"), ("#1f9274", "#4cc3a4"), ("#a2529a", "#d08fcb"),
    ("#c04a22", "#ef8a63"), ("#8d7a00", "#cdbb45"), ("#58aadb", "#a7d8f5"), ("#77838e", "#9dabb5"),
    ("#4b4fa8", "#9a9ef0"), ("#a83258", "#f08cab"), ("#5d8a1f", "#a6d368"), ("#7a5230", "#c9a27c"),
)  # fmt: skip
"""Of groups, for light and dark; a thirteenth has the first again."""

_RULES = """
.archsim-accuracy { font: 12.5px system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
.archsim-accuracy text { fill: var(--text); }
.archsim-accuracy .quiet { fill: var(--quiet); }
.archsim-accuracy .surface { fill: var(--surface); }
.archsim-accuracy .rule { stroke: var(--rule); }
.archsim-accuracy .same { stroke: var(--quiet); }
.archsim-accuracy circle { fill-opacity: .55; }
"""
_LIGHT = "--surface: #fff; --text: #23211f; --quiet: #6a655f; --rule: #e3dfda;"
_DARK = "--surface: #161514; --text: #ebe7e2; --quiet: #a49d95; --rule: #2e2b28;"


class _Axis(NamedTuple):
    """Powers of ten of a second from the least to the most."""

    low: int
    high: int

    def at(self, seconds: float) -> float:
        """Where on the axis, from 0 to the size of the square."""
        return _SIZE * (log10(seconds) - self.low) / (self.high - self.low)


def picture(validation: Validation) -> str:
    """An SVG: a dot for each scored time, a colour for each group; the line is where both are the same."""
    groups = dict(_times(validation))
    seconds = [value for cases in groups.values() for pair in cases for value in pair]
    axis = _Axis(floor(log10(min(seconds, default=1e-6))), ceil(log10(max(seconds, default=1.0))))
    width, height = _LEFT + _SIZE + _KEY, _TOP + _SIZE + 46
    root = ET.Element("svg", {"xmlns": "http://www.w3.org/2000/svg", "class": "archsim-accuracy", "role": "img"})
    root.set("viewBox", f"0 0 {width} {height}")
    ET.SubElement(root, "title").text = "Predicted against measured time of kernels and steps, on logarithmic axes"
    ET.SubElement(root, "style").text = _style()
    add(root, "rect", "surface", width=width, height=height)
    _grid(root, axis)
    for index, (name, pairs) in enumerate(groups.items()):
        kind = f"c{index % len(_COLORS)}"
        for measured, predicted in pairs:
            x, y = _LEFT + axis.at(measured), _TOP + _SIZE - axis.at(predicted)
            add(root, "circle", kind, cx=x, cy=y, r=2.6)
        line = _TOP + 14 + 22 * index
        add(root, "circle", kind, cx=_LEFT + _SIZE + 22, cy=line - 4, r=4)
        text(root, name, (_LEFT + _SIZE + 34, line))
    ET.indent(root, space="")
    return ET.tostring(root, encoding="unicode") + "\n"


def _times(validation: Validation) -> Iterator[tuple[str, list[tuple[float, float]]]]:
    groups: dict[str, list[tuple[float, float]]] = {}
    for suite in validation.suites:
        if suite.quantity == "time":
            groups.setdefault(suite.group, []).extend(_pair(case) for case in suite.scored)
    yield from groups.items()


def _pair(case: Case) -> tuple[float, float]:
    scale, _ = unprefixed(case.unit)
    return scale * case.measured, scale * (case.predicted or 0.0)


def _grid(root: Element, axis: _Axis) -> None:
    for power in range(axis.low, axis.high + 1):
        at = axis.at(10.0**power)
        add(root, "line", "rule", x1=_LEFT + at, x2=_LEFT + at, y1=_TOP, y2=_TOP + _SIZE)
        add(root, "line", "rule", x1=_LEFT, x2=_LEFT + _SIZE, y1=_TOP + at, y2=_TOP + at)
        label = si(10.0**power, "s").replace(".00", "").replace(".0", "")
        text(root, label, (_LEFT + at, _TOP + _SIZE + 18), "quiet", "middle")
        text(root, label, (_LEFT - 6, _TOP + _SIZE - at + 4), "quiet", "end")
    add(root, "line", "same", x1=_LEFT, y1=_TOP + _SIZE, x2=_LEFT + _SIZE, y2=_TOP)
    text(root, "measured", (_LEFT + _SIZE / 2, _TOP + _SIZE + 38), "", "middle")
    text(root, "predicted", (_LEFT + 8, _TOP + 14))


def _style() -> str:
    light, dark = (
        "".join(f".archsim-accuracy .c{index} {{ fill: {pair[theme]}; }}\n" for index, pair in enumerate(_COLORS))
        for theme in (0, 1)
    )
    preferred = f"@media (prefers-color-scheme: dark) {{ .archsim-accuracy {{ {_DARK} }}\n{dark}}}\n"
    return f"\n.archsim-accuracy {{ {_LIGHT} }}\n{light}{preferred}{_RULES.lstrip()}"
