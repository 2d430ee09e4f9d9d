import re
from dataclasses import replace

from archsim.model.result import Result
from archsim.reports import markdown


def tables(page: str) -> list[list[str]]:
    blocks = [block.splitlines() for block in page.split("\n\n")]
    return [block for block in blocks if block[0].startswith("|")]


def columns(line: str) -> int:
    return len(re.findall(r"(?<!\\)\|", line)) - 1


def test_every_table_is_one_that_github_draws(prefilled: Result) -> None:
    found = tables(markdown.render(prefilled))
    assert len(found) == 6
    for table in found:
        assert re.fullmatch(r"\|( (:--|--:) \|)+", table[1])
        assert {columns(line) for line in table} == {columns(table[0])}


def test_shares_of_energy_and_time_add_up(prefilled: Result) -> None:
    _, *energy, time, _ = tables(markdown.render(prefilled))
    for table in (*energy, time):
        tenths = [round(10 * float(text)) for line in table for text in re.findall(r"(\d+\.\d) %", line)]
        assert sum(tenths) == 1000


def test_it_tells_the_boundary_the_access_and_the_warnings(result: Result) -> None:
    page = markdown.render(result)
    assert "**boundary**: board (joules by boundary of their price: board 58.4 %, chip 41.6 %)" in page
    assert "weights path hbm to sm, fan 1" in page
    assert "- static power of l2 is 0" in page


def test_names_do_not_break_the_page(result: Result) -> None:
    odd = result.workload.model_copy(update={"name": "a|b <script> [x](y)\n# c"})
    title = markdown.render(replace(result, workload=odd)).splitlines()[0]
    assert title == r"# a\|b \<script\> \[x\](y) # c on example GPU"
