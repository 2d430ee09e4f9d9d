"""Weights that are part of the chip: arrays of mask ROM, or of wires, that are read row by row and never written."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, Self

from pydantic import Field, PositiveInt, model_validator

from archsim.config.checked import Checked
from archsim.config.diagnostics import UnplacedError
from archsim.config.units import Bytes, Hertz
from archsim.model.component import Action, Component
from archsim.model.dtype import Dtype
from archsim.model.price import BytePrice, MacPrice, Price

KIND = "weight_rom"


class RomEnergy(Checked):
    """What a weight costs: by the byte read, or by the MAC with all that belongs to it; never both."""

    read: BytePrice | None = Field(default=None, description="per byte; MACs are done and priced elsewhere")
    mac: dict[Dtype, MacPrice] | None = Field(
        default=None, description="per weight and MAC by data type, reading and adding up included"
    )

    @model_validator(mode="after")
    def _once(self) -> Self:
        if (self.read is None) == (self.mac is None):
            message = "a weight is priced by the byte read or by the MAC: give one of `read` and `mac`"
            raise UnplacedError(message, help="both would count its energy twice")
        return self


class WeightRom(Component):
    """One array. Its rows follow each other, a row a cycle; all arrays of a matrix work side by side."""

    kind: Literal["weight_rom"]
    rows: PositiveInt = Field(description="of one array, read one after the other")
    row: Bytes = Field(gt=0, description="of weights in one row")
    clock: Hertz = Field(description="rows per second")
    energy: RomEnergy

    def actions(self) -> Mapping[str, Action]:
        """`read`, in bytes, and `mac_<data type>` where a MAC's price holds everything."""
        included = Price.exactly(0, "in the price of its MACs")
        read = Action("rows", self.row * self.clock, 0, "B", self.energy.read or included)
        macs = {
            f"mac_{dtype}": Action("mac", None, 0, "MAC", price) for dtype, price in (self.energy.mac or {}).items()
        }
        return {"read": read, **macs}

    @property
    def capacity_bytes(self) -> int | None:
        """Bytes of one array."""
        return self.rows * self.row

    @property
    def grain_bytes(self) -> int:
        """Bytes of one row."""
        return self.row


SPEC = WeightRom
