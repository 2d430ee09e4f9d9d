"""What one action costs, with its range, its boundary and where the figure comes from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, PlainSerializer, model_validator

from archsim.config import units
from archsim.config.checked import Checked
from archsim.config.diagnostics import UnplacedError
from archsim.config.units import Dimension

Boundary = Literal["device", "chip", "board", "server", "facility"]
Grade = Literal["measured", "published", "derived", "assumed"]

UNSTATED = "none stated"
"""Source of a zero that stands for nothing said."""

BOUNDARIES: tuple[Boundary, ...] = ("device", "chip", "board", "server", "facility")


def refuse_disorder(low: float, value: float, high: float) -> None:
    """Raise `ValueError` where a range does not hold its value."""
    if not low <= value <= high:
        raise ValueError(f"a range must hold its value: low {low:g} <= value {value:g} <= high {high:g}")


class Figure(Checked):
    """A number with its range and source. Lengths of the range are one-sided: low <= value <= high.

    Without a range of its own the figure stands for itself (low = value = high).
    """

    value: float = Field(ge=0)
    low: float = Field(ge=0)
    high: float = Field(ge=0)
    boundary: Boundary | None = Field(
        default=None, description="what the figure covers; the machine's own where left out"
    )
    grade: Grade = "assumed"
    source: str = ""

    @classmethod
    def exactly(cls, value: float, source: str) -> Self:
        """A figure without a range."""
        return cls(value=value, low=value, high=value, source=source)

    @model_validator(mode="before")
    @classmethod
    def _range_defaults_to_value(cls, data: Any) -> Any:
        if isinstance(data, dict) and "value" in data:
            return {"low": data["value"], "high": data["value"], **data}
        return data

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        refuse_disorder(self.low, self.value, self.high)
        return self


class Price(Figure):
    """Picojoules per unit of an action, or watts where the action is time (1 W x 1 ps = 1 pJ).

    `data` is the share that follows the activity of the data: stated prices are of random data (activity 1).
    """

    data: float = Field(
        default=0.0, ge=0, le=1, description="share that follows the activity of the data; the price is of random data"
    )
    entry: str | None = Field(
        default=None, description="library entry that it was taken from as it stands there; prices of one move together"
    )

    def at(self, activity: float) -> Price:
        """The price with data of some activity: control + activity x data."""
        return self.scaled(1 - self.data * (1 - activity)) if self.data and activity != 1 else self

    def scaled(self, factor: float) -> Price:
        """The price and its range, times a factor."""
        return self.times(factor, factor, factor)

    def times(self, value: float, low: float, high: float, **told: str) -> Price:
        """The price times a factor that has a range of its own, and what is `told` of it anew."""
        ends = {"value": self.value * value, "low": self.low * low, "high": self.high * high}
        return self.model_copy(update={**ends, **told})


_WITH_UNIT = ("value", "low", "high")


@dataclass(frozen=True, slots=True)
class _Unit:
    """Reads the texts of a price as quantities of a dimension, and writes them back."""

    dimension: Dimension

    def read(self, data: object) -> object:
        if isinstance(data, dict):
            return {key: self._quantity(item, key) if key in _WITH_UNIT else item for key, item in data.items()}
        return data if isinstance(data, Figure) else {"value": self._quantity(data)}

    def _quantity(self, text: object, *at: str) -> float:
        try:
            return float(units.parse(text, self.dimension))
        except UnplacedError as error:
            raise UnplacedError(str(error), error.help, (*at, *error.at)) from None

    def write(self, price: Price) -> dict[str, str | float]:
        texts = price.model_dump(mode="json", exclude_none=True, exclude=None if price.data else {"data"})
        return {
            key: units.format_quantity(item, self.dimension) if key in _WITH_UNIT else item
            for key, item in texts.items()
        }


_SCHEMA = dict[str, str | float] | str


def priced_in(dimension: Dimension) -> tuple[BeforeValidator, PlainSerializer]:
    """What makes an annotated price read its numbers as quantities of a dimension."""
    unit = _Unit(dimension)
    return BeforeValidator(unit.read, json_schema_input_type=_SCHEMA), PlainSerializer(unit.write, when_used="json")


BytePrice = Annotated[Price, *priced_in(units.ENERGY_PER_BYTE)]
MacPrice = Annotated[Price, *priced_in(units.ENERGY_PER_MAC)]
OpPrice = Annotated[Price, *priced_in(units.ENERGY_PER_OP)]
StaticPower = Annotated[Price, *priced_in(units.POWER)]


def plain(what: str) -> Callable[[object], object]:
    """Reads a bare number as a figure; `what` says which number belongs there."""

    def read(data: object) -> object:
        if isinstance(data, str):
            raise UnplacedError(f"must be a number: `{data}`", f"{what}, without a unit and without quotes")
        return {"value": data} if isinstance(data, int | float) and not isinstance(data, bool) else data

    return read


class Ratio(Figure):
    """A dimensionless share in (0, 1], such as the sustained part of a peak rate."""

    value: float = Field(gt=0, le=1)
    low: float = Field(gt=0, le=1)
    high: float = Field(ge=0, le=1)


class Overhead(Figure):
    """What a figure is multiplied by."""

    value: float = Field(gt=0)


_share = plain("a share from 0 to 1")
Factor = Annotated[Overhead, BeforeValidator(_share, json_schema_input_type=float | Overhead)]
Efficiency = Annotated[Ratio, BeforeValidator(_share, json_schema_input_type=float | Ratio)]
