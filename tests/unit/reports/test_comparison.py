"""A comparison of hand-made results: ratios, verdicts, data, prices, and charts that plotly accepts."""

import csv
import io
import json
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import plotly.graph_objects as go
import pytest

from archsim.model.pricing import Priced
from archsim.model.result import Result
from archsim.reports import html
from archsim.reports.comparison.bars import stacks
from archsim.reports.comparison.charts.figure import log_axis
from archsim.reports.comparison.data import COLUMNS, results_csv, results_json
from archsim.reports.comparison.gallery import gallery
from archsim.reports.comparison.html import report_html
from archsim.reports.comparison.markdown import report_md
from archsim.reports.comparison.matrix import Comparison, joules, ratios
from archsim.reports.comparison.moments import moments
from archsim.reports.comparison.outcome import Adjustment, Outcome, Refusal, Subject, cell
from archsim.reports.comparison.terminal import summary
from archsim.reports.comparison.verdict import verdicts
from archsim.reports.comparison.waterfall import waterfalls
from archsim.reports.comparison.whatif import whatif
from archsim.reports.quantities import si

WORKLOAD = Subject("small.yaml", "small decoder", "transformer", "small decoder")
FIRST = Subject("first.yaml", "first", "gpu", "first", "board")
SECOND = Subject("second.yaml", "second", "gpu", "second", "board")


def scaled(result: Result, factor: float, *components: str) -> Result:
    """The result with all prices, or those of some components, times a factor."""

    def cheaper(entry: Priced) -> Priced:
        if components and entry.row.component not in components:
            return entry
        price = entry.price
        ends = {name: getattr(price, name) * factor for name in ("value", "low", "high")}
        return replace(entry, price=price.model_copy(update=ends))

    return replace(result, entries=tuple(map(cheaper, result.entries)))


@pytest.fixture
def cells(result: Result) -> Callable[..., Comparison]:
    """Two machines: the result, and what a test makes of it; the first is the baseline."""

    def compare(other: Result | Refusal, machine: Subject = SECOND, *adjusted: Adjustment) -> Comparison:
        second: Outcome = other if isinstance(other, Refusal) else cell(WORKLOAD, machine, adjusted, other)
        return Comparison((WORKLOAD,), (FIRST, machine), 0, ((cell(WORKLOAD, FIRST, (), result), second),))

    return compare


@pytest.fixture
def halved(cells: Callable[..., Comparison], result: Result) -> Comparison:
    return cells(scaled(result, 0.5))


@pytest.fixture
def refused(cells: Callable[..., Comparison]) -> Comparison:
    return cells(Refusal(WORKLOAD, SECOND, "does not fit: 3 GB too much", "devices: 2"))


def sentence(comparison: Comparison) -> str:
    return verdicts(comparison)[0].sentence


def colored(value: Any) -> Any:
    """A chart as the page draws it: plotly knows no names of colours."""
    if isinstance(value, str):
        return "#123456" if value.startswith("--") else value
    if isinstance(value, dict):
        return {key: colored(item) for key, item in value.items()}
    return [colored(item) for item in value] if isinstance(value, list | tuple) else value


def test_a_ratio_is_of_the_baseline(halved: Comparison) -> None:
    first, second = halved.cells
    assert (ratios(halved, first).energy, ratios(halved, first).time) == (1, 1)
    assert ratios(halved, second).energy == pytest.approx(0.5)


def test_without_a_baseline_there_is_no_ratio(refused: Comparison) -> None:
    turned = replace(refused, baseline=1)
    assert ratios(turned, turned.cells[0])[:2] == (None, None)


def test_the_verdict_says_by_how_much_and_why(halved: Comparison) -> None:
    told = r"second needs 2× less energy per token than first \(1\.\d to 2\.\d times .*\), because .* costs "
    assert re.match(told, sentence(halved))
    assert sentence(halved).endswith("both take the same time.")


