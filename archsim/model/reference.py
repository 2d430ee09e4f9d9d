"""A figure of the library that stands by itself: a price to cite, or what no component is priced by."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, Self

from pydantic import Field, model_validator

from archsim.config import units
from archsim.config.checked import Checked
from archsim.config.diagnostics import UnplacedError, did_you_mean, listed
from archsim.config.units import Dimension
from archsim.model.price import Boundary, Grade, refuse_disorder

Group = Literal[
    "arithmetic",
    "register-file",
    "sram",
    "dram",
    "near-memory",
    "wire",
    "router",
    "die-to-die",
    "link",
    "optics",
    "rom",
    "analog",
    "path",
    "leakage",
    "clock",
    "constant-power",
    "event",
    "site",
]

Layer = Literal[
    "dram core",
    "tsv",
    "dram io",
    "phy",
    "controller",
    "fabric",
    "l2",
    "crossbar",
    "l1",
    "operands",
    "mac",
]
"""What a figure covers of the way of a byte, from the cells of a DRAM to the multiplier."""

RATIO = "ratio"
QUANTITIES: Mapping[str, Dimension | None] = {
    **{
        dimension.name: dimension
        for dimension in (
            *(units.ENERGY_PER_BYTE, units.ENERGY_PER_MAC, units.ENERGY_PER_OP, units.ENERGY, units.POWER),
            *(units.ENERGY_PER_BYTE_LENGTH, units.ENERGY_PER_AREA, units.POWER_PER_AREA, units.POWER_PER_BYTE),
            *(units.AREA_PER_BYTE, units.WATER, units.CARBON, units.TARIFF),
        )
    },
    RATIO: None,
}
"""What a figure may measure: a name of a dimension, or a ratio, which is a plain number."""

NUMBERS = ("value", "low", "high")
FIGURE_KEYS = (*NUMBERS, "boundary", "grade", "source")
"""What a price takes of a figure that it cites."""


class Reference(Checked):
    """One figure with all that is known of it; its three numbers are in the canonical unit of its quantity."""

    figure: Group = Field(description="what the figure is about")
    action: str = Field(min_length=1, description="what is done, or drawn, once")
    quantity: str = Field(description="the dimension of its numbers, or `ratio`")
    node: str | None = Field(default=None, description="process node")
    value: float = Field(ge=0)
    low: float = Field(ge=0)
    high: float = Field(ge=0)
    boundary: Boundary
    grade: Grade
    source: str = Field(min_length=1)
    covers: tuple[Layer, ...] = Field(default=(), description="layers of the way of a byte that it holds")
    note: str | None = None

    @model_validator(mode="before")
    @classmethod
    def _read(cls, data: Any) -> Any:
        if not isinstance(data, dict) or "quantity" not in data:
            return data
        quantity = data["quantity"]
        if quantity not in QUANTITIES:
            near = did_you_mean(str(quantity), QUANTITIES)
            raise UnplacedError(f"unknown quantity `{quantity}`; known: {listed(QUANTITIES)}", near, ("quantity",))
        dimension = QUANTITIES[quantity]
        return data | {key: _number(data[key], dimension, key) for key in NUMBERS if key in data}

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        refuse_disorder(self.low, self.value, self.high)
        return self

    @property
    def dimension(self) -> Dimension | None:
        """What its numbers measure; None of a ratio."""
        return QUANTITIES[self.quantity]


def _number(text: object, dimension: Dimension | None, key: str) -> object:
    if dimension is None:
        if isinstance(text, str):
            raise UnplacedError(f"a ratio is a number without a unit: `{text}`", at=(key,))
        return text
    try:
        return float(units.parse(text, dimension))
    except UnplacedError as error:
        raise UnplacedError(str(error), error.help, (key,)) from None
