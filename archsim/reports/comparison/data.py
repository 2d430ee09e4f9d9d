"""The comparison as data: one JSON object, a table with a line per cell, and the same table as Parquet."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping
from importlib.util import find_spec
from typing import Any

from archsim.model.result import KINDS
from archsim.reports.comparison.matrix import SCHEMA, Comparison, pace, ratios
from archsim.reports.comparison.outcome import Cell, Outcome, Refusal
from archsim.reports.comparison.ranking import Ranking, rankings
from archsim.reports.document import Document

_SUBJECT = ("workload", "hardware", "class", "error")
_FIGURES = (
    "energy_per_token_j", "energy_low_j", "energy_high_j", "energy_p05_j", "energy_p95_j", "energy_ratio",
    "energy_ratio_p05", "energy_ratio_p95", "time_s", "time_of", "time_ratio", "ttft_s",
    "tokens_per_s_per_user", "tokens_per_s", "sequences_in_flight", "average_w", "devices", "area_mm2", "boundary",
    "time_standing", "energy_standing", "weights", "kv", "activations", "adjustments", "warnings",
)  # fmt: skip
COLUMNS = (*_SUBJECT, *_FIGURES, *(f"{kind}_j" for kind in KINDS))

Record = Mapping[str, str | int | float | None]


def results_json(comparison: Comparison) -> str:
    """The object that `archsim.compare/1` describes: a result, or an error, for each cell in order."""
    machine = comparison.machines[comparison.baseline]
    content = {
        "schema": SCHEMA,
        "baseline": machine.name,
        "results": [_result(outcome) for outcome in comparison.outcomes],
        "rankings": [_ranking(ranking) for ranking in rankings(comparison)],
    }
    return json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def _result(outcome: Outcome) -> Document:
    if isinstance(outcome, Cell):
        return outcome.document
    return {
        "workload": {"name": outcome.workload.name, "family": outcome.workload.group},
        "hardware": {"name": outcome.machine.name, "class": outcome.machine.group},
        "error": _error(outcome),
    }


def _ranking(ranking: Ranking) -> Document:
    """Machines of a workload by joules, and every pair: the ratio with its band, and which price turns the order."""
    return {
        "workload": ranking.workload.label,
        "order": [cell.machine.label for cell in ranking.order],
        "pairs": [
            {
                "less": pair.less.machine.label,
                "more": pair.more.machine.label,
                "ratio": pair.ratio,
                "ratio_p05": pair.band and pair.band.p05,
                "ratio_p95": pair.band and pair.band.p95,
                "probability": pair.odds,
                "firm": pair.firm,
                "turned_by": [turn._asdict() for turn in pair.turns],
            }
            for pair in ranking.pairs
        ],
    }


def _error(refusal: Refusal) -> str:
    return f"{refusal.reason} ({refusal.help})" if refusal.help else refusal.reason


def results_csv(comparison: Comparison) -> str:
    """A line per cell; what a failed cell lacks is empty."""
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(records(comparison))
    return text.getvalue()


def results_parquet(comparison: Comparison) -> bytes | None:
    """The same table as Parquet; None where pyarrow is not installed."""
    if find_spec("pyarrow") is None:
        return None
    import pandas as pd  # slow to import, and only this format asks for it

    buffer = io.BytesIO()
    pd.DataFrame(records(comparison), columns=list(COLUMNS)).to_parquet(buffer, index=False, engine="pyarrow")
    return buffer.getvalue()


def records(comparison: Comparison) -> list[Record]:
    """A record per cell, by column."""
    return [_record(comparison, outcome) for outcome in comparison.outcomes]


def _record(comparison: Comparison, outcome: Outcome) -> Record:
    subject = {"workload": outcome.workload.label, "hardware": outcome.machine.label, "class": outcome.machine.group}
    if isinstance(outcome, Refusal):
        return {**dict.fromkeys(COLUMNS), **subject, "error": _error(outcome)}
    by_kind = outcome.document["energy"]["by_kind"]
    return {**subject, "error": None, **_figures(comparison, outcome), **{f"{kind}_j": by_kind[kind] for kind in KINDS}}


def _figures(comparison: Comparison, cell: Cell) -> dict[str, Any]:
    document, against, took = cell.document, ratios(comparison, cell), pace(cell)
    energy, throughput, hardware = document["energy"], document["throughput"], document["hardware"]
    return {
        "energy_per_token_j": energy["per_token_j"],
        "energy_low_j": energy["low_j"],
        "energy_high_j": energy["high_j"],
        "energy_p05_j": energy["p05_j"],
        "energy_p95_j": energy["p95_j"],
        "energy_ratio": against.energy,
        "energy_ratio_p05": against.band and against.band.p05,
        "energy_ratio_p95": against.band and against.band.p95,
        "time_s": took.seconds,
        "time_of": took.of,
        "time_ratio": against.time,
        "ttft_s": document["latency"]["ttft_s"],
        **throughput,
        "average_w": document["power"]["average_w"],
        "devices": hardware["devices"],
        "area_mm2": cell.area_mm2,
        "boundary": hardware["boundary"],
        "time_standing": cell.validity.time.standing,
        "energy_standing": cell.validity.energy.standing,
        **{name: _dtype(document["workload"]["dtypes"][name]) for name in ("weights", "kv", "activations")},
        "adjustments": "; ".join(adjustment.note for adjustment in cell.adjustments),
        "warnings": "; ".join(document["warnings"]),
    }


def _dtype(stored: Any) -> str:
    return stored if isinstance(stored, str) else str(stored["dtype"])
