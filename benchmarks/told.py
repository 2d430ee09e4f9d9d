"""What docs/performance.md tells of each job: `make performance` writes it, the tests hold everything to it."""

from pathlib import Path

PAGE = Path(__file__).parents[1] / "docs" / "performance.md"


def rows(first: str) -> list[list[str]]:
    """The cells of the rows of the page that begin with a name."""
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    cells = [[cell.strip().replace(",", "") for cell in line.strip("| ").split(" | ")] for line in lines]
    return [row for row in cells if row[0] == first.replace(",", "")]
