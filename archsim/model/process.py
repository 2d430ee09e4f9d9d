"""Process nodes by the name that people give them."""

from __future__ import annotations

import re

_WRITTEN = re.compile(r"(?<![\w.])(?:(?P<length>[0-9]+(?:\.[0-9]+)?)\s*nm|N(?P<foundry>[0-9]+)|(?P<custom>[0-9]+)N)\b")
_FAMILIES = {"4N": 5.0, "N4": 5.0, "N6": 7.0}
"""Nodes that are a part of another's family: what their names promise is density, not energy."""


def nanometres(node: str) -> float | None:
    """The node of `TSMC N5`, `7 nm` or `TSMC 4N` (a 5 nm process), by its family; None where the text names none."""
    found = _WRITTEN.search(node)
    if found is None:
        return None
    digits = found["length"] or found["foundry"] or found["custom"]
    named = f"N{digits}" if found["foundry"] else f"{digits}N" if found["custom"] else ""
    return _FAMILIES.get(named, float(digits))
