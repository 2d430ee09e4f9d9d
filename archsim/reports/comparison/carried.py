"""Bytes and joules on every link of a machine's graph, drawn from memories to compute."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import NamedTuple

from archsim.model.component import Connector
from archsim.model.graph import DEVICE
from archsim.model.pricing import Priced, grouped
from archsim.model.result import Result

BEYOND = "other "
"""Starts the name of where a link ends that leads to more of the same."""

_FAR = 1 << 30


class Carried(NamedTuple):
    """What a link carried per output token, in both directions, of one class of tensors.

    Links run from what is far from compute to what is near; those of a group to itself, and to other devices, end in
    a place of their own.
    """

    link: str
    source: str
    target: str
    tensor: str
    bytes: float
    joules: float


def carried(result: Result) -> tuple[Carried, ...]:
    """The links that carried anything, in the order of the file."""
    ends = _ends(result)
    entries = [entry for entry in result.entries if entry.row.component in ends and entry.row.unit == "B"]

    def of(entry: Priced) -> tuple[str, str]:
        return entry.row.component, result.tensor_class(entry.row)

    counts: Counter[tuple[str, str]] = Counter()
    for entry in entries:
        counts[of(entry)] += entry.row.count
    return tuple(
        Carried(link, *ends[link], tensor, counts[name, tensor] / result.tokens, joules / result.tokens)
        for link in ends
        for (name, tensor), joules in grouped(entries, of).items()
        if name == link
    )


def _ends(result: Result) -> Mapping[str, tuple[str, str]]:
    """Source and target of each link."""
    links = {name: item for name, item in result.machine.components.items() if isinstance(item, Connector)}
    steps = _steps_to_compute(result, links)
    near = min(steps, key=lambda name: steps[name], default=DEVICE)
    found = {}
    for name, link in links.items():
        one, other = link.between
        if DEVICE in link.between:
            found[name] = (near, f"{BEYOND}devices")
        elif one == other:
            found[name] = (one, f"{BEYOND}{one}")
        else:
            nearer_first = steps.get(one, _FAR) < steps.get(other, _FAR)
            found[name] = (other, one) if nearer_first else (one, other)
    return found


def _steps_to_compute(result: Result, links: Mapping[str, Connector]) -> dict[str, int]:
    """Links between each component and the nearest that multiplies."""
    steps = {
        name: 0
        for name, actions in result.machine.actions.items()
        if any(action.unit == "MAC" for action in actions.values())
    }
    frontier = list(steps)
    while frontier:
        here = frontier.pop(0)
        for link in links.values():
            for one, other in (link.between, link.between[::-1]):
                if one == here and other not in steps and other != DEVICE:
                    steps[other] = steps[here] + 1
                    frontier.append(other)
    return steps
