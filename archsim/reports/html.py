"""The result as a page for the browser: the comparison's page with one machine and one workload."""

from __future__ import annotations

from archsim.model.result import Result
from archsim.reports.comparison.html import report_html
from archsim.reports.comparison.matrix import Comparison
from archsim.reports.comparison.outcome import Subject, cell

KIND = "html"
FILENAME = "report.html"
ASKED_FOR = True
"""5 MB with its charts: written where somebody asks for it, and never to a terminal."""


def render(result: Result) -> str:
    """The page, which opens offline."""
    asked, built = result.workload, result.hardware
    workload = Subject(asked.name, asked.name, asked.family, asked.name)
    machine = Subject(built.name, built.name, built.hardware_class, built.name, result.machine.boundary)
    return report_html(Comparison((workload,), (machine,), 0, ((cell(workload, machine, (), result),),)))
