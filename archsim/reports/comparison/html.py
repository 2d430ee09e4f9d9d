"""The comparison as one page that opens offline: styles, script, charts and plotly.js are inside it."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any

from archsim import __version__
from archsim.reports.comparison.bars import stacks
from archsim.reports.comparison.certainty import ORDER, ORDER_HEADINGS, doubts, held, orders
from archsim.reports.comparison.charts.figure import Chart
from archsim.reports.comparison.gallery import gallery
from archsim.reports.comparison.matrix import Comparison
from archsim.reports.comparison.sources import inputs
from archsim.reports.comparison.verdict import verdicts
from archsim.reports.comparison.view import machines, sections
from archsim.reports.comparison.waterfall import waterfalls
from archsim.reports.comparison.whatif import whatif
from archsim.reports.comparison.words import title

_TEMPLATES = "templates"


def report_html(comparison: Comparison) -> str:
    """The page; the same cells make the same bytes, with one plotly.js."""
    import jinja2  # a run without this report needs neither a template nor 5 MB of script
    from plotly.offline import get_plotlyjs

    environment = jinja2.Environment(
        loader=jinja2.PackageLoader(__package__, _TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"sentence": _sentence, "capitalised": _capitalised}
    charts = gallery(comparison)
    parts, notes = sections(comparison)
    return environment.get_template("report.html.j2").render(
        title=title(comparison),
        version=__version__,
        comparison=comparison,
        verdicts=verdicts(comparison),
        sections=parts,
        notes=notes,
        machines=machines(comparison),
        inputs=inputs(comparison),
        charts={chart.id: chart for chart in charts},
        stacks=stacks(comparison),
        waterfalls=waterfalls(comparison),
        orders=orders(comparison),
        order_note=ORDER,
        order_headings=ORDER_HEADINGS,
        held=held(comparison),
        doubts=doubts(comparison),
        style=_part("report.css"),
        script=_part("report.js"),
        plotly=get_plotlyjs() if charts else "",
        data=_embedded({"charts": {chart.id: _drawing(chart) for chart in charts}, "whatif": whatif(comparison)}),
    )


def _sentence(text: str) -> str:
    return _capitalised(text).rstrip(".") + "."


def _capitalised(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}"


def _drawing(chart: Chart) -> dict[str, Any]:
    return {"data": chart.traces, "layout": chart.layout, "text": chart.text, "legend": chart.legend}


def _part(name: str) -> str:
    return files(__package__).joinpath(_TEMPLATES, name).read_text(encoding="utf-8")


def _embedded(content: Any) -> str:
    """JSON that no text in it can end the script of."""
    return json.dumps(content, allow_nan=False, separators=(",", ":")).replace("<", "\\u003c")
