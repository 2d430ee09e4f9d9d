"""Quantities as people write them (`39 pJ/B`, `3.35 TB/s`, `80 GiB`), exact and checked for their dimension.

Bits and bytes, decimal and binary prefixes are told apart, and a bare number is refused. Values come out as exact
fractions in the canonical unit of their dimension: B, B/s, ps, W, Hz, MAC/s, op/s, mm2, pJ, pJ/B, pJ/MAC, pJ/op, and
those of figures that no component takes (pJ/B/mm, W/mm2) or that concern a site (L/kWh, kg/kWh, USD/kWh, USD/h).
"""

import re
from dataclasses import dataclass
from decimal import Context, Decimal, Inexact
from fractions import Fraction
from functools import cache, lru_cache
from typing import Annotated, Any

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, core_schema

from archsim.config.diagnostics import UnplacedError, did_you_mean


@dataclass(frozen=True, slots=True)
class Dimension:
    """What a quantity measures: a kind, per another kind where there is one."""

    name: str
    kind: str
    per: str
    canonical: str
    example: str


DATA = Dimension("data", "data", "", "B", "80 GiB")
BANDWIDTH = Dimension("bandwidth", "data", "time", "B/s", "670 GB/s")
TIME = Dimension("time", "time", "", "ps", "480 ns")
POWER = Dimension("power", "power", "", "W", "0.9 W")
FREQUENCY = Dimension("frequency", "frequency", "", "Hz", "1.8 GHz")
MAC_RATE = Dimension("MAC rate", "MAC", "time", "MAC/s", "3.75 TMAC/s")
OP_RATE = Dimension("operation rate", "operation", "time", "op/s", "250 Gop/s")
AREA = Dimension("area", "area", "", "mm2", "814 mm2")
ENERGY = Dimension("energy", "energy", "", "pJ", "12 nJ")
ENERGY_PER_BYTE = Dimension("energy per byte", "energy", "data", "pJ/B", "39 pJ/B")
ENERGY_PER_MAC = Dimension("energy per MAC", "energy", "MAC", "pJ/MAC", "0.8 pJ/MAC")
ENERGY_PER_OP = Dimension("energy per operation", "energy", "operation", "pJ/op", "1.2 pJ/op")
ENERGY_PER_BYTE_LENGTH = Dimension("energy per byte and length", "energy", "data/length", "pJ/B/mm", "0.4 pJ/B/mm")
ENERGY_PER_AREA = Dimension("energy per area", "energy", "area", "pJ/mm2", "85 pJ/mm2")
POWER_PER_AREA = Dimension("power per area", "power", "area", "W/mm2", "0.1 W/mm2")
POWER_PER_BYTE = Dimension("power per byte", "power", "data", "mW/MB", "10 mW/MB")
AREA_PER_BYTE = Dimension("area per byte", "area", "data", "mm2/MB", "0.4 mm2/MB")
WATER = Dimension("water per energy", "volume", "energy", "L/kWh", "0.5 L/kWh")
CARBON = Dimension("carbon per energy", "mass", "energy", "kg/kWh", "0.436 kg/kWh")
TARIFF = Dimension("price of energy", "money", "energy", "USD/kWh", "0.08 USD/kWh")
HIRE = Dimension("price of time", "money", "time", "USD/h", "2.5 USD/h")

_SINGLE = (DATA, TIME, POWER, FREQUENCY, AREA, ENERGY)
_RATIOS = (
    *(BANDWIDTH, MAC_RATE, OP_RATE, ENERGY_PER_BYTE, ENERGY_PER_MAC, ENERGY_PER_OP, ENERGY_PER_BYTE_LENGTH),
    *(ENERGY_PER_AREA, POWER_PER_AREA, POWER_PER_BYTE, AREA_PER_BYTE, WATER, CARBON, TARIFF, HIRE),
)
_DIMENSIONS = {(dimension.kind, dimension.per): dimension for dimension in (*_SINGLE, *_RATIOS)}

_SI = {prefix: Fraction(10) ** power for prefix, power in zip("afpnum kMGTPE", range(-18, 19, 3), strict=True)}
_BINARY = {f"{prefix}i": Fraction(1024) ** power for power, prefix in enumerate("KMGTPE", start=1)}

