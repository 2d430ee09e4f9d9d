"""Suite files: what was measured, where the figures come from, and how a row becomes a prediction."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Annotated, Any, Literal, Self, get_args

from pydantic import Field, PositiveInt, model_validator

from archsim.config.checked import Checked
from archsim.config.diagnostics import Diagnostic, InputError, UnplacedError, did_you_mean, fail, of_option
from archsim.config.document import Document, load, position_at
from archsim.config.registry import Family
from archsim.config.shipped import SUFFIXES, is_file, shipped
from archsim.config.validation import build, unknown_choice
from archsim.study.files import SUITE_FOLDER

KINDS = Family("archsim.study.validating.kinds", "archsim.cases", "kind of case")

MEASURED = "measured"
_FACTOR = re.compile(r"x(\d+(?:\.\d+)?)")

Share = Annotated[float, Field(ge=0)]
Cell = bool | int | float | str | tuple[str, ...] | None
Row = Mapping[str, Any]

Part = Literal["kernels", "across devices", "whole steps", "served", "power", "other machines", "bookkeeping"]
"""Where a suite stands among the others; in this order."""


class ErrorsSpec(Checked):
    """Relative errors: 0.05 is 5 %."""

    median: Share
    p90: Share | None = None


class CrossValidatedSpec(Checked):
    """Errors of rows that nothing was fitted on, as validation/fit_kernels.py prints them.

    Each fifth of all rows that pass the filter is predicted with constants fitted on the other four. Those that are not
    `free` keep values that were chosen with all rows known.
    """

    median: Share
    p90: Share
    rows: PositiveInt
    free: tuple[str, ...] = Field(min_length=1, description="constants fitted, by path in stack or machine")


class BaselineSpec(Checked):
    """A trivial law. Fitted ones take their parameters from the very cases, which is kind to them.

    affine: a x operators + x / b. roofline: a x operators + max(bytes / b, MACs / c). constant: c. bound: traffic at
    peak rates, nothing fitted. column: a figure that stands in each row.
    """

    law: Literal["affine", "roofline", "constant", "bound", "column"]
    of: str = Field(default="", description="the column that is x, or that holds the figure; unique bytes if left out")
    per: tuple[str, ...] = Field(default=(), description="columns: each combination of their values has own parameters")
    says: str = Field(description="the law in words, for a reader")
    unbeaten: str = Field(default="", description="why predictions are no nearer, where they are not")


class SuiteSpec(Checked):
    """One suite of cases."""

    schema_name: Literal["archsim.validation/1"] = Field(alias="schema")
    title: str
    part: Part
    group: str = Field(description="what a short table calls it, with others of its sort")
    of: str = Field(default="", description="what it is beside the others of its group: a device")
    about: str = Field(description="what is measured, on what, with which software")
    source: str = Field(description="whose figures these are: repository and path, paper and table")
    independence: str = Field(description="which constants were fitted on these or on other measurements of the device")
    sampling: str = Field(description="which of the published rows stand here, and by what rule they were chosen")
    sample: dict[str, Any] = Field(default={}, description="the rule as validation/sample.py reads it")
    quantity: Literal["time", "rate", "energy", "power"]
    kind: str
    settings: dict[str, Any] = Field(default={}, description="what the kind of case asks for")
    bound: ErrorsSpec | None = Field(default=None, description="what is reached: a median above it fails")
    unscored: str = Field(default="", description="why the cases are shown and not scored, where there is no bound")
    target: ErrorsSpec | None = None
    cross_validated: CrossValidatedSpec | None = None
    miss: str = Field(default="", description="why the bound is above the target")
    tolerance: float | str | None = Field(default=None, description="of each case: 0.15, or x1.5 for a factor")
    zero: str = Field(default="exact", description="what an error of nothing is called")
    baseline: BaselineSpec | None = None
    columns: tuple[str, ...] = Field(min_length=1)
    cases: tuple[tuple[Cell, ...], ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _hangs_together(self) -> Self:
        if MEASURED not in self.columns:
            raise UnplacedError(f"no column is called `{MEASURED}`", at=("columns",))
        if (self.bound is None) is not bool(self.unscored):
            raise UnplacedError("a suite has a `bound`, or says in `unscored` why it has none", at=())
        if self.target is not None and not self.miss:
            for name in ("median", "p90"):
                reached, wanted = getattr(self.bound, name, None), getattr(self.target, name)
                if reached is not None and wanted is not None and reached > wanted:
                    raise UnplacedError("the bound is above the target: say why in `miss`", at=("bound", name))
        seen: dict[tuple[Cell, ...], int] = {}
        for index, row in enumerate(self.cases):
            _check_row(row, self.columns, index)
            other = seen.setdefault(row, index)
            if other != index:
                raise UnplacedError(f"the same as case {other + 1}", at=("cases", index))
        return self


def _check_row(row: tuple[Cell, ...], columns: Sequence[str], index: int) -> None:
    if len(row) != len(columns):
        message = f"a case of {len(row)} values under {len(columns)} columns: {', '.join(columns)}"
        raise UnplacedError(message, at=("cases", index))
    place = columns.index(MEASURED)
    value = row[place]
    if isinstance(value, bool) or not isinstance(value, int | float) or value <= 0:
        raise UnplacedError("what was measured is a number above zero", at=("cases", index, place))


@dataclass(frozen=True)
class SuiteFile:
    """A checked suite file: its rows, and the kind of case with the settings that it asked for."""

    name: str
    document: Document
    spec: SuiteSpec
    kind: ModuleType
    settings: Any

    @property
    def rows(self) -> Iterator[Row]:
        """Each case by column, empty cells left out."""
        for row in self.spec.cases:
            cells = zip(self.spec.columns, row, strict=True)
            yield {column: cell for column, cell in cells if cell is not None}


def chosen(names: Sequence[str]) -> tuple[SuiteFile, ...]:
    """The suites of some names, or all; a name stands for all that begin with it and a hyphen. Raise `InputError`."""
    known = shipped(SUITE_FOLDER)
    paths: dict[str, Path] = {}
    for name in names or known:
        paths |= _found(name, known)
    files, findings = list[SuiteFile](), list[Diagnostic]()
    for name, path in paths.items():
        try:
            files.append(read(name, path))
        except InputError as error:
            findings += error.diagnostics
    if findings:
        raise InputError(findings)
    order = get_args(Part)
    return tuple(sorted(files, key=lambda file: (order.index(file.spec.part), file.name)))


def _found(name: str, known: Mapping[str, Path]) -> dict[str, Path]:
    path = Path(name)
    if "/" in name or path.suffix in SUFFIXES or is_file(path):
        return {path.stem: path}
    several = {stem: known[stem] for stem in known if stem == name or stem.startswith(f"{name}-")}
    if not several:
        raise InputError([unknown_choice("suite", name, known, of_option("--suite", name))])
    return several


def read(name: str, path: Path) -> SuiteFile:
    """A suite file with all of it checked; raise `InputError`."""
    document = load(path)
    spec = build(SuiteSpec, document)
    kind = KINDS.get(spec.kind, position_at(document, ("kind",)))
    settings = build(kind.SPEC, document, ("settings",))
    file = SuiteFile(name, document, spec, kind, settings)
    for column, at in _named(file):
        if column not in spec.columns:
            fail(f"no column is called `{column}`", position_at(document, at), did_you_mean(column, spec.columns))
    findings = [finding for index, row in enumerate(file.rows) for finding in _of_row(file, index, row)]
    if findings:  # a mistake in a column is one mistake, wherever it shows
        raise InputError({finding.message: finding for finding in reversed(findings)}.values())
    return file


def _of_row(file: SuiteFile, index: int, row: Row) -> Iterator[Diagnostic]:
    """What is wrong with a row: its tolerance, or what it asks of its kind of case."""
    try:
        file.kind.check(file.settings, row)
    except UnplacedError as error:
        yield Diagnostic(str(error), position_at(file.document, ("cases", index)), error.help)
    columns = file.spec.columns
    own = "tolerance" in row
    at: tuple[str | int, ...] = ("cases", index, columns.index("tolerance")) if own else ("tolerance",)
    try:
        tolerance(row["tolerance"] if own else file.spec.tolerance)
    except ValueError as error:
        yield Diagnostic(str(error), position_at(file.document, at), "0.15 for 15 % either way, x1.5 for a factor")


def _named(file: SuiteFile) -> Iterator[tuple[str, tuple[str | int, ...]]]:
    """Columns that settings and baseline name, each with where."""
    for key, value in file.settings:
        for text in _texts(value):
            yield from ((name, ("settings", key)) for name in placeholders(text))
    baseline = file.spec.baseline
    if baseline is not None:
        yield from ((name, ("baseline", "per", index)) for index, name in enumerate(baseline.per))
        if baseline.of:
            yield baseline.of, ("baseline", "of")


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, tuple | dict):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _texts(inner)


def placeholders(text: str) -> list[str]:
    """Columns that a text stands for: `$batch`, `${batch}`."""
    return re.findall(r"\$\{?(\w+)", text)


def tolerance(value: Cell) -> tuple[float, float] | None:
    """Smallest and largest predicted / measured of a text or number; None where it has none."""
    if value is None:
        return None
    factor = _FACTOR.fullmatch(value) if isinstance(value, str) else None
    if factor and float(factor[1]) >= 1:
        return 1 / float(factor[1]), float(factor[1])
    if isinstance(value, int | float) and not isinstance(value, bool) and value >= 0:
        return 1 - value, 1 + value
    raise ValueError(f"no tolerance: `{value}`")
