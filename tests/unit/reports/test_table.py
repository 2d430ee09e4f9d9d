import re
import subprocess
import sys
from dataclasses import replace

import pytest

from archsim.model.result import Result
from archsim.model.run import Span
from archsim.model.taskgraph import Segment, TaskGraph
from archsim.reports import table
from archsim.reports.page import Column, fitted

ESCAPE = "\x1b"


def section(page: str, title: str) -> str:
    """The lines from a heading to the next blank one."""
    return page.partition(f"{title} ──")[2].partition("\n\n")[0]


def tenths(text: str) -> int:
    return sum(round(10 * float(share)) for share in re.findall(r"(\d+\.\d) %", text))


@pytest.mark.parametrize(
    "figure",
    [
        "1.56 mJ",
        "0.874–1.83 mJ",
        "4.00 µs",
        "250,000",
        "391 W",
        "56 % of TDP",
        "1 device of 700 W TDP",
        "1 sequence in flight",
    ],
)
@pytest.mark.parametrize("width", [80, 100, 140])
def test_the_headline_is_there_at_any_width(result: Result, figure: str, width: int) -> None:
    assert figure in table.render(result, width=width).partition("Energy per token")[0]


@pytest.mark.parametrize("width", [40, 80, 100, 140])
@pytest.mark.parametrize("which", ["result", "prefilled", "prompt_only"])
def test_no_line_is_wider_than_the_terminal(which: str, width: int, request: pytest.FixtureRequest) -> None:
    page = table.render(request.getfixturevalue(which), width=width)
    assert max(map(len, page.splitlines())) <= max(width, 80)
    assert "…" not in page


def test_three_breakdowns_stand_side_by_side_and_each_adds_up(result: Result) -> None:
    energy = section(table.render(result), "Energy per token")
    assert re.search(r"by kind +by tensor +by component", energy)
    assert tenths(energy) == 3000


@pytest.mark.parametrize("width", [80, 100, 140])
def test_the_shares_of_operators_and_idle_time_add_up(prefilled: Result, width: int) -> None:
    assert tenths(section(table.render(prefilled, width=width), "Time")) == 1000


def test_an_operator_shows_what_limits_it(result: Result) -> None:
    line = next(line for line in table.render(result).splitlines() if line.startswith("mlp"))
    assert re.split(r"\s{2,}", line) == [
        *("mlp", "3.00 µs", "75.0 %", "hbm io", "2.67 of 3.35 TB/s", "80 %", "mem down", "2.39 µs")
    ]


def test_phases_are_told_apart_where_there_are_two(prefilled: Result) -> None:
    page = table.render(prefilled)
    assert re.search(r"9\.20 µs.*\n(?s:.*)to first token", page)
    assert re.search(r"mlp +prefill +9\.00 µs", page)
    assert re.search(r"mlp +decode +3\.00 µs", page)


def test_small_operators_are_added_up(result: Result) -> None:
    (segment,) = result.plan.graph.segments
    tasks = tuple(replace(segment.tasks[0], operator=f"layer {index}") for index in range(30))
    graph = TaskGraph((Segment(tasks, segment.times, segment.closes),))
    held = {Span(task.operator, task.phase): 1_000_000 for task in tasks}
    run = replace(result.run, held=held, picoseconds=30_000_000)
    time = section(table.render(replace(result, run=run, plan=replace(result.plan, graph=graph))), "Time")
    assert "19 others" in time
    assert tenths(time) == 1000


def test_what_the_figures_rest_on_is_told(result: Result) -> None:
    page = table.render(result)
    for text in ("boundary   board", "weights path hbm to sm, fan 1", "fidelity flow", "warning    static power of l2"):
        assert text in page


def test_a_link_without_a_limit_is_not_called_idle(result: Result) -> None:
    busy = {port: ticks for port, ticks in result.run.busy.items() if port.component != "mem"}
    machine = section(table.render(replace(result, run=replace(result.run, busy=busy))), "Machine")
    assert re.search(r"mem +1 +– +10\.0 MB", machine)


def test_a_device_above_its_tdp_is_told(result: Result) -> None:
    hot = replace(result, hardware=result.hardware.model_copy(update={"tdp": 300.0}))
    assert "130 % of TDP" in table.render(hot)


def test_joules_of_a_prompt_are_not_called_a_tokens(prompt_only: Result, prefilled: Result, result: Result) -> None:
    said = [re.search(r"per (token|prompt)", table.render(which)) for which in (prompt_only, prefilled, result)]
    assert [found and found[1] for found in said] == ["prompt", "token", "token"]


def test_a_prompts_rate_stands_under_its_time(prefilled: Result) -> None:
    rate = prefilled.workload.batch * prefilled.workload.prompt_tokens / 9.2e-6
    assert re.search(rf"to first token[^\n]*\n[^\n]*{rate:,.0f} tokens/s", table.render(prefilled, width=140))


def test_a_share_of_tdp_says_where_when_watts_are_of_a_wider_boundary(result: Result) -> None:
    wider = replace(result, machine=replace(result.machine, boundary="server"))
    assert "% of TDP at the board" not in table.render(result)
    assert "% of TDP at the board" in table.render(wider)


def test_colours_come_only_when_asked_for(result: Result, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    plain, colored = table.render(result), table.render(result, color=True)
    assert ESCAPE not in plain
    assert ESCAPE in colored
    assert [line.rstrip() for line in re.sub(r"\x1b\[[\d;]*m", "", colored).splitlines()] == plain.splitlines()


@pytest.mark.parametrize("variable", ["FORCE_COLOR", "TTY_COMPATIBLE", "COLUMNS"])
def test_the_page_does_not_depend_on_the_environment(
    result: Result, variable: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = table.render(result)
    monkeypatch.setenv(variable, "1")
    assert table.render(result) == before


def test_no_color_is_honoured(result: Result, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    assert ESCAPE not in table.render(result, color=True)


def test_finding_the_format_does_not_load_rich() -> None:
    program = "import sys, archsim.reports.table; sys.exit('rich' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_columns_give_way_until_whole_words_are_left_and_no_further() -> None:
    columns = (Column("name", wraps=True, least=4), Column("a word", wraps=True), Column("digits", right=True))
    rows = [("abcdefgh", "two words", "123456789")]
    assert fitted(columns, rows, 40) == [8, 9, 9]
    assert fitted(columns, rows, 22) == [4, 5, 9]
    assert fitted(columns, rows, 21) is None
