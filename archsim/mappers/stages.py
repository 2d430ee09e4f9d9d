"""Units in contiguous stages: which stands where, which memory is overfull, and what would make a model fit."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from archsim.mappers.passes import Load
from archsim.model.plan import PlanError
from archsim.model.trace import Role

MOST_DEVICES = 4096
"""Devices beyond which no remedy is looked for."""


def partition(sizes: Sequence[int], stages: int) -> tuple[int, ...]:
    """The stage of each unit, contiguous, such that the fullest stage holds the least that it can."""
    low, high = max(sizes), sum(sizes)
    while low < high:
        middle = (low + high) // 2
        if _packed(sizes, middle, 1)[-1] < stages:
            high = middle
        else:
            low = middle + 1
    return _packed(sizes, low, stages)


def _packed(sizes: Sequence[int], limit: int, stages: int) -> tuple[int, ...]:
    """Units into stages of at most `limit`, each as full as it gets while there are units for all `stages`."""
    stage, held, found = 0, 0, []
    for index, size in enumerate(sizes):
        if held and (held + size > limit or len(sizes) - index < stages - stage):
            stage, held = stage + 1, 0
        held += size
        found.append(stage)
    return tuple(found)


Excess = tuple[str, int, Load]
"""A memory, the bytes that it lacks, and what it should hold."""


def overfull(
    loads: Sequence[Load], stages: Sequence[int], homes: Mapping[Role, str], room: Mapping[str, int | None]
) -> Excess | None:
    """The memory that is the most over its `room` in one stage, by how much, and what it should hold; None: all fit."""
    worst: Excess | None = None
    for stage in dict.fromkeys(stages):
        for name, size in room.items():
            held: dict[Role, int] = {}
            for load, at in zip(loads, stages, strict=True):
                for role, part in load.items():
                    if at == stage and homes[role] == name:
                        held[role] = held.get(role, 0) + part
            excess = sum(held.values()) - size if size is not None else 0
            if excess > 0 and (worst is None or excess > worst[1]):
                worst = (name, excess, held)
    return worst


def refusal(worst: Excess | None, fits: Callable[[int], bool], devices: int) -> PlanError:
    """What does not fit, by how much, and what would make it fit."""
    if worst is None:
        raise AssertionError("asked of what does not fit")
    name, excess, held = worst
    parts = " + ".join(f"{gigabytes(size)} {role}" for role, size in held.items() if size)
    capacity = sum(held.values()) - excess
    message = (
        f"the model does not fit: {parts} in `{name}` of one stage, which holds {gigabytes(capacity)}: "
        f"{gigabytes(excess)} too much"
    )
    enough = least(fits, devices + 1)
    ways = [f"devices: {enough}" if enough else "larger stages", "a narrower data type"]
    ways += ["a smaller batch or context"] if held.get("kv") or held.get("state") else []
    return PlanError(message, ("hardware", "components", name), f"what would make it fit: {'; or '.join(ways)}")


def least(fits: Callable[[int], bool], low: int) -> int | None:
    """The fewest devices from `low` on that fit, where more never fit worse; None: not even the most thought of."""
    high = low
    while not fits(high):
        if high >= MOST_DEVICES:
            return None
        low, high = high + 1, min(2 * high, MOST_DEVICES)
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if fits(middle) else (middle + 1, high)
    return low


def gigabytes(count: int) -> str:
    """Bytes for the reader."""
    return f"{count / 1e9:,.2f} GB" if count >= 10**8 else f"{count / 1e6:,.1f} MB"
