"""The priced ledger as a table of comma-separated values: one row per count, for spreadsheets and data frames."""

from __future__ import annotations

import csv
from io import StringIO

from archsim.model.result import Result
from archsim.reports.document import count

KIND = "csv"
FILENAME = "counts.csv"

COLUMNS = (
    "component",
    "action",
    "operator",
    "phase",
    "tensor",
    "count",
    "unit",
    "price_pj",
    "low_pj",
    "high_pj",
    "energy_pj",
    "boundary",
)


def render(result: Result) -> str:
    """Rows of the whole run in the order of the ledger: `count` of `unit` at `price_pj` each make `energy_pj`.

    `boundary` is what the price of a row covers.
    """
    text = StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(
        count(entry) | {"energy_pj": entry.picojoules, "boundary": entry.price.boundary} for entry in result.entries
    )
    return text.getvalue()
