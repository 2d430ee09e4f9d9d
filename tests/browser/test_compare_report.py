"""The comparison's page as a reader meets it: in a real browser."""

import json
import shlex
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from click.testing import Result
from playwright.sync_api import Page
from plotly.offline import get_plotlyjs

from archsim.reports.comparison.html import report_html
from archsim.reports.comparison.matrix import Comparison
from archsim.study.comparing.compare import Question, compare, matrix

pytestmark = pytest.mark.browser

Open = Callable[..., Any]

OPEN_ALL = "document.querySelectorAll('details').forEach((details) => { details.open = true; })"
ALL_DRAWN = "[...document.querySelectorAll('[data-chart]')].every((element) => element.dataset.drawn)"
FIRST_CHART = "document.getElementById('chart-energy-and-time')"
READY_AT = "performance.getEntriesByName('ready')[0].startTime"
PLAIN = """<!doctype html><meta charset="utf-8"><div id="chart"></div><script>{plotly}</script><script>
Plotly.newPlot("chart", [{{x: [1, 2], y: [1, 2]}}]).then(() => {{
  performance.mark("ready");
  document.documentElement.dataset.ready = "yes";
}});
</script>"""
SERIOUS = {"serious", "critical"}


def repriced(page: Page) -> list[float]:
    """Joules per token of every cell, as the page prices them now."""
    rows = page.locator("#repriced tr[data-joules]")
    return [float(text) for text in rows.evaluate_all("rows => rows.map((row) => row.dataset.joules)")]


def open_all(page: Page) -> None:
    """Open every part and draw every chart, as paper asks for it."""
    page.evaluate(OPEN_ALL)
    for chart in page.locator("[data-chart]").all():
        chart.scroll_into_view_if_needed()
    page.wait_for_function(ALL_DRAWN, timeout=60_000)


def press(page: Page, setting: str, key: str, times: int) -> None:
    page.locator(f"input[data-setting='{setting}']").focus()
    for _ in range(times):
        page.keyboard.press(key)


def test_it_asks_the_network_for_nothing(opened: Open, report: Path) -> None:
    assert opened().requests == [report.as_uri()]


def test_it_complains_of_nothing_with_every_part_open(opened: Open) -> None:
    visitor = opened()
    open_all(visitor.page)
    assert visitor.complaints == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_serious_barrier_for_any_reader(opened: Open, scheme: str) -> None:
    page = opened(color_scheme=scheme).page
    open_all(page)
    found = Axe().run(page).response["violations"]
    assert not {item["id"]: item["nodes"][0]["html"] for item in found if item["impact"] in SERIOUS}


def test_twelve_cells_are_a_small_file(report: Path, comparison: Comparison) -> None:
    assert len(comparison.cells) == 12
    assert report.stat().st_size < 8_000_000


def test_it_answers_within_three_seconds_and_before_a_page_that_only_loads_plotly(
    opened: Open, tmp_path: Path, record_property: Callable[[str, object], None], capsys: pytest.CaptureFixture[str]
) -> None:
    """Medians of three, taken in turn, since the machine may be busy with something else.

    Ready: every table, bar and slider is there, and charts in sight are drawn.
    """
    plain = tmp_path / "plain.html"
    plain.write_text(PLAIN.format(plotly=get_plotlyjs().replace("</script", "<\\/script")), encoding="utf-8")
    times: dict[str, list[float]] = {"plotly alone": [], "ready": [], "first chart": []}
    for _ in range(3):
        times["plotly alone"].append(opened(plain).page.evaluate(READY_AT))
        page = opened().page
        times["ready"].append(page.evaluate(READY_AT))
        start = page.evaluate("performance.now()")
        page.evaluate(f"{FIRST_CHART}.scrollIntoView()")
        page.wait_for_function(f"{FIRST_CHART}.dataset.drawn")
        times["first chart"].append(page.evaluate("performance.now()") - start)
    median = {name: sorted(found)[1] for name, found in times.items()}
    told = ", ".join(f"{name} {milliseconds:.0f} ms" for name, milliseconds in median.items())
    record_property("page", told)
    with capsys.disabled():
        ratio = median["ready"] / median["plotly alone"]
        sys.stdout.write(f"\nmedian of 3: {told}; ready / plotly alone {ratio:.2f}\n")
    assert median["ready"] < 3000
    assert median["ready"] < median["plotly alone"]
    assert median["first chart"] < 2 * median["plotly alone"]


def test_a_slider_works_before_any_chart_is_drawn(opened: Open) -> None:
    page = opened(drawn=False).page
    before = repriced(page)
    press(page, "hardware.links.mem.energy", "ArrowRight", 1)
    assert repriced(page) != before


def test_prices_as_simulated_give_the_joules_as_simulated(opened: Open, comparison: Comparison) -> None:
    expected = [cell.document["energy"]["per_token_j"] for cell in comparison.cells]
    assert repriced(opened().page) == pytest.approx(expected, rel=1e-9)


def test_a_slider_gives_what_a_run_with_its_settings_gives(
    opened: Open, comparison: Comparison, cli: Callable[..., Result]
) -> None:
    page = opened().page
    press(page, "hardware.links.mem.energy", "ArrowLeft", 17)
    press(page, "hardware.components.sm.static", "ArrowRight", 23)
    sets = shlex.split(page.locator("#sets").inner_text().replace("\\\n", ""))
    assert {text.partition("=")[0] for text in sets[1::2]} == {
        "hardware.links.mem.energy",
        "hardware.components.sm.static",
    }
    result = cli("run", "llama-3.1-8b-decode", "h100-sxm", *sets, "--format", "json")
    assert repriced(page)[0] == pytest.approx(json.loads(result.stdout)["energy"]["per_token_j"], rel=1e-9)
    others = [cell.document["energy"]["per_token_j"] for cell in comparison.cells[1:3]]
    assert repriced(page)[1:3] == pytest.approx(others, rel=1e-9)