# symbol without prefix: kind, size in the kind's own unit, prefixes it takes
_ATOMS: dict[str, tuple[str, Fraction, str]] = {
    "B": ("data", Fraction(1), "kMGTPE"),
    "b": ("data", Fraction(1, 8), "kMGTPE"),
    "bit": ("data", Fraction(1, 8), "kMGTPE"),
    "s": ("time", Fraction(1), "fpnum"),
    "h": ("time", Fraction(3600), ""),
    "W": ("power", Fraction(1), "pnumkM"),
    "Hz": ("frequency", Fraction(1), "kMGT"),
    "J": ("energy", Fraction(1), "afpnumk"),
    "Wh": ("energy", Fraction(3600), "kM"),
    "MAC": ("MAC", Fraction(1), "kMGTPE"),
    "op": ("operation", Fraction(1), "kMGTPE"),
    "m": ("length", Fraction(1), "num"),
    "L": ("volume", Fraction(1), "m"),
    "g": ("mass", Fraction(1), "mk"),
    "USD": ("money", Fraction(1), ""),
}
_UNITS: dict[str, tuple[str, Fraction]] = {
    **{symbol: (kind, size) for symbol, (kind, size, _) in _ATOMS.items()},
    **{
        f"{prefix}{symbol}": (kind, size * _SI[prefix])
        for symbol, (kind, size, taken) in _ATOMS.items()
        for prefix in taken
    },
    **{
        f"{prefix}{symbol}": ("data", _ATOMS[symbol][1] * factor)
        for symbol in ("B", "b", "bit")
        for prefix, factor in _BINARY.items()
    },
    **{f"{prefix}m2": ("area", _SI[prefix] ** 2) for prefix in "num"},
}
_PREFIXED = {
    f"{prefix}{symbol}": (float(_SI[prefix]), symbol) for symbol, (*_, taken) in _ATOMS.items() for prefix in taken
}
_SPELLINGS = str.maketrans({"\N{MICRO SIGN}": "u", "\N{GREEK SMALL LETTER MU}": "u", "\N{SUPERSCRIPT TWO}": "2"})
_HINTS = (
    (
        re.compile(r"[kKMGTPE]?FLOPS?", re.IGNORECASE),
        "1 MAC is 2 FLOP: write half the number in MAC, e.g. `3.75 TMAC/s`",
    ),
    (
        re.compile(r"[kKMGTPE]?(OPS?|ops)"),
        "write multiply-accumulates in `MAC/s` (1 MAC is 2 operations), others in `op/s`",
    ),
    (re.compile(r"K(B|b|bit)"), "`k` is 1000 and `Ki` is 1024: write `kB` or `KiB`, `kb` or `Kib`"),
)
_NUMBER = r"([0-9][0-9_]*(\.[0-9]+)?|\.[0-9]+)([eE][-+]?[0-9]{1,2})?"
_QUANTITY = re.compile(rf"(?P<sign>[-+]?)(?P<number>{_NUMBER})\s*(?P<unit>[^\s0-9].*)?")
_MAX_CHARACTERS = 100
_EXACT = Context(prec=400, traps=[Inexact])


def parse(text: object, dimension: Dimension) -> Fraction:
    """The quantity in canonical units; raise `UnplacedError` that says what is wrong and how to write it."""
    example = f"write it with its unit, e.g. `{dimension.example}`"
    if isinstance(text, int | float) and not isinstance(text, bool):
        raise UnplacedError(f"a bare number where a unit belongs: `{text}`", example)
    if not isinstance(text, str) or len(text) > _MAX_CHARACTERS:
        raise UnplacedError(f"must be a quantity ({dimension.name})", example)
    match = _QUANTITY.fullmatch(text.strip())
    if match is None:
        raise UnplacedError(f"`{text}` is not a quantity ({dimension.name})", example)
    if match["unit"] is None:
        raise UnplacedError(f"a bare number where a unit belongs: `{text}`", example)
    size = _size(match["unit"], dimension)
    if match["sign"] == "-":
        raise UnplacedError(f"must not be negative: `{text}`")
    return Fraction(match["number"].replace("_", "")) * size


def dimension_of(text: str) -> Dimension | None:
    """What a quantity measures, by its unit; None where it is no quantity, or of no dimension that has a name."""
    match = _QUANTITY.fullmatch(text.strip())
    try:
        kind, per, _ = _resolve(match["unit"] if match and match["unit"] else "", DATA)
    except UnplacedError:
        return None
    return _DIMENSIONS.get((kind, per))


def unprefixed(unit: str) -> tuple[float, str]:
    """How many of a unit without a prefix one `unit` is, and that unit: (0.001, "s") of `ms`; 1 of any other text."""
    return _PREFIXED.get(unit, (1.0, unit))


def format_quantity(value: float | Fraction, dimension: Dimension) -> str:
    """The shortest text that `parse` reads back as exactly this value in canonical units."""
    exact = Fraction(repr(value)) if isinstance(value, float) else Fraction(value)
    texts = ((_decimal(exact / size), size, unit) for unit, size in _written(dimension).items())
    number, _, unit = min(texts, key=lambda text: (len(text[0] + text[2]), exact < text[1], -text[1]))
    return f"{number} {unit}"


@cache
def _written(dimension: Dimension) -> dict[str, Fraction]:
    """The units to write a dimension in, bytes rather than bits, seconds rather than hours, with their sizes."""
    _, bar, per = dimension.canonical.partition("/")
    read_only = ("b", "bit", "h")  # a third of an hour has no exact decimal
    symbols = [symbol for symbol in _UNITS if _UNITS[symbol][0] == dimension.kind and not symbol.endswith(read_only)]
    return {f"{symbol}{bar}{per}": _size(f"{symbol}{bar}{per}", dimension) for symbol in symbols}


