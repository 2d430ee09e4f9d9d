"""What a terminal shows of a comparison: its progress while it runs, then verdicts and a table."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

from archsim.reports.comparison.matrix import Comparison
from archsim.reports.comparison.outcome import Outcome
from archsim.reports.comparison.verdict import verdicts
from archsim.reports.comparison.words import Refused, Row, rows
from archsim.reports.page import ACCENT, QUIET, Column, heading, table, written

if TYPE_CHECKING:
    from rich.console import Console

_COLUMNS = (
    Column("machine", wraps=True, least=16),
    Column("energy/token", right=True),
    Column("5–95 %", right=True, style=QUIET, spare=2),
    Column("", right=True, style=ACCENT),
    Column("time", right=True),
    Column("", right=True, style=ACCENT),
    Column("tokens/s", right=True),
    Column("devices", right=True, spare=1),
)


@contextmanager
def progress(cells: int, *, shown: bool) -> Iterator[Callable[[Outcome], None]]:
    """What to tell of each outcome; a bar on stderr moves on where it is shown."""
    if not shown:
        yield lambda _: None
        return
    from rich.console import Console  # only a person who waits sees a bar
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("simulating", total=cells)

        def told(outcome: Outcome) -> None:
            bar.update(task, advance=1, description=f"{outcome.workload.argument} on {outcome.machine.argument}")

        yield told


def summary(comparison: Comparison, *, width: int | None = None, color: bool = False) -> str:
    """A verdict and a table for each workload."""
    told = [partial(_workload, comparison, index) for index in range(len(comparison.workloads))]
    return written(told, width, color=color)


def _workload(comparison: Comparison, index: int, console: Console) -> None:
    heading(comparison.workloads[index].label, console)
    verdict = verdicts(comparison)[index]
    console.print(verdict.sentence)
    for caveat in verdict.caveats:
        console.print(f"· {caveat}", style=QUIET)
    console.print()
    lines = rows(comparison, index)
    figures = [line for line in lines if isinstance(line, Row)]
    if figures:
        console.print(table(_COLUMNS, map(_line, figures), console.width))
        console.print(
            f"boundary of the joules: {', '.join(dict.fromkeys(row.boundary for row in figures))}", style=QUIET
        )
    for row in figures:
        if row.marks:
            console.print(f"* {row.machine}: {'; '.join(row.marks)}", style=QUIET)
    for line in lines:
        if isinstance(line, Refused):
            console.print(f"{line.machine}: {line.reason}", style="yellow")


def _line(row: Row) -> tuple[str, ...]:
    marked = f"{row.machine} *" if row.marks else row.machine
    return (
        marked,
        row.energy,
        row.band,
        row.energy_ratio,
        row.time,
        row.time_ratio,
        row.in_total,
        row.devices,
    )
