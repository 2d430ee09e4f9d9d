"""A stack of high-bandwidth memory."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, PositiveInt

from archsim.components.dram_memory import DramMemory

KIND = "hbm_stack"


class HbmStack(DramMemory):
    """One stack."""

    kind: Literal["hbm_stack"]
    channels: PositiveInt = Field(default=16, description="independent channels of one stack")


SPEC = HbmStack
