"""`pytest tests/golden --update-golden` writes the figures anew; look at the diff before you commit it."""

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-golden", action="store_true", help="write the golden figures anew instead of comparing")


@pytest.fixture
def update(request: pytest.FixtureRequest) -> bool:
    """Whether to write the figures; the option is known only where this folder is named on the command line."""
    return bool(request.config.getoption("--update-golden", default=False))
