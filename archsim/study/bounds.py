"""Runs that would not end, or not fit into memory: refused with a projection before they start.

What a run takes grows with the tokens that it puts out, so a long one is judged by two short ones. What one token
takes that never ends, the engine sees in the task graph.
"""

from __future__ import annotations

import os
import tracemalloc
from collections.abc import Callable
from typing import NamedTuple

from archsim.config.diagnostics import Diagnostic, InputError, Position
from archsim.config.document import position_at
from archsim.engine.bounds import MOST_EVENTS
from archsim.model.run import Run
from archsim.model.workload import Workload
from archsim.study.checking import Job

_LONG, _LONG_DRAWN = 10_000, 1000
"""Output tokens from which on a run is projected, and those where each layer is drawn: shorter ones take seconds."""

_SHORT, _LONGER = 16, 32
"""Output tokens of the runs that it is projected from."""

Corridor = Callable[[Workload], Run]
"""Traces, maps and simulates a workload."""

Repeats = Callable[[Workload], bool]
"""Whether equal layers of a workload take equal time."""


class Needs(NamedTuple):
    """What a run takes: events, and bytes of memory at its peak."""

    events: int
    bytes: int


def check_length(job: Job, corridor: Corridor, repeats: Repeats, max_events: int | None) -> None:
    """Raise `InputError` for a workload of so many tokens that it would take too many events, or too much memory."""
    tokens = job.workload.output_tokens
    if tokens < _LONG and (tokens < _LONG_DRAWN or repeats(job.workload.model_copy(update={"output_tokens": 1}))):
        return
    needed, room = projected(corridor, job.workload), _memory()
    if max_events is None and needed.events > MOST_EVENTS:
        message = f"{tokens:,} output tokens would take about {needed.events:,} events; {MOST_EVENTS:,} are the bound"
        raise InputError([Diagnostic(message, _where(job), "fewer tokens; or --max-events N, to go on to N")])
    if needed.bytes > room:
        message = f"{tokens:,} output tokens would take about {_gigabytes(needed.bytes)} of memory"
        raise InputError([Diagnostic(f"{message}, and there are {_gigabytes(room)}", _where(job), "fewer tokens")])


def projected(corridor: Corridor, asked: Workload) -> Needs:
    """What all output tokens take, from the growth between two short runs."""
    parts = [asked.model_copy(update={"output_tokens": tokens}) for tokens in (_SHORT, _LONGER)]
    corridor(parts[0])  # what is loaded and remembered once is no part of the growth
    short, longer = (_measured(corridor, part) for part in parts)
    pairs = zip(short, longer, strict=True)
    return Needs(*(_extended(before, after, asked.output_tokens) for before, after in pairs))


def _extended(short: int, longer: int, tokens: int) -> int:
    return longer + max(0, longer - short) * (tokens - _LONGER) // (_LONGER - _SHORT)


def _measured(corridor: Corridor, asked: Workload) -> Needs:
    tracemalloc.start()
    try:
        events = corridor(asked).events
        return Needs(events, tracemalloc.get_traced_memory()[1])
    finally:
        tracemalloc.stop()


def _memory() -> int:
    """Bytes of memory that this computer has."""
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def _gigabytes(size: int) -> str:
    return f"{size / 1e9:,.1f} GB"


def _where(job: Job) -> Position:
    return position_at(job.document, ("output_tokens",))
