"""Pages of a terminal fit its width: columns that are spare go first, then words wrap, and no digit is cut."""

import pytest
from rich.console import Console

from archsim.reports import shelf
from archsim.reports.accuracy.scores import Case, Errors, Suite, Tolerance, Validation
from archsim.reports.accuracy.table import render
from archsim.reports.page import LEAST, Column, table, written
from archsim.study import library, showing

COLUMNS = (
    Column("name", wraps=True, least=4),
    Column("worth less", right=True, spare=2),
    Column("worth", right=True, spare=1),
    Column("digits", right=True),
)
ROWS = [("abcdefgh", "11,111", "22,222", "33,333")]


def widest(page: str) -> int:
    return max(map(len, page.splitlines()))


def printed(width: int) -> list[str]:
    def section(console: Console) -> None:
        console.print(table(COLUMNS, ROWS, width))

    return written((section,), None, color=False).splitlines()[0].split()


@pytest.mark.parametrize(
    ("width", "headings"),
    [
        (40, ["name", "worth", "less", "worth", "digits"]),
        (32, ["name", "worth", "less", "worth", "digits"]),
        (31, ["name", "worth", "digits"]),
        (20, ["name", "worth", "digits"]),
        (19, ["name", "digits"]),
        (3, ["name", "digits"]),
    ],
)
def test_columns_that_are_spare_are_left_out_one_after_the_other(width: int, headings: list[str]) -> None:
    assert printed(width) == headings


@pytest.mark.parametrize("width", [LEAST, 100, 132])
def test_the_library_fits_a_terminal(width: int) -> None:
    entries = library.entries(library.Filter(None, None, None))
    assert widest(shelf.listing(entries, width=width)) <= width
    assert widest(shelf.explained(entries, width=width)) <= width


@pytest.mark.parametrize("name", ["h100-sxm", "dgx-h200", "wse-3", "pim-gpu", "hardwired-generic"])
def test_a_machine_fits_a_terminal(name: str) -> None:
    text, _ = showing.machine(name, width=LEAST)
    assert widest(text) <= LEAST


@pytest.mark.parametrize("width", [LEAST, 100, 130])
def test_scores_fit_a_terminal_and_keep_medians_and_bounds(width: int) -> None:
    cases = tuple(
        Case(f"a kernel of many words, number {index}", (), "token/s", 12_345.0, 23_456.0, Tolerance(0.8, 1.2))
        for index in range(3)
    )
    name, law = "a-suite-of-a-name-of-some-length", "bytes over bandwidth and a launch, fitted on these very cases"
    suite = Suite(name, "A", "kernels", "", "", "", "", "", "", "time", Errors(0.1), None, law, "exact", "", cases)
    page = render(Validation((suite,)), width=width)
    assert widest(page) <= width
    for text in ("90.0 %", "10.0 %", "23,456 token/s", "bound", "median"):
        assert text in page
