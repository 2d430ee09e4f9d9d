"""From a result to text and files."""

from __future__ import annotations

import inspect
from pathlib import Path
from types import ModuleType

from archsim.config.diagnostics import of_option
from archsim.config.registry import Family
from archsim.model.result import Result
from archsim.reports import timeline
from archsim.study import resolved
from archsim.study.running import Finished
from archsim.study.writing import prepare, write_together, write_whole

REPORTS = Family("archsim.reports", "archsim.reports", "format")


def chosen(kind: str) -> ModuleType:
    """The report of a format; raise `InputError` for an unknown one."""
    return REPORTS.get(kind, of_option("--format", kind))


def rendered(
    report: ModuleType, result: Result, folder: Path | None, *, width: int | None = None, color: bool = False
) -> str:
    """What stdout gets of a report: its text, or where it went if it has to be asked for and there is a folder.

    One that can takes a width and colours.
    """
    if folder is not None and _asked_for(report):
        return f"{folder / report.FILENAME}\n"
    drawn = "color" in inspect.signature(report.render).parameters
    text: str = report.render(result, width=width, color=color) if drawn else report.render(result)
    return text


def _asked_for(report: ModuleType) -> bool:
    """Whether a report is for a file: too large for a terminal, and for every folder of results."""
    return getattr(report, "ASKED_FOR", False)


def write(finished: Finished, folder: Path, chosen: ModuleType) -> None:
    """Write the reports and `resolved.yaml` into a folder, each file whole or not at all.

    A report that has to be asked for is written where it is the one `chosen`.
    """
    reports = [report for report in REPORTS.members().values() if report is chosen or not _asked_for(report)]
    texts = {report.FILENAME: report.render(finished.result) for report in reports}
    texts[resolved.FILENAME] = resolved.resolved(finished.job, finished.target, finished.how, finished.boundary)
    prepare(folder)
    write_together({folder / name: text for name, text in texts.items()})


def write_timeline(finished: Finished, path: Path) -> None:
    """Write the timeline of a run that was asked to keep one."""
    write_whole(path, timeline.render(finished.result))
