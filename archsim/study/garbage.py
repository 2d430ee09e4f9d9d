"""Cyclic garbage: there is little of it in a command, and much that lives as long as the command does."""

import gc

_AFTER = 100_000
"""Objects between collections; Python's own 700 spend a tenth of a run on looking at what is still in use."""


def collect_rarely() -> None:
    """For the process of a command, not for a library: it is the caller's choice how a process collects."""
    gc.set_threshold(_AFTER, *gc.get_threshold()[1:])
