"""The page of scatter plots as a reader meets it: in a real browser."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe

from archsim.reports.accuracy.html import accuracy_html
from archsim.study.validating.suites import chosen
from archsim.study.validating.validate import validate

pytestmark = pytest.mark.browser

Open = Callable[..., Any]
SUITES = ("decode-attention-h100", "classes", "claims")
SERIOUS = {"serious", "critical"}


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("accuracy") / "accuracy.html"
    path.write_text(accuracy_html(validate(chosen(SUITES))), encoding="utf-8")
    return path


def test_it_asks_the_network_for_nothing_and_complains_of_nothing(opened: Open, page: Path) -> None:
    visitor = opened(page)
    assert visitor.requests == [page.as_uri()]
    assert visitor.complaints == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_serious_barrier_for_any_reader(opened: Open, page: Path, scheme: str) -> None:
    visitor = opened(page, color_scheme=scheme)
    visitor.page.evaluate("document.querySelectorAll('details').forEach((details) => { details.open = true; })")
    found = Axe().run(visitor.page).response["violations"]
    assert not {item["id"]: item["nodes"][0]["html"] for item in found if item["impact"] in SERIOUS}


def test_every_suite_has_a_plot_with_a_dot_for_each_case(opened: Open, page: Path) -> None:
    figure = opened(page).page.locator("article:has(#decode-attention-h100) .chart")
    assert figure.locator(".points path").count() == len(validate(chosen(SUITES[:1])).suites[0].scored)
    cases = figure.locator(".points path").count()
    assert f"{cases} cases" in (figure.get_attribute("aria-label") or "")


def test_a_phone_scrolls_in_one_direction_only(opened: Open, page: Path) -> None:
    visitor = opened(page, viewport={"width": 390, "height": 844})
    assert visitor.page.evaluate("document.documentElement.scrollWidth") == 390


def test_without_scripts_the_scores_are_there(opened: Open, page: Path) -> None:
    visitor = opened(page, java_script_enabled=False, drawn=False)
    assert visitor.page.locator("table.suites tbody tr").count() == len(SUITES)
    assert not any(item.is_visible() for item in visitor.page.locator(".scripted-only").all())


def test_a_plot_is_drawn_when_a_reader_comes_near(opened: Open, page: Path) -> None:
    visitor = opened(page, viewport={"width": 1280, "height": 300})
    last = visitor.page.locator("[data-chart]").last
    assert last.get_attribute("data-drawn") is None
    last.scroll_into_view_if_needed()
    last.locator(".points path").first.wait_for()
    assert last.get_attribute("data-drawn") == "yes"