def test_the_reason_is_what_most_of_the_difference_is_spent_on(
    cells: Callable[..., Comparison], result: Result
) -> None:
    static = [entry for entry in result.entries if entry.row.action == "static"]
    cheap = replace(result, entries=tuple(entry for entry in result.entries if entry not in static))
    assert "because static power costs 0 J a token" in sentence(cells(cheap))


def test_weights_that_are_never_read_from_dram_never_leave_the_chip(
    cells: Callable[..., Comparison], result: Result
) -> None:
    stays = tuple(e for e in result.entries if not (e.row.tensor == "weights" and e.row.component in ("hbm", "mem")))
    assert "because its weights never leave the chip: " in sentence(cells(replace(result, entries=stays)))


def test_equal_energy_is_no_victory(cells: Callable[..., Comparison], result: Result) -> None:
    assert "need the same energy per token" in sentence(cells(scaled(result, 1.01)))


def test_a_baseline_that_is_best_is_held_against_the_nearest(cells: Callable[..., Comparison], result: Result) -> None:
    assert sentence(cells(scaled(result, 3))).startswith("first needs 3× less energy per token than second")


def test_overlapping_ranges_weaken_whoever_is_best(cells: Callable[..., Comparison], result: Result) -> None:
    told = [verdicts(cells(scaled(result, factor)))[0].caveats for factor in (0.9, 1.1, 5)]
    assert all(re.match(r"the order is not certain: in \d\d % of draws of the prices", text) for (text,) in told[:2])
    assert told[2] == ()


def test_machines_that_need_the_same_have_no_order_to_turn(cells: Callable[..., Comparison], result: Result) -> None:
    backwards = replace(result, entries=tuple(reversed(result.entries)))
    assert verdicts(cells(backwards))[0].caveats == ()


def test_the_verdict_names_what_weakens_it(cells: Callable[..., Comparison], result: Result) -> None:
    chip = SECOND._replace(boundary="chip")
    caveats = verdicts(cells(scaled(result, 0.9), chip))[0].caveats
    assert caveats[0] == "their joules cover unlike things: chip and board"
    assert re.match(r"the order is not certain: in 2\d % of draws", caveats[1])


def test_unlike_software_and_devices_are_told(cells: Callable[..., Comparison], result: Result) -> None:
    laden = replace(result, hardware=result.hardware.model_copy(update={"stack": "vllm", "devices": 4}))
    caveats = verdicts(cells(scaled(laden, 0.1)))[0].caveats
    assert caveats[0] == "first runs without software (stack `ideal`), second has the overheads of `vllm`"
    assert caveats[1] == "second is 4 devices, first 1 device"


def test_a_large_factor_is_told_in_plain_digits(cells: Callable[..., Comparison], result: Result) -> None:
    assert "needs 290× less energy" in sentence(cells(scaled(result, 1 / 287.3)))


def test_what_is_marked_in_a_terminal_is_told_below(cells: Callable[..., Comparison], result: Result) -> None:
    adjusted = Adjustment(("hardware.devices=2",), "2 devices instead of 1: the least that hold the model")
    page = " ".join(summary(cells(result, SECOND, adjusted)).split())
    assert "* second: 2 devices instead of 1: the least that hold the model" in page


def test_a_table_in_a_terminal_says_what_its_joules_cover(halved: Comparison) -> None:
    page = summary(halved)
    assert f"boundary of the joules: {halved.machines[0].boundary}\n" in page


def test_a_missing_baseline_is_named(refused: Comparison) -> None:
    assert sentence(refused).startswith("first alone has figures")
    nothing = replace(refused, rows=((refused.rows[0][1], refused.rows[0][1]),))
    assert sentence(nothing).startswith("No machine here has figures for it")


def test_counts_times_prices_are_the_joules(halved: Comparison) -> None:
    data = whatif(halved)
    for found, told in zip(halved.cells, data["cells"], strict=True):
        prices = data["machines"][told["machine"]]["prices"]
        spent = sum(count * price["value"] for count, price in zip(told["counts"], prices, strict=True)) / 1e12
        assert spent == pytest.approx(joules(found), rel=1e-12)


