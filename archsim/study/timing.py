"""What the time of a run depends on: all that is stated of a workload and a machine but what things cost."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

from pydantic import BaseModel

from archsim.model.price import Figure, Price


def timing(value: Any) -> Hashable:
    """A value that is equal for what takes equal time: of a price only that it is stated, and whether it is free.

    Of other figures it holds the value, not the range or the source.
    """
    if isinstance(value, Price):
        return "free" if value.high == 0 else "priced"
    if isinstance(value, Figure):
        return value.value
    if isinstance(value, BaseModel):
        return type(value).__qualname__, tuple(
            (name, timing(getattr(value, name))) for name in type(value).model_fields
        )
    if isinstance(value, Mapping):
        return tuple((key, timing(item)) for key, item in value.items())
    if isinstance(value, list | tuple):
        return tuple(map(timing, value))
    found: Hashable = value
    return found
