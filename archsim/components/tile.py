"""A compute tile: a multiply-accumulate engine, a vector unit, and the bytes that it can have on the way to it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

from pydantic import Field, PositiveInt

from archsim.config.checked import Checked
from archsim.config.units import Bytes, MacRate, OpRate
from archsim.model.component import ACTIVE_ACTION, Action, Component, EnergyKind
from archsim.model.dtype import Dtype
from archsim.model.price import UNSTATED, MacPrice, OpPrice, Price, StaticPower

KIND = "tile"


class Array(Checked):
    """A systolic array: operands are held in `rows` x `cols` cells, or streamed through them."""

    rows: PositiveInt
    cols: PositiveInt
    stationary: Literal["weights", "inputs", "outputs"] = Field(description="the operand that stays in the cells")

    def cycles(self, m: int, n: int, k: int) -> int:
        """Cycles of [m, k] x [k, n]: folds over the array, each with the skew of operands in and of results out.

        A fold takes 2 rows + cols + streamed - 2 cycles (SCALE-Sim, Samajdar et al., ISPASS 2020), folds do not
        overlap.
        """
        down, across, streamed = {"weights": (k, n, m), "inputs": (k, m, n), "outputs": (m, n, k)}[self.stationary]
        folds = -(-down // self.rows) * -(-across // self.cols)
        return folds * (2 * self.rows + self.cols + streamed - 2)

    def issued(self, m: int, n: int, k: int) -> int:
        """MAC slots that the array spends on [m, k] x [k, n]: cells x cycles, idle cells included."""
        return self.rows * self.cols * self.cycles(m, n, k)


class TileEnergy(Checked):
    """Prices of a tile's actions."""

    mac: dict[Dtype, MacPrice] = Field(description="per multiply-accumulate, by data type")
    vector: OpPrice = Field(description="per operation of the vector unit")
    active: StaticPower = Field(
        default=Price.exactly(0, UNSTATED),
        description="power of one tile while it is at work, whatever it does, beside the power that it always takes",
    )


class Tile(Component):
    """One core, streaming multiprocessor or matrix unit."""

    energy_kind: ClassVar[EnergyKind] = "compute"
    pooled: ClassVar[bool] = True

    kind: Literal["tile"]
    macs: dict[Dtype, MacRate] = Field(description="peak rate of one tile by data type; 1 MAC is 2 FLOP")
    vector: OpRate = Field(description="rate of the vector unit of one tile")
    array: Array | None = Field(
        default=None, description="shape of the MAC array; without it any shape runs at the peak rate"
    )
    window: Bytes = Field(gt=0, description="bytes that one tile can have outstanding")
    grain: Bytes = Field(gt=0, description="bytes that arrive together: the unit of double buffering")
    energy: TileEnergy

    def actions(self) -> Mapping[str, Action]:
        """`mac_<data type>` on the MAC unit, `vector` on the vector unit, and `active`: the time at work.

        A type without a price is not offered.
        """
        macs = {
            f"mac_{dtype}": Action("mac", rate, 0, "MAC", self.energy.mac[dtype])
            for dtype, rate in self.macs.items()
            if dtype in self.energy.mac
        }
        active = Action(ACTIVE_ACTION, None, 0, "ps", self.energy.active)
        return {**macs, "vector": Action("vector", self.vector, 0, "op", self.energy.vector), ACTIVE_ACTION: active}

    def issued(self, m: int, n: int, k: int) -> int | None:
        """MAC slots that the tile's array spends: cells x cycles."""
        return self.array.issued(m, n, k) if self.array else None

    @property
    def window_bytes(self) -> int | None:
        """Bytes outstanding."""
        return self.window

    @property
    def grain_bytes(self) -> int:
        """Bytes of one grain."""
        return self.grain


SPEC = Tile
