"""The report of twelve cells, and a page of a real Chromium that writes down what it asks for and complains of."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from archsim.reports.comparison.html import report_html
from archsim.reports.comparison.matrix import Comparison
from archsim.study.comparing.compare import Question, compare, matrix

WORKLOADS = ("llama-3.1-8b-decode", "llama-2-7b-decode", "llama-3.1-70b-decode", "gemv-4096")
MACHINES = ("h100-sxm", "a100-sxm-80gb", "h200-sxm")


@dataclass
class Opened:
    """A page with the addresses it asked for, and what it wrote to its console."""

    page: Page
    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)


@pytest.fixture(scope="session")
def comparison() -> Comparison:
    return compare(matrix(Question(WORKLOADS, MACHINES, fit=True)))


@pytest.fixture(scope="session")
def report(comparison: Comparison, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("compared") / "report.html"
    path.write_text(report_html(comparison), encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def browser(chromium: str) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield found
        found.close()


@pytest.fixture
def opened(browser: Browser, request: pytest.FixtureRequest) -> Iterator[Callable[..., Opened]]:
    """Open the report, or another page, as a new visitor would."""
    contexts = []

    def visit(other: Path | None = None, *, drawn: bool = True, **settings: Any) -> Opened:
        path: Path = other or request.getfixturevalue("report")  # twelve cells, for those who look at them
        context = browser.new_context(**({"viewport": {"width": 1280, "height": 900}} | settings))
        contexts.append(context)
        visitor = Opened(context.new_page())
        visitor.page.on("request", lambda request: visitor.requests.append(request.url))
        visitor.page.on("console", lambda message: visitor.complaints.append(message.text))
        visitor.page.on("pageerror", lambda error: visitor.complaints.append(str(error)))
        visitor.page.goto(path.as_uri())
        if drawn:
            visitor.page.wait_for_function("document.documentElement.dataset.ready === 'yes'", timeout=60_000)
        return visitor

    yield visit
    for context in contexts:
        context.close()
