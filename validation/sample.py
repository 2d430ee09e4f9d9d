"""Draw the cases of a suite from the tables that its figures were published in.

    python validation/sample.py validation/gemm-decode-a100.yaml a100-sxm-80gb=PATH.csv [NAME=PATH.csv ...]

The suite's `sample` says how: rows for which `where` holds fall into strata, and from each stratum a share in
proportion to its size is taken, those with the least SHA-256 of seed and identity, until `take` are found: each row of
the table is as likely to be here as another. Nothing measured enters the hash, and no prediction was made before; nor
do columns that a suite got later, named in `added`: the same rows stay. The rows below `cases:` are written anew.
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

import yaml

MEASURED = "measured"
_WORDS = {"min": min, "max": max, "round": round, "int": int}


def main(arguments: Sequence[str]) -> None:
    """Rewrite the cases of a suite file."""
    path, *tables = arguments
    text = Path(path).read_text(encoding="utf-8")
    suite = yaml.safe_load(text)
    told = {MEASURED, *suite["sample"].get("added", ())}
    shape = [place for place, column in enumerate(suite["columns"]) if column not in told]
    cases: list[list[Any]] = []
    for table in tables:
        name, _, source = table.partition("=")
        cases += _drawn(rows_of(Path(source), name), suite["sample"], shape)
    head = text[: text.index("\ncases:")]
    lines = [f"  - [{', '.join(map(_shown, case))}]" for case in cases]
    Path(path).write_text("\n".join((head, "cases:", *lines)) + "\n", encoding="utf-8")
    sys.stderr.write(f"{path}: {len(cases)} cases\n")


def rows_of(path: Path, table: str) -> list[dict[str, Any]]:
    """Rows of a CSV file, comments left out, figures as numbers."""
    with path.open(encoding="utf-8") as file:
        reader = csv.DictReader(line for line in file if not line.startswith("#"))
        return [{"table": table, **{key: _cell(cell) for key, cell in row.items()}} for row in reader]


def _cell(text: str) -> Any:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def _drawn(rows: Sequence[dict[str, Any]], sample: Mapping[str, Any], shape: Sequence[int]) -> list[list[Any]]:
    """The cells of the rows that are taken; `shape` says which of them tell a row from another."""
    strata: dict[Any, list[tuple[str, list[Any]]]] = {}
    for row in rows:
        if cell_of(str(sample.get("where", "True")), row):
            cells = [cell_of(cell, row) for cell in sample["cells"]]
            identity = ",".join(map(str, (row["table"], *(cells[place] for place in shape))))
            key = sha256(f"{sample['seed']} {identity}".encode()).hexdigest()
            strata.setdefault(cell_of(str(sample.get("strata", "0")), row), []).append((key, cells))
    ranked: dict[str, tuple[float, list[Any]]] = {}
    for members in strata.values():
        for index, (key, cells) in enumerate(sorted(dict(members).items())):  # a shape measured twice counts once
            ranked[key] = ((index + 0.5) / len(members), cells)
    order = sorted(ranked, key=lambda key: (ranked[key][0], key))
    kept = [ranked[key][1] for key in order]
    return sorted(kept[: sample.get("take")], key=lambda cells: [(str(type(cell)), cell) for cell in cells])


def cell_of(expression: str, row: Mapping[str, Any]) -> Any:
    """An expression of a suite's `sample`, over the columns of a row."""
    code = compile(expression, "<sample>", "eval")
    return eval(code, {"__builtins__": _WORDS}, dict(row))  # noqa: S307 - an expression of our own suite file


def _shown(cell: Any) -> str:
    if isinstance(cell, float):
        return f"{cell:.6g}"
    return "~" if cell is None else str(cell).lower() if isinstance(cell, bool) else str(cell)


if __name__ == "__main__":
    main(sys.argv[1:])