def test_every_price_has_the_path_where_it_is_written(halved: Comparison) -> None:
    settings = {price.setting for price in halved.cells[0].prices}
    assert settings == {
        "hardware.components.hbm.energy.read",
        "hardware.components.l2.energy.read",
        "hardware.components.l2.energy.write",
        "hardware.components.sm.energy.mac.bf16",
        "hardware.components.hbm.static",
        "hardware.components.sm.static",
        "hardware.links.mem.energy",
        "hardware.links.xbar.energy",
    }


def test_the_timeline_is_as_long_as_a_token(halved: Comparison) -> None:
    line = halved.cells[0].timeline
    assert sum(item.seconds for item in line.intervals) == pytest.approx(3.8e-6)
    assert all(0 <= share <= 1 for shares in line.busy.values() for share in shares)


def test_what_a_link_carried_runs_from_memory_to_compute(halved: Comparison) -> None:
    ends = {item.link: (item.source, item.target) for item in halved.cells[0].carried}
    assert ends == {"mem": ("hbm", "l2"), "xbar": ("l2", "sm")}
    traffic = halved.cells[0].document["traffic_bytes_per_token"]
    for link in ends:
        carried = sum(item.bytes for item in halved.cells[0].carried if item.link == link)
        assert carried == pytest.approx(traffic[link])


def test_no_operator_is_above_the_roof(halved: Comparison) -> None:
    roof = halved.cells[0].roofline
    assert roof is not None
    assert roof.memory == "hbm"
    assert roof.peak_macs is not None
    assert roof.peak_bytes is not None
    for dot in roof.dots:
        assert dot.intensity == pytest.approx(2)
        assert dot.rate <= min(roof.peak_macs, dot.intensity * roof.peak_bytes)


def test_each_column_of_the_table_has_a_value_or_is_empty(refused: Comparison) -> None:
    lines = list(csv.DictReader(io.StringIO(results_csv(refused))))
    assert list(lines[0]) == list(COLUMNS)
    assert float(lines[0]["energy_per_token_j"]) == joules(refused.cells[0])
    assert lines[1]["error"] == "does not fit: 3 GB too much (devices: 2)"
    assert {lines[1][column] for column in COLUMNS[4:]} == {""}


def test_the_object_holds_a_result_or_an_error_for_each_cell(refused: Comparison) -> None:
    content = json.loads(results_json(refused))
    assert (content["schema"], content["baseline"]) == ("archsim.compare/1", "first")
    assert content["results"][0]["schema"] == "archsim.result/1"
    assert content["results"][1]["hardware"] == {"name": "second", "class": "gpu"}


def test_every_markdown_table_has_as_many_cells_in_each_line(refused: Comparison) -> None:
    tables = [block.splitlines() for block in report_md(refused).split("\n\n") if block.startswith("|")]
    assert len(tables) == 6
    for table in tables:
        assert len({len(re.findall(r"(?<!\\)\|", line)) for line in table}) == 1


def test_names_break_neither_page(cells: Callable[..., Comparison], result: Result) -> None:
    odd = "a|b <script>alert(1)</script> [x](y) `z`\n# c"
    comparison = cells(result, Subject("odd", odd, "gpu", odd, "board"))
    assert "<script>alert" not in report_md(comparison)
    assert "<script>alert" not in report_html(comparison)
    assert "\n# c" not in report_md(comparison)


def test_an_adjustment_is_told_beside_the_figures(cells: Callable[..., Comparison], result: Result) -> None:
    comparison = cells(result, SECOND, Adjustment(("hardware.devices=4",), "4 devices instead of 1"))
    assert "| second [1] |" in report_md(comparison)
    assert "- [1] 4 devices instead of 1" in report_md(comparison)
    assert "4 devices instead of 1." in report_html(comparison)


