"""A page with charts that opens offline: styles, script, data and plotly.js are inside it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from importlib.resources import files
from typing import Any

from archsim import __version__
from archsim.reports.comparison.charts.figure import Chart, Data

_TEMPLATES = "templates"

_UNIT = re.compile(r"(?<=\d) (?=(?:%|[numkMGT\u00b5]?[JsW]|ms|TB|GB|MB|mm\u00b2)(?![\w]))")


def rendered(package: str, name: str, charts: Sequence[Chart], data: Data, shown: Mapping[str, Any]) -> str:
    """The page that the template `name` of a package makes of what is `shown`; its script finds charts and `data`.

    Style and script that the package has under this name come behind those of every page. The same values make the
    same bytes, with one plotly.js.
    """
    import jinja2  # only such a page needs a template, and 5 MB of script
    from plotly.offline import get_plotlyjs

    environment = jinja2.Environment(
        loader=jinja2.PackageLoader(package, _TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"sentence": _sentence, "capitalised": _capitalised, "unbroken": _unbroken}
    return environment.get_template(f"{name}.html.j2").render(
        version=__version__,
        style=_texts(package, name, "css"),
        script=_texts(package, name, "js"),
        plotly=get_plotlyjs() if charts else "",
        data=_embedded({"charts": {chart.id: _drawing(chart) for chart in charts}, **data}),
        **shown,
    )


def _texts(package: str, name: str, kind: str) -> str:
    """What every page has, and what this one has of its own."""
    places = (files(__package__) / _TEMPLATES / f"page.{kind}", files(package) / _TEMPLATES / f"{name}.{kind}")
    return "".join(place.read_text(encoding="utf-8") for place in places if place.is_file())


def _sentence(text: str) -> str:
    return _capitalised(text).rstrip(".") + "."


def _capitalised(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}"


def _unbroken(text: str) -> str:
    """Prose that breaks between no number and its unit."""
    return _UNIT.sub("\N{NO-BREAK SPACE}", text)


def _drawing(chart: Chart) -> Data:
    return {"data": chart.traces, "layout": chart.layout, "text": chart.text, "legend": chart.legend}


def _embedded(content: Any) -> str:
    """JSON that no text in it can end the script of."""
    return json.dumps(content, allow_nan=False, separators=(",", ":")).replace("<", "\\u003c")
