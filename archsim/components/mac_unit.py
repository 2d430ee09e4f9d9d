"""Multiply-accumulate units at a memory: each sees only the bank, core or partition that it stands at."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

from pydantic import Field

from archsim.config.checked import Checked
from archsim.config.units import MacRate, OpRate
from archsim.model.component import Action, Component, EnergyKind
from archsim.model.dtype import Dtype
from archsim.model.price import BytePrice, MacPrice, OpPrice

KIND = "mac_unit"


class UnitEnergy(Checked):
    """Prices of multiplying."""

    mac: dict[Dtype, MacPrice] = Field(description="per multiply-accumulate, by data type")


class Adder(Checked):
    """Adds partial sums of other units to its own, on their way through a reduction tree."""

    rate: OpRate
    energy: OpPrice


class MacUnit(Component):
    """One unit. The address decides which one works, so they are not pooled; what passes goes through it."""

    energy_kind: ClassVar[EnergyKind] = "compute"

    kind: Literal["mac_unit"]
    macs: dict[Dtype, MacRate] = Field(description="peak rate of one unit by data type; 1 MAC is 2 FLOP")
    adder: Adder | None = Field(default=None, description="none: partial sums are added elsewhere")
    through: BytePrice | None = Field(
        default=None, description="per byte between its memory and the rest of the machine; none: nothing passes"
    )
    energy: UnitEnergy

    def actions(self) -> Mapping[str, Action]:
        """`mac_<data type>`, `add` where there is an adder, and `move` where data passes."""
        found = {
            f"mac_{dtype}": Action("mac", rate, 0, "MAC", self.energy.mac[dtype])
            for dtype, rate in self.macs.items()
            if dtype in self.energy.mac
        }
        if self.adder:
            found["add"] = Action("add", self.adder.rate, 0, "op", self.adder.energy)
        if self.through:
            found["move"] = Action("through", None, 0, "B", self.through)
        return found


SPEC = MacUnit
