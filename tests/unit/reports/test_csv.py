from csv import DictReader
from io import StringIO
from math import fsum

import pytest

from archsim.model.result import Result
from archsim.reports import csv as csv_report


def test_the_rows_add_up_to_the_total(result: Result) -> None:
    rows = list(DictReader(StringIO(csv_report.render(result))))
    assert fsum(float(row["energy_pj"]) for row in rows) / 1e12 == pytest.approx(result.energy.value, rel=1e-12)
    assert all(float(row["energy_pj"]) == int(row["count"]) * float(row["price_pj"]) for row in rows)


def test_every_row_of_the_ledger_is_there(result: Result) -> None:
    header, *rows = csv_report.render(result).splitlines()
    assert header == "component,action,operator,phase,tensor,count,unit,price_pj,low_pj,high_pj,energy_pj,boundary"
    assert len(rows) == len(result.entries)
    assert rows[0] == "hbm,read,mlp,decode,weights,32000000,B,39.0,30.0,48.0,1248000000.0,board"