def test_plotly_accepts_every_chart(halved: Comparison) -> None:
    charts = gallery(halved)
    assert len({found.id for found in charts}) == len(charts) == 2 + 2 * 3
    for found in charts:
        go.Figure({"data": colored(found.traces), "layout": colored(found.layout)})
        assert found.text


@pytest.mark.parametrize("stack", range(3))
def test_the_parts_of_a_bar_are_all_of_it(halved: Comparison, stack: int) -> None:
    found = stacks(halved)[stack]
    first, second = found.panels[0].bars
    assert sum(piece.share for piece in first.pieces) == pytest.approx(1e6, abs=5)
    assert second.width == pytest.approx(first.width / 2, rel=1e-3)
    assert {piece.color for piece in first.pieces} <= {key.color for key in found.legend}


def test_a_bar_has_the_band_of_its_prices_on_its_own_scale(halved: Comparison) -> None:
    bar = stacks(halved)[0].panels[0].bars[0]
    energy = halved.cells[0].document["energy"]
    assert bar.band is not None
    assert bar.band.start / bar.width == pytest.approx(energy["p05_j"] / energy["per_token_j"], rel=1e-3)
    assert bar.band.start + bar.band.width == pytest.approx(100, abs=0.01)


@pytest.mark.parametrize("column", ["kind", "tensor"])
def test_the_waterfall_falls_from_the_baseline_to_the_candidate(halved: Comparison, column: str) -> None:
    (found,) = waterfalls(halved)
    first, *steps, last = found.steps[column]
    assert (first.joules, last.joules) == tuple(si(joules(cell), "J") for cell in halved.cells)
    assert {step.sort for step in steps} == {"less"}
    edge = first.bar.width
    for step in steps:
        assert step.bar.start + step.bar.width == pytest.approx(edge, abs=0.01)
        edge = step.bar.start
    assert edge == pytest.approx(last.bar.width, abs=0.01)


def test_a_token_in_time_is_as_long_as_its_operators(halved: Comparison) -> None:
    found = moments(halved.cells[0])
    assert found is not None
    assert sum(share for _, share in found.operators) == pytest.approx(1e6, abs=5)
    assert all(len(row) == len(found.operators) for _, row in found.rows)
    assert (found.ticks[0].time, found.ticks[1].time) == ("0 s", "1 µs")
    assert found.ticks[-1].place <= 100


@pytest.mark.parametrize(
    ("values", "unit", "ticks"),
    [
        ([0.004, 0.03], "s", ["5 ms", "10 ms", "20 ms"]),
        ([0.5, 2], "", ["0.5", "1", "2"]),
        ([1, 1e4], "J", ["1 J", "10 J", "100 J", "1 kJ", "10 kJ"]),
    ],
)
def test_ticks_of_a_logarithm_are_round_and_few(values: list[float], unit: str, ticks: list[str]) -> None:
    assert log_axis("", values, unit)["ticktext"] == ticks


def test_one_machine_by_itself_is_compared_with_nothing(result: Result) -> None:
    page = html.render(result)
    assert "<h1>small decoder on example GPU</h1>" in page
    assert "Example GPU: 1.56\N{NO-BREAK SPACE}mJ per token" in page
    assert 'id="tradeoff"' not in page


def test_equal_comparisons_are_equal_bytes(halved: Comparison) -> None:
    assert report_html(halved) == report_html(replace(halved))


def test_the_page_names_no_other_place(halved: Comparison) -> None:
    page = report_html(halved)
    before, _, after = page.partition('<script type="text/plain" id="plotly">')
    own = before + after.partition("</script>")[2]
    assert not re.findall(r"(?:src|href)=\"(?!#|data:)[^\"]+", own)
    assert "http" not in own


@pytest.mark.parametrize("width", [80, 100])
def test_what_a_terminal_shows_fits_it(halved: Comparison, width: int) -> None:
    page = summary(halved, width=width)
    assert max(map(len, page.splitlines())) <= width
    assert ("5–95 %" in page) == (width == 100)
