"""`pytest tests/oracle --write-conformance` writes the table of docs/conformance.md from what the tests measure."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "conformance.md"
HEAD = "| case | flow against chunk | at most | tile against chunk | at most | events at chunk | why |\n"
Told = Callable[..., None]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--write-conformance", action="store_true", help="write the table of docs/conformance.md anew")


@pytest.fixture(scope="session")
def told(request: pytest.FixtureRequest) -> Iterator[Told]:
    """Takes one line of the table: its cells."""
    lines: list[str] = []
    yield lambda *cells: lines.append("| " + " | ".join(map(str, cells)) + " |\n")
    if lines and request.config.getoption("--write-conformance", default=False):
        before, _, rest = PAGE.read_text(encoding="utf-8").partition(HEAD)
        after = rest.partition("\n\n")[2]
        PAGE.write_text(before + HEAD + "|---" * 7 + "|\n" + "".join(lines) + "\n" + after, encoding="utf-8")
