"""Residuals of a fit in one picture: over what was predicted, and over each row in turn."""

from __future__ import annotations

from math import ceil
from xml.etree import ElementTree as ET

from archsim.model.calibration import Fit
from archsim.reports.svg import Element, add, text

_WIDE, _HIGH, _LEFT, _TOP, _GAP = 420, 300, 56, 44, 60
_STEP = 0.1

_RULES = """
.archsim-fit { font: 12.5px system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
.archsim-fit { --surface: #fff; --text: #23211f; --quiet: #6a655f; --rule: #e3dfda; --dot: #1763a6; }
.archsim-fit text { fill: var(--text); }
.archsim-fit .quiet { fill: var(--quiet); }
.archsim-fit .surface { fill: var(--surface); }
.archsim-fit .rule { stroke: var(--rule); }
.archsim-fit .zero { stroke: var(--quiet); }
.archsim-fit circle { fill: var(--dot); fill-opacity: .5; }
@media (prefers-color-scheme: dark) {
  .archsim-fit { --surface: #161514; --text: #ebe7e2; --quiet: #a49d95; --rule: #2e2b28; --dot: #6db3f0; }
}
"""


def residuals(fit: Fit, title: str) -> str:
    """An SVG of two panels: predicted / measured - 1 over predicted watts, and over the rows in their order."""
    limit = max(_STEP, ceil(max(map(abs, fit.residuals), default=_STEP) / _STEP) * _STEP)
    width, height = 2 * (_LEFT + _WIDE) + _GAP, _TOP + _HIGH + 48
    root = ET.Element("svg", {"xmlns": "http://www.w3.org/2000/svg", "class": "archsim-fit", "role": "img"})
    root.set("viewBox", f"0 0 {width} {height}")
    ET.SubElement(root, "title").text = f"Residuals of the calibration of {title}"
    ET.SubElement(root, "style").text = _RULES
    add(root, "rect", "surface", width=width, height=height)
    text(root, f"{title}: predicted over measured, less 1", (_LEFT, 20))
    watts = max(fit.predicted, default=1.0)
    _panel(root, _LEFT, limit, [(found / watts, off) for found, off in zip(fit.predicted, fit.residuals, strict=True)])
    text(root, f"predicted, 0 to {watts:.0f} W", (_LEFT + _WIDE / 2, _TOP + _HIGH + 32), "quiet", "middle")
    rows = max(1, len(fit.points) - 1)
    left = 2 * _LEFT + _WIDE + _GAP
    _panel(root, left, limit, [(index / rows, off) for index, off in enumerate(fit.residuals)])
    text(root, f"row, 1 to {len(fit.points)}", (left + _WIDE / 2, _TOP + _HIGH + 32), "quiet", "middle")
    return ET.tostring(root, encoding="unicode") + "\n"


def _panel(root: Element, left: float, limit: float, dots: list[tuple[float, float]]) -> None:
    """Dots at (0 to 1, -limit to limit) with a line for each tenth."""
    steps = round(limit / _STEP)
    for step in range(-steps, steps + 1):
        y = _TOP + _HIGH / 2 * (1 - step / steps)
        add(root, "line", "rule" if step else "zero", x1=left, x2=left + _WIDE, y1=y, y2=y)
        if steps <= 5 or step % ceil(steps / 5) == 0:  # noqa: PLR2004 - as many as can be read
            text(root, f"{step * _STEP:+.0%}", (left - 8, y + 4), "quiet", "end")
    for across, off in dots:
        add(root, "circle", cx=left + across * _WIDE, cy=_TOP + _HIGH / 2 * (1 - off / limit), r=3)
