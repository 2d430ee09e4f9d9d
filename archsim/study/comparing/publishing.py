"""From a comparison to files in a folder."""

from __future__ import annotations

from pathlib import Path

from archsim.reports.comparison.data import results_csv, results_json, results_parquet
from archsim.reports.comparison.html import report_html
from archsim.reports.comparison.markdown import report_md
from archsim.reports.comparison.matrix import Comparison
from archsim.reports.comparison.terminal import progress, summary
from archsim.study.writing import prepare, write_together

__all__ = ["prepare", "progress", "publish", "summary"]


def publish(comparison: Comparison, folder: Path) -> tuple[Path, ...]:
    """Write the reports, each whole or not at all, and name them."""
    files: dict[str, str | bytes] = {
        "report.html": report_html(comparison).encode(),
        "report.md": report_md(comparison).encode(),
        "results.csv": results_csv(comparison).encode(),
        "results.json": results_json(comparison).encode(),
    }
    table = results_parquet(comparison)
    if table is not None:
        files["results.parquet"] = table
    whole = {folder / name: content for name, content in files.items()}
    write_together(whole)
    return tuple(whole)
