"""Runs that would not end, or not fit into memory: refused with a projection before they start.

What a run takes grows with the tokens that it puts out, so a long one is judged by two short ones, and whether it is
long by its last token. What one token takes that never ends, the engine sees in the task graph.
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
"""Output tokens from which on any run is projected, and those where each layer is drawn."""

_FEW = 2048
"""Tokens of all sequences below which none is."""

_EASY = 10**6
"""Events below which a shorter run is not: they take seconds."""

_SHORT, _LONGER = 16, 32
"""Output tokens of the runs that it is projected from, where these are easy; an eighth of them where they are not."""

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
    asked, tokens = job.workload, job.workload.output_tokens
    if tokens < _LONG_DRAWN and (tokens < _SHORT or tokens * asked.batch < _FEW):
        return
    last = _last_token(asked)
    one = corridor(last).events
    if tokens < _LONG and one * tokens < _EASY and (tokens < _LONG_DRAWN or repeats(last)):
        return
    needed, room = projected(corridor, asked, 1 if one * _LONGER < _EASY else 8), _memory()
    if max_events is None and needed.events > MOST_EVENTS:
        message = f"{tokens:,} output tokens would take about {needed.events:,} events; {MOST_EVENTS:,} are the bound"
        raise InputError([Diagnostic(message, _where(job), "fewer tokens; or --max-events N, to go on to N")])
    if needed.bytes > room:
        message = f"{tokens:,} output tokens would take about {_gigabytes(needed.bytes)} of memory"
        raise InputError([Diagnostic(f"{message}, and there are {_gigabytes(room)}", _where(job), "fewer tokens")])


def _last_token(asked: Workload) -> Workload:
    """A run of one token, with the context of the last: what does not fit in the end is told at once."""
    before = asked.output_tokens - 1 if asked.prompt_cached and not asked.service else 0
    return asked.model_copy(update={"output_tokens": 1, "prompt_tokens": asked.prompt_tokens + before})


def projected(corridor: Corridor, asked: Workload, fewer: int = 1) -> Needs:
    """What all output tokens take, from the growth between two short runs, made of so many times fewer tokens."""
    sizes = _SHORT // fewer, _LONGER // fewer
    parts = [asked.model_copy(update={"output_tokens": tokens}) for tokens in sizes]
    corridor(parts[0])  # what is loaded and remembered once is no part of the growth
    short, longer = (_measured(corridor, part) for part in parts)
    times = (asked.output_tokens - sizes[1]) // (sizes[1] - sizes[0])
    return Needs(*(after + max(0, after - before) * times for before, after in zip(short, longer, strict=True)))


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
