"""Markdown as GitHub draws it: a text stays what it is, a table has its sides."""

import pytest

from archsim.reports.gfm import marked, plain, table


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("a|b", r"a\|b"),
        ("<b> `x` *y* [z]", r"\<b\> \`x\` \*y\* \[z\]"),
        ("two\nlines", "two lines"),
        ("hw_configs/near_memory.yaml", "hw_configs/near_memory.yaml"),
        ("_quiet_", r"\_quiet\_"),
        ("__init__", r"\_\_init\_\_"),
        ("bell \a", "bell \N{REPLACEMENT CHARACTER}"),
    ],
)
def test_a_text_is_left_as_it_is(text: str, escaped: str) -> None:
    assert plain(text) == escaped


def test_a_table_has_a_side_for_each_column() -> None:
    lines = table("lr", ("what", "J"), [("a|b", "1")]).splitlines()
    assert lines == ["| what | J |", "| :-- | --: |", r"| a\|b | 1 |"]


def test_cells_that_are_markdown_already_stay_so() -> None:
    assert marked("l", ("sum",), [["`5f`"]]).splitlines()[-1] == "| `5f` |"
