"""From the baseline's joules to a candidate's, step by step."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate

from archsim.model.result import KINDS
from archsim.reports.comparison.charts.figure import Chart, axis, frame, shown
from archsim.reports.comparison.matrix import joules
from archsim.reports.comparison.outcome import Cell
from archsim.reports.comparison.words import NAMES
from archsim.reports.quantities import si

_BAR, _AROUND = 34, 16
"""Pixels of a bar, and around all."""


_ROOM = 0.12
"""Of the longest bar: what a figure beside a bar takes."""


def waterfall(baseline: Cell, candidate: Cell, key: str) -> Chart:
    """A bar for each machine, and between them one for each kind of hardware that makes a difference."""
    before, after = (cell.document["energy"]["by_kind"] for cell in (baseline, candidate))
    steps = {kind: after[kind] - before[kind] for kind in KINDS if after[kind] != before[kind]}
    ends = [f"<b>{shown(cell.machine.label)}</b>" for cell in (baseline, candidate)]
    labels = [ends[0], *(NAMES.get(kind, kind) for kind in steps), ends[1] if ends[1] != ends[0] else f"{ends[1]} "]
    texts = [si(joules(baseline), "J"), *map(_signed, steps.values()), si(joules(candidate), "J")]
    trace = {
        "type": "waterfall",
        "orientation": "h",
        "y": labels,
        "x": [joules(baseline), *steps.values(), joules(candidate)],
        "measure": ["absolute", *["relative"] * len(steps), "total"],
        "text": texts,
        "textposition": "outside",
        "cliponaxis": False,
        "hoverinfo": "skip",
        "connector": {"line": {"color": "--quiet", "width": 1}},
        "increasing": {"marker": {"color": "--more"}},
        "decreasing": {"marker": {"color": "--less"}},
        "totals": {"marker": {"color": "--total"}},
    }
    layout = frame(
        _AROUND + _BAR * len(labels),
        waterfallgap=0.45,
        xaxis=axis(visible=False, range=_range([joules(baseline), *steps.values()], joules(candidate))),
        yaxis=axis(autorange="reversed", showgrid=False, ticklabelstandoff=8),
        margin={"l": 8, "r": 8, "t": 8, "b": 8},
    )
    told = ", ".join(f"{NAMES.get(kind, kind)} {_signed(step)}" for kind, step in steps.items())
    between = f"From {baseline.machine.label}, {texts[0]}, to {candidate.machine.label}, {texts[-1]}"
    return Chart(key, f"{between}: {told or 'no difference'}.", (trace,), layout)


def _range(steps: Sequence[float], last: float) -> list[float]:
    """From nothing to the furthest of the running sums, with room for a figure at both ends."""
    furthest = max(*accumulate(steps), last)
    return [-_ROOM * furthest, (1 + _ROOM) * furthest]


def _signed(joule: float) -> str:
    return f"{'+' if joule > 0 else '−'}{si(abs(joule), 'J')}"
