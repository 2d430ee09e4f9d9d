"""The comparison as a page of Markdown: verdicts, tables, what weakens them, and where the figures come from."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain

from archsim import __version__
from archsim.reports.comparison.certainty import ORDER, ORDER_HEADINGS, doubts, held, orders
from archsim.reports.comparison.matrix import Comparison, joules
from archsim.reports.comparison.outcome import Cell
from archsim.reports.comparison.sources import inputs
from archsim.reports.comparison.verdict import Verdict, verdicts
from archsim.reports.comparison.waterfall import ORDERS
from archsim.reports.comparison.words import NAMES, Refused, Row, rows, title
from archsim.reports.gfm import marked, plain, table
from archsim.reports.quantities import NOTHING, percentages, si

_HEADINGS = (
    ("machine", "l"),
    ("energy/token", "r"),
    ("range", "r"),
    ("5–95 %", "r"),
    ("to baseline", "r"),
    ("5–95 %", "r"),
    ("time/token", "r"),
    ("to baseline", "r"),
    ("tokens/s per user", "r"),
    ("tokens/s", "r"),
    ("in flight", "r"),
    ("power", "r"),
    ("devices", "r"),
    ("area", "r"),
    ("precision", "l"),
    ("boundary", "l"),
)


def report_md(comparison: Comparison) -> str:
    """The page; the same cells make the same bytes."""
    parts = [f"# {title(comparison)}", *map(_told, verdicts(comparison))]
    for index, workload in enumerate(comparison.workloads):
        parts += [f"## {plain(workload.label)}", *_workload(comparison, index)]
    parts += [
        *_order(comparison),
        *_doubts(comparison),
        *_held(comparison),
        *_warnings(comparison),
        *_provenance(comparison),
    ]
    return "\n\n".join(parts) + "\n"


def _told(verdict: Verdict) -> str:
    caveats = f" ({plain('; '.join(verdict.caveats))})" if verdict.caveats else ""
    return f"**{plain(verdict.workload)}**: {plain(verdict.sentence)}{caveats}"


def _workload(comparison: Comparison, index: int) -> Iterable[str]:
    found = rows(comparison, index)
    cells = comparison.results(comparison.workloads[index])
    if cells:
        yield plain(cells[0].words.asked)
    notes: dict[str, int] = {}
    lines = [_line(line, notes) for line in found]
    yield marked((side for _, side in _HEADINGS), [heading for heading, _ in _HEADINGS], lines)
    if notes:
        yield "\n".join(f"- [{number}] {plain(note)}" for note, number in notes.items())
    refused = [line for line in found if isinstance(line, Refused)]
    if refused:
        yield "\n".join(f"- **{plain(line.machine)}**: {plain(_reason(line))}" for line in refused)
    for column in ("kind", "tensor") if cells else ():
        yield f"Energy per token by {column}:"
        yield _spent(cells, column)


def _reason(line: Refused) -> str:
    return f"{line.reason}. {line.help[:1].upper()}{line.help[1:]}" if line.help else line.reason


def _line(line: Row | Refused, notes: dict[str, int]) -> list[str]:
    """The cells of a line; its marks are numbered in the order in which they first stand."""
    if isinstance(line, Refused):
        return [plain(line.machine), "no figures: see below", *[NOTHING] * (len(_HEADINGS) - 2)]
    marks = [f"[{notes.setdefault(mark, len(notes) + 1)}]" for mark in line.marks]
    machine, *figures = (plain(item) for item in line if isinstance(item, str))
    return [" ".join((machine, *marks)), *figures]


def _spent(cells: Sequence[Cell], column: str) -> str:
    """Joules by a column of the ledger, a line for each machine."""
    spent = [cell.document["energy"][f"by_{column}"] for cell in cells]
    used = [name for name in dict.fromkeys((*ORDERS[column], *chain(*spent))) if any(part.get(name) for part in spent)]
    lines = []
    for cell, part in zip(cells, spent, strict=True):
        joule = [float(part.get(name, 0.0)) for name in used]
        texts = [f"{si(one, 'J')} ({share})" for one, share in zip(joule, percentages(joule), strict=True)]
        lines.append([cell.machine.label, *texts, si(joules(cell), "J")])
    return table("l" + "r" * (len(used) + 1), ["machine", *(NAMES.get(name, name) for name in used), "all"], lines)


def _order(comparison: Comparison) -> Iterable[str]:
    found = orders(comparison)
    if not found:
        return
    yield "## How sure the order is"
    yield ORDER
    for order in found:
        caveats = f" ({plain('; '.join(order.caveats))})" if order.caveats else ""
        yield f"**{plain(order.workload.label)}**{caveats}"
        yield table("rlrrrrl", ORDER_HEADINGS, order.places)


def _doubts(comparison: Comparison) -> Iterable[str]:
    named: dict[tuple[str, str], list[str]] = {}
    for doubt in doubts(comparison):
        named.setdefault((doubt.machine, doubt.workload), []).append(f"{doubt.constant} {doubt.share}")
    if named:
        yield "The constants that the bands come from, by their share of the variance:"
        lines = ([*cell, ", ".join(constants)] for cell, constants in named.items())
        yield table("lll", ("machine", "workload", "constants"), lines)


def _held(comparison: Comparison) -> Iterable[str]:
    found = held(comparison)
    if found:
        yield "## What the machines were held against"
        yield "\n".join(f"- **{plain(item.machine)}**: {plain('; '.join(item.evidence))}" for item in found)
        lines = [(item.machine, *stands) for item in found for stands in item.stands]
        yield table("llll", ("machine", "workload", "time", "energy"), lines)


def _warnings(comparison: Comparison) -> Iterable[str]:
    told = [
        f"- {plain(cell.workload.label)} on {plain(cell.machine.label)}: {plain(text)}"
        for cell in comparison.cells
        for text in cell.document["warnings"]
    ]
    return ("## Warnings", "\n".join(told)) if told else ()


def _provenance(comparison: Comparison) -> Iterable[str]:
    yield "## Provenance"
    yield f"archsim {__version__}. Each cell by itself:"
    commands = [cell.document["provenance"]["command"] for cell in comparison.cells]
    yield "\n".join(("```sh", *commands, "```")) if commands else "No cell has figures."
    read = [[plain(path), f"`{digest}`"] for path, digest in inputs(comparison)]
    yield marked("ll", ["file", "SHA-256"], read)
