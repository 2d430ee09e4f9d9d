"""Energies at another process node: by a factor per step that differs for logic, SRAM and wires.

Nodes lie on a ladder around 7 nm, where the figures of the library are best known. What is scaled is energy at the same
clock: rates, latencies, capacities and areas stay. Static power keeps its value, because no published rule separates
leakage, clock and I/O; its range takes in the factor. A memory's own process is not that of the logic and stays.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from math import log
from typing import Literal

from archsim.model.component import Action, Component, EnergyKind
from archsim.model.price import UNSTATED, Grade, Price, Ratio
from archsim.model.process import NEWEST_NM, OLDEST_NM, nanometres

Scale = Literal["logic", "sram", "wire", "static"]

LADDER = (OLDEST_NM, 10.0, 7.0, 5.0, 3.0, NEWEST_NM)
"""Nodes in nanometres, a step apart each."""

ANCHOR = 7.0

PER_STEP: Mapping[Scale, Ratio] = {
    "logic": Ratio.model_construct(
        value=0.7,
        low=0.66,
        high=0.85,
        grade="assumed",
        source="30 % less power at one speed from TSMC N7 to N5 (Yeap et al., IEDM 2019, as quoted by others), 25 to "
        "34 % from N5 to N3 (announcements, from memory); high 0.845 from 7 to 5 nm in Accelergy-Project/hwcomponents",
    ),
    "sram": Ratio.model_construct(
        value=0.9,
        low=0.8,
        high=1.0,
        grade="assumed",
        source="a rule: cells shrink by 0.95 to 1.0 from N5 to N3, and bit lines with them",
    ),
    "wire": Ratio.model_construct(
        value=1.0,
        low=0.77,
        high=1.0,
        grade="assumed",
        source="a rule for wires and I/O; low 100 fJ/bit/mm at 14 nm to 50 at 5 nm (Dally, CACM 2020 and NOCS 2022)",
    ),
}


@dataclass(frozen=True, slots=True)
class Scaling:
    """What a price was multiplied by between two nodes; `far` says that it lies more than a step from the anchor."""

    scale: Scale
    start_nm: float
    end_nm: float
    factor: float
    low: float
    high: float
    far: bool


def steps(node_nm: float) -> float:
    """Steps from the anchor to a node, towards smaller ones; between nodes of the ladder by the logarithm of length."""
    index = next((n for n, (_, finer) in enumerate(pairwise(LADDER)) if node_nm >= finer), len(LADDER) - 2)
    coarse, fine = LADDER[index], LADDER[index + 1]
    return index + log(coarse / node_nm) / log(coarse / fine) - LADDER.index(ANCHOR)


def on_ladder(node: str | None) -> float | None:
    """The length of a node that can be scaled from or to; None where none is stated, or an older or newer one."""
    length = None if node is None else nanometres(node)
    return length if length is not None and LADDER[-1] <= length <= LADDER[0] else None


def scaling(component: Component, unit: str) -> Scaling | None:
    """How the price of an action counted in `unit` is scaled (`ps`: static power); None where it stays as it is."""
    start, end = on_ladder(component.node), on_ladder(component.scale_to)
    scale = _scale(component.energy_kind, unit)
    if start is None or end is None or start == end or scale is None:
        return None
    taken = steps(end) - steps(start)
    per_step = PER_STEP[_scale_of_static(component.energy_kind) if scale == "static" else scale]
    low, high = sorted((per_step.low**taken, per_step.high**taken))
    factor = per_step.value**taken
    if scale == "static":
        factor, low, high = 1.0, min(1.0, low), max(1.0, high)
    far = max(abs(steps(start)), abs(steps(end)), abs(taken)) > 1
    return Scaling(scale, start, end, factor, low, high, far)


def _scale(kind: EnergyKind, unit: str) -> Scale | None:
    if kind == "dram":
        return None
    if unit == "ps":
        return "static"
    if unit != "B":
        return "logic"
    return "sram" if kind in ("sram", "other") else "wire"


def _scale_of_static(kind: EnergyKind) -> Scale:
    scales: dict[EnergyKind, Scale] = {"sram": "sram", "other": "sram", "link": "wire"}
    return scales.get(kind, "logic")


def scaled(price: Price, by: Scaling | None) -> Price:
    """The price at the other node: its range is widened by the factor's own, and its grade can't stay above derived."""
    if by is None or price.high == 0:
        return price
    grade: Grade = "assumed" if by.far or price.grade == "assumed" else "derived"
    return price.times(by.factor, by.low, by.high, grade=grade, source=f"{price.source}; {told(by)}")


def told(by: Scaling) -> str:
    """A scaling in words."""
    spread = f"{by.scale} x {by.factor:.3g} ({by.low:.3g} to {by.high:.3g})"
    return f"{by.start_nm:g} to {by.end_nm:g} nm: {spread}" + (", far from the anchor at 7 nm" if by.far else "")


def rescaled(
    components: Mapping[str, Component],
    actions: Mapping[str, Mapping[str, Action]],
    by_software: Collection[tuple[str, str]] = (),
) -> Iterator[str]:
    """A sentence for each component that was to be scaled: what was and by how much, or why it was not.

    `by_software` are components and actions that have no price of their own, but one of the stack.
    """
    for name, component in components.items():
        if component.scale_to is None:
            continue
        units = {
            action.replace("_", " "): item.unit
            for action, item in actions[name].items()
            if item.price.source != UNSTATED or (name, action) in by_software
        }
        powered = {"static power": "ps"} if component.static.high else {}
        alike: dict[Scaling, list[str]] = {}
        for action, unit in {**units, **powered}.items():
            by = scaling(component, unit)
            if by is not None:
                alike.setdefault(by, []).append(action)
        yield from (f"{name} {', '.join(moved)}, {told(by)}" for by, moved in alike.items())
        if not alike:
            yield f"{name} stays as it is: {_reason(component)}"


def _reason(component: Component) -> str:
    if component.energy_kind == "dram":
        return "a memory has a process of its own"
    if component.node is None or nanometres(component.node) is None:
        return "it states no node" if component.node is None else f"`{component.node}` names no length"
    if on_ladder(component.node) is None:
        return f"from {component.node} nothing is scaled: published rules disagree by a factor of four"
    return "it is at that node"
