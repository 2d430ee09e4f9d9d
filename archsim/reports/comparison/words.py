"""Words and figures of a comparison that every report of it tells alike."""

from __future__ import annotations

from typing import NamedTuple

from archsim.model.uncertainty import Band
from archsim.reports.comparison.matrix import Comparison, joules, pace, ratios
from archsim.reports.comparison.outcome import Cell, Refusal
from archsim.reports.quantities import NOTHING, counted, interval, number, same, si

BASELINE = "baseline"
NAMES = {"sram": "SRAM", "dram": "DRAM", "link": "links", "kv": "KV"}
"""Kinds and classes of tensors whose name is not the word for them."""

_MM2_PER_CM2, _LARGE = 100, 10
"""The second in square centimetres: beyond, areas are told in them."""


class Row(NamedTuple):
    """One machine under one workload, as texts; `marks` names what makes its figures unlike the others'.

    `unlike` says that its joules do not cover what the baseline's do.
    """

    machine: str
    energy: str
    interval: str
    band: str
    energy_ratio: str
    ratio_band: str
    time: str
    time_ratio: str
    per_user: str
    in_total: str
    in_flight: str
    power: str
    devices: str
    area: str
    precision: str
    boundary: str
    marks: tuple[str, ...]
    unlike: bool


class Refused(NamedTuple):
    """One machine that has no figures, and why."""

    machine: str
    reason: str
    help: str


def rows(comparison: Comparison, workload: int) -> tuple[Row | Refused, ...]:
    """The lines of one workload, a machine each, in the order asked for."""
    return tuple(
        Refused(outcome.machine.label, outcome.reason, outcome.help)
        if isinstance(outcome, Refusal)
        else _row(comparison, outcome)
        for outcome in comparison.rows[workload]
    )


def _row(comparison: Comparison, cell: Cell) -> Row:
    document, against = cell.document, ratios(comparison, cell)
    energy, throughput, hardware = document["energy"], document["throughput"], document["hardware"]
    low, high = energy["low_j"], energy["high_j"]
    own = comparison.machines[comparison.baseline] == cell.machine
    return Row(
        machine=cell.machine.label,
        energy=si(joules(cell), "J"),
        interval="none stated" if same(low, high) else interval(low, high, "J"),
        band=NOTHING if same(low, high) else interval(energy["p05_j"], energy["p95_j"], "J"),
        energy_ratio=BASELINE if own else times(against.energy),
        ratio_band="" if own or against.band is None else between(against.band),
        time=si(pace(cell).seconds, "s"),
        time_ratio=BASELINE if own else times(against.time),
        per_user=number(throughput["tokens_per_s_per_user"]),
        in_total=number(throughput["tokens_per_s"]),
        in_flight=f"{throughput['sequences_in_flight']:,}",
        power=si(document["power"]["average_w"], "W"),
        devices=f"{hardware['devices']:,}",
        area=area(cell),
        precision=precision(cell),
        boundary=hardware["boundary"],
        marks=marks(comparison, cell),
        unlike=not against.alike,
    )


def times(ratio: float | None) -> str:
    """A ratio as a factor: `0.71×`, `14.0×`."""
    return NOTHING if ratio is None else f"{number(ratio)}×"


def between(tails: Band) -> str:
    """The factors that nine of ten draws of a ratio lie between."""
    return f"{number(tails.p05)}–{number(tails.p95)}×"


def area(cell: Cell) -> str:
    """The area of all devices, where it is known."""
    if cell.area_mm2 is None:
        return NOTHING
    large = cell.area_mm2 > _LARGE * _MM2_PER_CM2
    return f"{number(cell.area_mm2 / _MM2_PER_CM2)} cm²" if large else f"{number(cell.area_mm2)} mm²"


def precision(cell: Cell) -> str:
    """The data types of a cell: one where all are the same."""
    dtypes = cell.document["workload"]["dtypes"]
    texts = {name: text if isinstance(text, str) else text["dtype"] for name, text in dtypes.items()}
    if len(set(texts.values())) == 1:
        return str(texts["weights"])
    experts = f" (experts {texts['experts']})" if "experts" in texts else ""
    return f"W {texts['weights']}{experts} · KV {texts['kv']} · A {texts['activations']}"


def marks(comparison: Comparison, cell: Cell) -> tuple[str, ...]:
    """What to know before a cell is held against another."""
    unlike = not ratios(comparison, cell).alike
    boundary = f"its joules cover the {cell.machine.boundary}, the baseline's do not: the ratio is not of like things"
    capped = "held to its limit of power: its times follow its prices, which the what-if below leaves out"
    limited = cell.document["power"]["tdp_limited"]
    return (
        *(adjustment.note for adjustment in cell.adjustments),
        *((boundary,) if unlike else ()),
        *((capped,) if limited else ()),
        *_at_an_end(cell),
    )


def _at_an_end(cell: Cell) -> tuple[str, ...]:
    """Where the joules as stated are outside of what nine of ten draws of their prices need."""
    energy = cell.document["energy"]
    if energy["p05_j"] <= joules(cell) <= energy["p95_j"] or same(energy["p05_j"], energy["p95_j"]):
        return ()
    needs = "more" if joules(cell) < energy["p05_j"] else "less"
    return (f"its prices stand at an end of their ranges: 19 of 20 draws need {needs} than stated",)


def title(comparison: Comparison) -> str:
    """The comparison in a few words."""
    if len(comparison.machines) == len(comparison.workloads) == 1:
        return f"{comparison.workloads[0].label} on {comparison.machines[0].label}"
    return f"{counted(len(comparison.machines), 'machine')} × {counted(len(comparison.workloads), 'workload')}"
