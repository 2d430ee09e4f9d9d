"""Elements of a drawing, with one style for light and dark; names are escaped because no markup is written by hand."""

from __future__ import annotations

from collections.abc import Iterable
from xml.etree import ElementTree as ET

Element = ET.Element

_LIGHT = {
    "surface": "#ffffff",
    "panel": "#f6f5f3",
    "text": "#23211f",
    "quiet": "#6a655f",
    "rule": "#d3cec8",
    "e0": "#d6d1cb",
    "e1": "#f0ccb6",
    "e2": "#e3aa8b",
    "e3": "#cf8561",
    "e4": "#b15d38",
    "e5": "#85391c",
}
_DARK = {
    "surface": "#161514",
    "panel": "#211f1d",
    "text": "#ebe7e2",
    "quiet": "#a49d95",
    "rule": "#45403b",
    "e0": "#4b4743",
    "e1": "#5e463a",
    "e2": "#865a43",
    "e3": "#b3724f",
    "e4": "#dc9369",
    "e5": "#ffbb94",
}
_RULES = """
.archsim-machine { font: 12.5px system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
.archsim-machine { font-variant-numeric: tabular-nums; }
.archsim-machine text { fill: var(--text); }
.archsim-machine .quiet { fill: var(--quiet); }
.archsim-machine .title { font-size: 19px; font-weight: 600; }
.archsim-machine .name { font-size: 15px; font-weight: 600; }
.archsim-machine .link { font-weight: 600; }
.archsim-machine .on-line { paint-order: stroke; stroke: var(--surface); stroke-width: 5px; }
.archsim-machine .on-line { stroke-linejoin: round; }
.archsim-machine .surface { fill: var(--surface); }
.archsim-machine .box { fill: var(--panel); stroke: var(--rule); }
.archsim-machine .frame { fill: none; stroke: var(--rule); stroke-width: 1.5; }
.archsim-machine .frame { stroke-dasharray: 2 5; stroke-linecap: round; }
.archsim-machine .edge { fill: none; stroke-linecap: butt; stroke-linejoin: round; }
.archsim-machine .wire { stroke: var(--quiet); stroke-width: 1; }
.archsim-machine .dot { fill: var(--text); }
"""
CLASSES = (0.0, 1.0, 5.0, 20.0, 60.0)
"""Upper ends of the classes of energy in pJ/B, each with a colour of its own; the last class has none."""


def energy_class(picojoules: float) -> str:
    """The class name of an edge by what a byte costs on it."""
    return f"e{sum(picojoules > limit for limit in CLASSES)}"


def style() -> str:
    """All rules; a viewer that prefers dark gets the darker palette."""
    energies = "".join(f".archsim-machine .e{step} {{ stroke: var(--e{step}); }}\n" for step in range(len(CLASSES) + 1))
    dark = f"@media (prefers-color-scheme: dark) {{ .archsim-machine {{ {_variables(_DARK)} }} }}\n"
    return f"\n.archsim-machine {{ {_variables(_LIGHT)} }}\n{dark}{_RULES.lstrip()}{energies}"


def _variables(palette: dict[str, str]) -> str:
    return " ".join(f"--{name}: {value};" for name, value in palette.items())


def add(parent: Element, tag: str, kind: str = "", **attributes: float | str) -> Element:
    """A new element of a class; `stroke_width` stands for stroke-width, and numbers are rounded to a tenth."""
    named = {name.replace("_", "-"): _written(value) for name, value in attributes.items()}
    return ET.SubElement(parent, tag, ({"class": kind} if kind else {}) | named)


def text(parent: Element, content: str, at: tuple[float, float], kind: str = "", anchor: str = "start") -> Element:
    """A line of text from, around or up to a point."""
    line = add(parent, "text", kind, x=at[0], y=at[1], text_anchor=anchor)
    line.text = printable(content)
    return line


def lines(parent: Element, contents: Iterable[tuple[str, str]], at: tuple[float, float], step: float) -> None:
    """Lines of text around a point and below it, each with its class."""
    for index, (content, kind) in enumerate(contents):
        text(parent, content, (at[0], at[1] + index * step), kind, "middle")


def printable(content: str) -> str:
    """The text without characters that XML has no place for."""
    return "".join(sign if sign.isprintable() else "\N{REPLACEMENT CHARACTER}" for sign in content)


def shortened(content: str, most: int) -> str:
    """The text, cut where it is longer."""
    return content if len(content) <= most else f"{content[: most - 1]}…"


def _written(value: float | str) -> str:
    return value if isinstance(value, str) else f"{round(value, 1):g}"
