"""Measurement sets: suites of board power by name or path, and plain tables of matrix products.

A table is a CSV file with the columns `m, n, k, latency_ms, power_W` (bf16, each row a product [m, k] x [k, n]); `seen`
is the share of the rise above `idle_W` that a short reading shows. A column whose name ends with `dtype` must say bf16;
others, and lines that begin with #, are left aside.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from archsim.config.diagnostics import Diagnostic, InputError, Position, did_you_mean, fail, of_option
from archsim.config.document import position_at
from archsim.config.shipped import is_file
from archsim.config.source import read_source, split_lines
from archsim.config.table import parse_table
from archsim.config.tree import MappingNode, ScalarNode
from archsim.study.validating.kinds import board_power
from archsim.study.validating.kinds.board_power import BoardPowerSettings
from archsim.study.validating.suites import MEASURED, SuiteFile, chosen

COUNTS, POSITIVE, OPTIONAL = ("m", "n", "k"), ("latency_ms", "power_W"), ("seen", "idle_W")
COLUMNS = (*COUNTS, *POSITIVE)
_BF16 = ("bf16", "bfloat16")
_TABLE = ".csv"


@dataclass(frozen=True, slots=True)
class Measured:
    """One row: its cells by column, what was read, and where it stands."""

    row: Mapping[str, Any]
    watts: float
    at: Position


@dataclass(frozen=True, slots=True)
class MeasurementSet:
    """Rows of one set and how they become runs; `hardware` is what they were measured on, empty where unsaid."""

    name: str
    hardware: str
    settings: BoardPowerSettings
    rows: tuple[Measured, ...]

    @property
    def latency(self) -> str:
        """The column of measured times."""
        return self.settings.latency.removeprefix("$")


def measurement_sets(names: Sequence[str]) -> tuple[MeasurementSet, ...]:
    """The sets of some names, each row checked; raise `InputError` with all findings."""
    found, findings = list[MeasurementSet](), list[Diagnostic]()
    for name in dict.fromkeys(names):
        try:
            found += [_table(Path(name))] if name.endswith(_TABLE) else _suites(name)
        except InputError as error:
            findings += error.diagnostics
    if findings:
        raise InputError(findings)
    return tuple(found)


def _suites(name: str) -> Iterator[MeasurementSet]:
    for file in chosen([name]):
        if file.name == name or file.name == Path(name).stem:
            yield _suite(file)


def _suite(file: SuiteFile) -> MeasurementSet:
    settings = file.settings
    if file.spec.kind != board_power.KIND or not isinstance(settings, BoardPowerSettings):
        message = f"`{file.name}` measures no board power: its cases are of the kind `{file.spec.kind}`"
        fail(message, position_at(file.document, ("kind",)), f"sets are of the kind {board_power.KIND}")
    if settings.sensor is not None and not settings.warmth:
        where = position_at(file.document, ("settings", "sensor"))
        fail("how warm the board was is unknown: its readings say too little to be fitted", where)
    rows = tuple(_rows(file))
    findings = [finding for row in rows for finding in _untimed(file, settings, row)]
    if findings:
        raise InputError(findings)
    return MeasurementSet(file.name, settings.hardware, settings, rows)


def _rows(file: SuiteFile) -> Iterator[Measured]:
    for index, row in enumerate(file.rows):
        yield Measured(row, float(row[MEASURED]), position_at(file.document, ("cases", index)))


def _untimed(file: SuiteFile, settings: BoardPowerSettings, measured: Measured) -> Iterator[Diagnostic]:
    column = settings.latency.removeprefix("$")
    value = measured.row.get(column)
    if isinstance(value, bool) or not isinstance(value, int | float) or value <= 0:
        yield Diagnostic(f"`{column}` of {file.name} must be a time above zero, and is {value}", measured.at)


def _table(path: Path) -> MeasurementSet:
    if not is_file(path):
        fail(f"there is no measurement set `{path}`", of_option("--set", str(path)))
    lines = split_lines(read_source(path))
    text = "\n".join("" if line.lstrip().startswith("#") else line for line in lines)
    table = parse_table(text, str(path))
    nodes = [item for item in table.items if isinstance(item, MappingNode)]
    if not nodes:
        fail("the table has headings and no rows", table.position)
    _refuse_columns(nodes, table.position)
    findings = [finding for node in nodes for finding in (*_misread(node), *_of_another_type(node))]
    rows = () if findings else tuple(map(_measured, nodes))
    findings += _repeated(rows)
    if findings:
        raise InputError(findings)
    return MeasurementSet(path.stem, "", _OF_TABLE, rows)


_OF_TABLE = BoardPowerSettings(
    workload="gemv-4096",
    hardware="",
    sets=(
        "workload.dtypes={weights: bf16, kv: bf16, activations: bf16}",
        "workload.operators=[{kind: gemm, name: gemm, m: $m, n: $n, k: $k}]",
    ),
    latency="$latency_ms",
    latency_unit="ms",
)


def _refuse_columns(nodes: Sequence[MappingNode], top: Position) -> None:
    there = list(dict.fromkeys(column for node in nodes for column in node.entries))
    missing = [name for name in COLUMNS if name not in there]
    if missing:
        raise InputError(
            Diagnostic(f"no column is called `{name}`", top, did_you_mean(name, there)) for name in missing
        )


def _misread(node: MappingNode) -> Iterator[Diagnostic]:
    for name in COLUMNS:
        entry = node.entries.get(name)
        if entry is None:
            yield Diagnostic(f"a row without `{name}`", node.position)
            continue
        value = entry.node.value if isinstance(entry.node, ScalarNode) else None
        whole = name in COUNTS
        fits = isinstance(value, int if whole else int | float) and not isinstance(value, bool) and value > 0
        if not fits:
            yield Diagnostic(f"`{name}` must be a {'whole ' * whole}number above zero, and is {value}", entry.position)
    for name in OPTIONAL:
        entry = node.entries.get(name)
        value = entry.node.value if entry and isinstance(entry.node, ScalarNode) else 1
        if not isinstance(value, int | float) or value < 0 or (name == "seen" and not 0 < value <= 1):
            yield Diagnostic(
                f"`{name}` can't be {value}", node.position, "seen lies above 0 and up to 1, idle_W from 0 on"
            )


def _of_another_type(node: MappingNode) -> Iterator[Diagnostic]:
    """A cell of a column of data types that says another than what rows are taken as."""
    for name, entry in node.entries.items():
        value = str(entry.node.value) if isinstance(entry.node, ScalarNode) else ""
        if name.endswith("dtype") and value not in _BF16:
            yield Diagnostic(f"`{name}` is `{value}`, and rows of a table are taken as bf16", entry.position)


def _measured(node: MappingNode) -> Measured:
    cells = {name: item.node.value for name, item in node.entries.items() if isinstance(item.node, ScalarNode)}
    return Measured(cells, float(str(cells["power_W"])), node.position)


def _repeated(rows: Sequence[Measured]) -> Iterator[Diagnostic]:
    seen: dict[tuple[Any, ...], int] = {}
    for measured in rows:
        shape = tuple(measured.row[name] for name in COUNTS)
        line = seen.setdefault(shape, measured.at.line)
        if line != measured.at.line:
            yield Diagnostic(f"the same product as in line {line}: a row that stands twice counts twice", measured.at)