def test_reset_takes_every_change_back(opened: Open) -> None:
    page = opened().page
    before = repriced(page)
    press(page, "hardware.links.mem.energy", "ArrowRight", 9)
    page.get_by_role("button", name="Reset").click()
    assert repriced(page) == before
    assert page.get_by_role("button", name="Copy as --set").is_disabled()


def test_copying_puts_the_settings_on_the_clipboard(opened: Open) -> None:
    page = opened(permissions=["clipboard-read", "clipboard-write"]).page
    press(page, "hardware.links.mem.energy", "ArrowRight", 3)
    page.get_by_role("button", name="Copy as --set").click()
    page.get_by_text("Copied.").wait_for()
    assert page.evaluate("navigator.clipboard.readText()") == page.locator("#sets").inner_text()


@pytest.mark.parametrize("scripts", [True, False])
def test_a_choice_shows_the_energy_by_component(opened: Open, scripts: bool) -> None:
    page = opened(java_script_enabled=scripts, drawn=scripts).page
    bars = page.locator("section:has(#joules) .bars:visible")
    assert "xbar" not in page.locator("section:has(#joules) .legend:visible").inner_text()
    page.get_by_text("component", exact=True).click()
    assert "xbar" in page.locator("section:has(#joules) .legend:visible").inner_text()
    narrow = bars.first.locator(".bar").last.bounding_box()
    page.get_by_text("shares", exact=True).click()
    wide = bars.first.locator(".bar").last.bounding_box()
    assert narrow is not None
    assert wide is not None
    assert wide["width"] > 1.1 * narrow["width"]


def test_the_waterfall_shows_what_is_chosen(opened: Open) -> None:
    page = opened().page
    page.locator("#pair").select_option(label="A100 SXM 80 GB · Llama-2-7B decode")
    falls = page.locator(".falls:visible")
    assert falls.count() == 1
    assert falls.get_by_role("rowheader", name="DRAM").count() == 1
    page.locator("section:has(#difference)").get_by_text("tensor", exact=True).click()
    assert falls.count() == 1
    assert falls.get_by_role("rowheader", name="weights").count() == 1
    assert falls.get_by_role("rowheader").all_inner_texts()[-1] == "A100 SXM 80 GB"


def test_both_themes_draw_in_their_own_colours(opened: Open) -> None:
    page = opened(color_scheme="light").page
    page.evaluate(f"{FIRST_CHART}.scrollIntoView()")
    page.wait_for_function(f"{FIRST_CHART}.dataset.drawn")
    fills = [
        "getComputedStyle(document.querySelector('.bars .bar i')).backgroundColor",
        "getComputedStyle(document.querySelector('#chart-energy-and-time .points path')).fill",
    ]
    light = [page.evaluate(fill) for fill in fills]
    page.get_by_role("button", name="Dark").click()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(20, 24, 27)"
    assert all(page.evaluate(fill) != was for fill, was in zip(fills, light, strict=True))


def test_a_phone_scrolls_in_one_direction_only(opened: Open) -> None:
    page = opened(viewport={"width": 390, "height": 844}).page
    assert page.evaluate("document.documentElement.scrollWidth") == 390


def test_without_scripts_the_tables_are_there_and_nothing_waits_for_one(opened: Open, comparison: Comparison) -> None:
    page = opened(java_script_enabled=False, drawn=False).page
    assert page.locator("table.comparison tbody tr td.strong").count() == 2 * len(comparison.cells)
    assert page.get_by_role("heading", name="Side by side").is_visible()
    assert not any(item.is_visible() for item in page.locator(".scripted-only").all())


def test_on_paper_every_cell_is_told(opened: Open) -> None:
    page = opened(color_scheme="dark").page
    paper = page.pdf()
    assert paper.startswith(b"%PDF")
    assert len(paper) > 100_000
    assert paper.count(b"/Type /Page\n") > 12
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    page.emulate_media(media="print")
    assert page.evaluate("getComputedStyle(document.querySelector('.bars .bar i')).printColorAdjust") == "exact"


def test_a_name_is_never_markup(opened: Open, tmp_path: Path) -> None:
    name = "<img src=x onerror=console.error(1)></script><script>console.error(2)</script>"
    machine = tmp_path / "odd.yaml"
    machine.write_text(f"extends: h100-sxm\nname: {json.dumps(name)}\n", encoding="utf-8")
    page = tmp_path / "report.html"
    odd = compare(matrix(Question(("gemv-4096",), ("a100-sxm-80gb", str(machine)))), jobs=1)
    page.write_text(report_html(odd), encoding="utf-8")
    visitor = opened(page)
    assert visitor.complaints == []
    assert visitor.requests == [page.as_uri()]
    assert visitor.page.get_by_role("rowheader", name=name).first.inner_text() == name


def test_the_page_answers_where_no_machine_can(opened: Open, tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    refused = compare(matrix(Question(("llama-3.1-70b-decode",), ("a100-sxm-80gb",))), jobs=1)
    page.write_text(report_html(refused), encoding="utf-8")
    visitor = opened(page, drawn=False)
    assert visitor.page.get_by_text("the model does not fit").is_visible()
    assert visitor.complaints == []
