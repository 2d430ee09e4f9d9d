"""What one cell of a comparison holds: all that its report needs of a result, or the reason why there is none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from archsim.model.component import EnergyKind
from archsim.model.price import Boundary
from archsim.model.result import Result
from archsim.model.uncertainty import Constants, band
from archsim.model.validity import Validities
from archsim.reports.comparison.busy import Timeline, timeline
from archsim.reports.comparison.carried import Carried, carried
from archsim.reports.comparison.repricing import PricedAction, priced_actions
from archsim.reports.comparison.roofline import Roofline, roofline
from archsim.reports.document import Document, document
from archsim.reports.footprint import Taken, footprint
from archsim.reports.operators import Line, operator_lines, time_heading
from archsim.reports.summary import Note, Part, asked, built, notes, parts


class Subject(NamedTuple):
    """A workload or a machine: as it was asked for, what its file calls it, its family or class, and its label.

    `boundary` is what a machine's joules cover; None for a workload.
    """

    argument: str
    name: str
    group: str
    label: str
    boundary: Boundary | None = None


@dataclass(frozen=True, slots=True)
class Adjustment:
    """What was changed so that a cell could be, as `--set` texts, and why."""

    sets: tuple[str, ...]
    note: str


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a cell has no figures. `defect` holds a traceback where the reason is not the reader's to mend."""

    workload: Subject
    machine: Subject
    reason: str
    help: str = ""
    defect: str = ""


@dataclass(frozen=True, slots=True)
class Words:
    """A result in words, as every report tells it."""

    asked: str
    built: str
    time_heading: str
    operators: tuple[Line, ...]
    parts: tuple[Part, ...]
    notes: tuple[Note, ...]
    taken: tuple[Taken, ...]


@dataclass(frozen=True, slots=True)
class Cell:
    """One result: its document, its words, and the facts behind its charts.

    `home` is the kind of memory that keeps the weights (None: it has none), `area_mm2` the area of all devices where
    every component states one.
    """

    workload: Subject
    machine: Subject
    adjustments: tuple[Adjustment, ...]
    document: Document
    words: Words
    home: EnergyKind | None
    area_mm2: float | None
    prices: tuple[PricedAction, ...]
    constants: Constants
    validity: Validities
    roofline: Roofline | None
    carried: tuple[Carried, ...]
    timeline: Timeline


Outcome = Cell | Refusal


def cell(workload: Subject, machine: Subject, adjustments: tuple[Adjustment, ...], result: Result) -> Cell:
    """The cell of a result; everything large stays behind, so that it is cheap to hand to another process."""
    return Cell(
        workload=workload,
        machine=machine,
        adjustments=adjustments,
        document=document(result),
        words=Words(
            asked=asked(result),
            built=built(result),
            time_heading=time_heading(result),
            operators=operator_lines(result),
            parts=parts(result),
            notes=notes(result, band(result.constants)),
            taken=footprint(result),
        ),
        home=_home(result),
        area_mm2=_area(result),
        prices=priced_actions(result),
        constants=result.constants,
        validity=result.validity,
        roofline=roofline(result),
        carried=carried(result),
        timeline=timeline(result),
    )


def _home(result: Result) -> EnergyKind | None:
    homes = [placed.component for placed in result.plan.placements if placed.role == "weights"]
    return result.machine.components[homes[0]].energy_kind if homes else None


def _area(result: Result) -> float | None:
    """Square millimetres of what has an area, links aside; None where a part leaves it out."""
    parts = {name: item for name, item in result.machine.components.items() if item.energy_kind != "link"}
    areas = [item.area and item.area * result.machine.instances(name) for name, item in parts.items()]
    known = [area for area in areas if area is not None]
    return sum(known) if known and len(known) == len(areas) else None
