"""The result as a page of Markdown, with tables as GitHub draws them."""

from __future__ import annotations

from collections.abc import Iterable

from archsim.model.result import Result
from archsim.model.uncertainty import band
from archsim.reports.footprint import TITLE, footprint
from archsim.reports.gfm import plain, table
from archsim.reports.operators import operator_lines, time_heading
from archsim.reports.quantities import si
from archsim.reports.summary import Share, asked, breakdowns, built, figures, notes, parts

KIND = "markdown"
FILENAME = "result.md"


def render(result: Result) -> str:
    """Headline, energy, time, machine, what the figures rest on, warnings; every operator has its line."""
    sections = (_headline, _energy, _time, _machine, _footprint, _basis, _warnings)
    return "\n\n".join(text for section in sections if (text := section(result))) + "\n"


def _headline(result: Result) -> str:
    title = f"# {plain(result.workload.name)} on {plain(result.hardware.name)}"
    given = f"- {plain(asked(result))}\n- {plain(built(result))}"
    return "\n\n".join((title, given, table("rll", ("figure", "of", "range or remark"), figures(result))))


def _energy(result: Result) -> str:
    return "\n\n".join(("## Energy", *(_shares(title, shares) for title, shares in breakdowns(result))))


def _shares(title: str, shares: Iterable[Share]) -> str:
    rows = ((share.name, si(share.joules, "J"), share.percent) for share in shares)
    return table("lrr", (title, "per token", "share"), rows)


def _time(result: Result) -> str:
    headings = ("operator", "phase", time_heading(result), "share", "energy per token")
    limits = ("limited by", "achieved of peak", "used", "then by", "bound")
    return f"## Time\n\n{table('llrrrlrrlr', (*headings, *limits), operator_lines(result))}"


def _machine(result: Result) -> str:
    headings = ("component", "instances", "in use", "traffic per token", "holds")
    rows = ((part.name, f"{part.instances:,}", part.used, part.traffic, part.holds) for part in parts(result))
    return f"## Machine\n\n{table('lrrrr', headings, rows)}"


def _footprint(result: Result) -> str:
    taken = footprint(result)
    return f"## {TITLE}\n\n{table('rlll', ('figure', 'range', 'of', 'by'), taken)}" if taken else ""


def _basis(result: Result) -> str:
    lines = (f"- **{note.label}**: {plain(note.text)}" for note in notes(result, band(result.constants)))
    return "## What the figures rest on\n\n" + "\n".join(lines)


def _warnings(result: Result) -> str:
    return "## Warnings\n\n" + "\n".join(f"- {plain(text)}" for text in result.warnings) if result.warnings else ""
