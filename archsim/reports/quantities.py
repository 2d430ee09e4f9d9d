"""Numbers as an architect reads them: three significant figures, SI prefixes, shares that add up."""

from __future__ import annotations

from collections.abc import Sequence
from math import floor, isclose

NOTHING = "–"
"""Stands where there is no figure."""

_PREFIXES = dict(zip(range(-18, 19, 3), ("a", "f", "p", "n", "µ", "m", "", *"kMGTPE"), strict=True))
_LOWEST, _HIGHEST = -18, 18
_NOT_BELOW = {"B": 0, "B/s": 0, "MAC/s": 0, "op/s": 0}
_NOT_ABOVE = {"s": 0}
_BINARY = ("B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB")
_SMALL = 0.1
"""Of the unit of a whole: a smaller part of it has a unit of its own."""

_TEN = 10
_ONE_PERCENT = 0.01
_TENTHS = 1000
"""Tenths of a percent in a whole."""


def si(value: float | None, unit: str) -> str:
    """Three significant figures with an SI prefix: `147 mJ`, `6.24 ms`, `2.93 TB/s`."""
    if value is None:
        return NOTHING
    power = _power(value, unit)
    return f"{_digits(value, power)} {_PREFIXES[power]}{unit}"


def part_of(part: float, whole: float, unit: str) -> str:
    """Two quantities in the prefix of the second: `2.93 of 3.35 TB/s`."""
    power = _power(whole, unit)
    small = 0 < part < _SMALL * 10.0**power
    return f"{si(part, unit) if small else _digits(part, power)} of {si(whole, unit)}"


def interval(low: float, high: float, unit: str) -> str:
    """A range in the prefix of its upper end: `1.94–3.62 J`; one figure where its ends are the same."""
    power = _power(high, unit)
    ends = dict.fromkeys((_digits(low, power), _digits(high, power)))
    return f"{'–'.join(ends)} {_PREFIXES[power]}{unit}"


def number(value: float | None) -> str:
    """Three significant figures, all digits of the integer part: `0.412`, `160`, `12,345`."""
    return NOTHING if value is None else _digits(value, 0)


def rough(value: float) -> str:
    """Two significant figures, of what is no surer: `0.56`, `5.6`, `54`, `290`."""
    shown = float(f"{value:.2g}")
    return f"{shown:,.0f}" if shown > _TEN else f"{shown:g}"


def memory(used: int, total: int | None) -> str:
    """Bytes of a memory in binary units, as memories are sold: `15.0 of 80.0 GiB`."""
    if total is None:
        return f"{_binary(used, _binary_step(used))}, no limit"
    step = _binary_step(total)
    small = 0 < used < _SMALL * 1024**step
    shown = _binary(used, _binary_step(used) if small else step)
    whole = _binary(total, step)
    return f"{shown if small else shown.partition(' ')[0]} of {whole}"


def percent(share: float) -> str:
    """A whole percentage; what is less than one but not nothing says so."""
    return "<1 %" if 0 < share < _ONE_PERCENT else f"{share:.0%}".replace("%", " %")


def percentages(parts: Sequence[float]) -> tuple[str, ...]:
    """Shares of a sum with one decimal; those shown add up to 100.0 % (largest remainders are rounded up)."""
    total = sum(parts)
    exact = [_TENTHS * part / total if total else 0.0 for part in parts]
    tenths = [floor(share) for share in exact]
    missing = _TENTHS - sum(tenths) if total else 0
    for index in sorted(range(len(parts)), key=lambda index: tenths[index] - exact[index])[:missing]:
        tenths[index] += 1
    return tuple(f"{count // 10}.{count % 10} %" for count in tenths)


def counted(count: int, noun: str) -> str:
    """A number of things: `1 device`, `2,048 prompt tokens`."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def same(first: float | None, second: float | None) -> bool:
    """Whether two figures read the same at three significant figures."""
    return first is second or (first is not None and second is not None and isclose(first, second, rel_tol=1e-3))


def _exponent(value: float) -> int:
    """Of ten, once the value is rounded to three significant figures."""
    return int(f"{value:.2e}".partition("e")[2])


def _power(value: float, unit: str) -> int:
    if not value:
        return 0
    lowest, highest = _NOT_BELOW.get(unit, _LOWEST), _NOT_ABOVE.get(unit, _HIGHEST)
    return min(max(_exponent(value) // 3 * 3, lowest), highest)


def _digits(value: float, power: int) -> str:
    """Value / 10**power in three significant figures; no digit before the point is lost."""
    if not value:
        return "0"
    decimals = 2 + power - _exponent(value)
    rounded = float(f"{value:.2e}") if decimals >= 0 else value
    return f"{rounded / 10.0**power:,.{max(0, decimals)}f}"


def _binary_step(size: int) -> int:
    return min(max(size.bit_length() - 1, 0) // 10, len(_BINARY) - 1)


def _binary(size: int, step: int) -> str:
    return f"{_digits(size / 1024**step, 0) if step else f'{size:,}'} {_BINARY[step]}"
