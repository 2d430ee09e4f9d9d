"""The scores as one page that opens offline: styles, script, plots and plotly.js are inside it."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any, NamedTuple

from archsim import __version__
from archsim.reports import comparison
from archsim.reports.accuracy.charts import charts
from archsim.reports.accuracy.scores import Suite, Validation
from archsim.reports.accuracy.verdict import verdict
from archsim.reports.accuracy.words import CASE_HEADINGS, SUITE_HEADINGS, CaseLine, SuiteLine, case_lines, suite_line
from archsim.reports.comparison.charts.figure import Chart

_TEMPLATES = "templates"


class Part(NamedTuple):
    """A suite as the page shows it."""

    suite: Suite
    line: SuiteLine
    charts: tuple[Chart, ...]
    cases: tuple[CaseLine, ...]


def accuracy_html(validation: Validation) -> str:
    """The page; the same scores make the same bytes, with one plotly.js."""
    import jinja2  # only this report needs a template, and 5 MB of script
    from plotly.offline import get_plotlyjs

    environment = jinja2.Environment(
        loader=jinja2.PackageLoader(__package__, _TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    parts = [Part(suite, suite_line(suite), charts(suite), tuple(case_lines(suite))) for suite in validation.suites]
    drawn = {chart.id: _drawing(chart) for part in parts for chart in part.charts}
    return environment.get_template("accuracy.html.j2").render(
        version=__version__,
        verdict=verdict(validation),
        parts=parts,
        suite_headings=SUITE_HEADINGS,
        case_headings=CASE_HEADINGS,
        style=_text(comparison.__name__, "report.css") + _text(__package__, "accuracy.css"),
        script=_text(__package__, "accuracy.js"),
        plotly=get_plotlyjs() if drawn else "",
        data=json.dumps(drawn, allow_nan=False, separators=(",", ":")).replace("<", "\\u003c"),
    )


def _drawing(chart: Chart) -> dict[str, Any]:
    return {"data": chart.traces, "layout": chart.layout, "text": chart.text, "legend": chart.legend}


def _text(package: str, name: str) -> str:
    return files(package).joinpath(_TEMPLATES, name).read_text(encoding="utf-8")