def _decimal(number: Fraction) -> str:
    exact = _EXACT.divide(Decimal(number.numerator), Decimal(number.denominator)).normalize()
    return min(f"{exact:f}", f"{exact:e}".replace("e+", "e"), key=len)


@lru_cache(maxsize=1024)
def _size(unit: str, dimension: Dimension) -> Fraction:
    """How many canonical units one `unit` is."""
    kind, per, size = _resolve(unit, dimension)
    if (kind, per) != (dimension.kind, dimension.per):
        known = _DIMENSIONS.get((kind, per))
        given = known.name if known else f"{kind} per {per}" if per else kind
        raise UnplacedError(f"`{unit}` is a unit of {given}, not of {dimension.name}", f"e.g. `{dimension.example}`")
    return size / _resolve(dimension.canonical, dimension)[2]


def _resolve(unit: str, dimension: Dimension) -> tuple[str, str, Fraction]:
    """The kinds above and below the fraction bars, and the size in their own units."""
    above, *below = unit.translate(_SPELLINGS).split("/")
    kind, size = _look_up(above, unit, dimension)
    divisors = [_look_up(symbol, unit, dimension) for symbol in below]
    for _, divisor in divisors:
        size /= divisor
    return kind, "/".join(per for per, _ in divisors), size


def _look_up(symbol: str, unit: str, dimension: Dimension) -> tuple[str, Fraction]:
    if symbol in _UNITS:
        return _UNITS[symbol]
    hint = next((hint for pattern, hint in _HINTS if pattern.fullmatch(symbol)), "")
    way_out = hint or did_you_mean(symbol, _UNITS) or f"e.g. `{dimension.example}`"
    raise UnplacedError(f"unknown unit `{unit}`" + (f": `{symbol}`" if symbol != unit else ""), way_out)


@dataclass(frozen=True, slots=True)
class Quantity:
    """Makes an annotated pydantic type read quantities as text, and write them as text in JSON mode.

    `whole` refuses a fraction of the canonical unit, `positive` refuses zero, `unlimited` reads that word as None.
    """

    dimension: Dimension
    whole: bool = False
    positive: bool = False
    unlimited: bool = False

    def read(self, text: object) -> int | float | None:
        """The number in canonical units, None where unlimited; raise `UnplacedError`."""
        if text == "unlimited":
            if self.unlimited:
                return None
            raise UnplacedError("`unlimited` is not allowed here", f"write a quantity, e.g. `{self.dimension.example}`")
        number = parse(text, self.dimension)
        if self.positive and not number:
            raise UnplacedError(f"must be greater than 0: `{text}`")
        if not self.whole:
            return float(number)
        if number.denominator != 1:
            nearest = format_quantity(round(number), self.dimension)
            raise UnplacedError(
                f"`{text}` is no whole number of {self.dimension.canonical}", f"the nearest is `{nearest}`"
            )
        return number.numerator

    def write(self, number: float | None) -> str:
        """The text that `read` reads back."""
        return "unlimited" if number is None else format_quantity(number, self.dimension)

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Read before the type's own checks, so that `Field(gt=...)` sees canonical units."""
        serialization = core_schema.plain_serializer_function_ser_schema(self.write, when_used="json")
        return core_schema.no_info_before_validator_function(self.read, handler(source), serialization=serialization)

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        """A text with a pattern, for editors."""
        examples = [self.dimension.example, *(["unlimited"] if self.unlimited else [])]
        return {"type": "string", "pattern": self.pattern(), "examples": examples}

    def pattern(self) -> str:
        """The regular expression of every text that `read` may accept."""
        unit = _alternatives(self.dimension.kind)
        if self.dimension.per:
            unit += "".join(f"/{_alternatives(per)}" for per in self.dimension.per.split("/"))
        quantity = rf"\+?{_NUMBER}\s*{unit}"
        return f"^({quantity}|unlimited)$" if self.unlimited else f"^{quantity}$"


def _alternatives(kind: str) -> str:
    return f"({'|'.join(symbol for symbol in _UNITS if _UNITS[symbol][0] == kind)})"


Bytes = Annotated[int, Quantity(DATA, whole=True)]
BytesOrUnlimited = Annotated[int | None, Quantity(DATA, whole=True, unlimited=True)]
Bandwidth = Annotated[int, Quantity(BANDWIDTH, whole=True, positive=True)]
BandwidthOrUnlimited = Annotated[int | None, Quantity(BANDWIDTH, whole=True, positive=True, unlimited=True)]
Picoseconds = Annotated[int, Quantity(TIME, whole=True)]
Watts = Annotated[float, Quantity(POWER)]
Hertz = Annotated[int, Quantity(FREQUENCY, whole=True, positive=True)]
MacRate = Annotated[int | None, Quantity(MAC_RATE, whole=True, positive=True, unlimited=True)]
OpRate = Annotated[int | None, Quantity(OP_RATE, whole=True, positive=True, unlimited=True)]
SquareMillimetres = Annotated[float, Quantity(AREA)]
