"""The comparison as one page that opens offline, with its charts inside it."""

from __future__ import annotations

from archsim.reports.comparison.bars import stacks
from archsim.reports.comparison.certainty import ORDER, ORDER_HEADINGS, doubts, held, orders
from archsim.reports.comparison.charts.page import rendered
from archsim.reports.comparison.gallery import gallery
from archsim.reports.comparison.matrix import Comparison
from archsim.reports.comparison.sources import inputs
from archsim.reports.comparison.verdict import verdicts
from archsim.reports.comparison.view import machines, sections
from archsim.reports.comparison.waterfall import waterfalls
from archsim.reports.comparison.whatif import whatif
from archsim.reports.comparison.words import title


def report_html(comparison: Comparison) -> str:
    """The page; the same cells make the same bytes."""
    charts = gallery(comparison)
    parts, notes = sections(comparison)
    shown = {
        "title": title(comparison),
        "comparison": comparison,
        "verdicts": verdicts(comparison),
        "sections": parts,
        "notes": notes,
        "machines": machines(comparison),
        "inputs": inputs(comparison),
        "charts": {chart.id: chart for chart in charts},
        "stacks": stacks(comparison),
        "waterfalls": waterfalls(comparison),
        "orders": orders(comparison),
        "order_note": ORDER,
        "order_headings": ORDER_HEADINGS,
        "held": held(comparison),
        "doubts": doubts(comparison),
    }
    return rendered(__package__, "report", charts, {"whatif": whatif(comparison)}, shown)
