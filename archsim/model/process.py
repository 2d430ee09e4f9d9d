"""Process nodes by the name that people give them."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator

from archsim.config.diagnostics import UnplacedError

OLDEST_NM, NEWEST_NM = 16.0, 2.0
"""Between them energies are scaled; beyond, published rules disagree by a factor of four, or there are none."""

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


def _within(node: str) -> str:
    length = nanometres(node)
    if length is None:
        raise UnplacedError(f"`{node}` names no process node", "e.g. `3 nm` or `N3`")
    if not NEWEST_NM <= length <= OLDEST_NM:
        raise UnplacedError(
            f"nothing is scaled to {length:g} nm: rules hold from {OLDEST_NM:g} to {NEWEST_NM:g} nm",
            "published rules disagree by a factor of four before that; take figures of that node instead",
        )
    return node


NodeName = Annotated[str, AfterValidator(_within)]
"""A node that energies can be scaled to."""
