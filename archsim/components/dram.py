"""A channel or partition of DRAM that is no stack of its own: LPDDR, GDDR, or DRAM bonded onto logic."""

from __future__ import annotations

from typing import Literal

from archsim.components.dram_memory import DramMemory

KIND = "dram"


class Dram(DramMemory):
    """One channel or partition."""

    kind: Literal["dram"]


SPEC = Dram
