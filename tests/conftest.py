"""What every rung of the ladder shares: one browser, one command line, one way to draw examples."""

import os
import shutil
from collections.abc import Callable
from functools import cache

import pytest
from click.testing import CliRunner, Result
from hypothesis import settings

settings.register_profile("local", deadline=None, max_examples=50)
settings.register_profile("ci", parent=settings.get_profile("local"), derandomize=True, database=None)
settings.load_profile("ci" if os.environ.get("CI") else "local")


@cache
def find_chromium() -> str | None:
    return next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip a browser test where there is no Chromium; where one is required, fail it instead."""
    if item.get_closest_marker("browser") is None or find_chromium() is not None:
        return
    if os.environ.get("ARCHSIM_REQUIRE_BROWSER"):
        pytest.fail("ARCHSIM_REQUIRE_BROWSER is set, and no Chromium is on the PATH", pytrace=False)
    pytest.skip("no Chromium on the PATH (Debian: apt-get install chromium)")


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of the Chromium that tests marked `browser` open reports in."""
    path = find_chromium()
    assert path is not None, "mark a test that asks for `chromium` as `browser`"
    return path


@pytest.fixture(autouse=True)
def _pages_of_the_usual_width(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)


@pytest.fixture
def cli() -> Callable[..., Result]:
    """The command line in this process: `cli("check", path).exit_code`, `.stdout`, `.stderr`."""
    from archsim.cli import main  # a command line that cannot be imported then fails only the tests that use it

    def run(*args: object, stdin: str | None = None) -> Result:
        return CliRunner().invoke(main, [str(arg) for arg in args], input=stdin, prog_name="archsim")

    return run
