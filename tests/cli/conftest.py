"""A small machine and a small model in files that a test may edit, and a check that the front door refuses them."""

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

DATA = Path(__file__).parent / "data"
SMALL = ("machine.yaml", "workload.yaml", "model.yaml")

Edit = tuple[str, str]


def located(path: Path, culprit: str) -> tuple[int, int, str]:
    """Line and column, from 1, of the only place that reads `culprit`, and the line; `^` in it marks the column."""
    before, _, after = culprit.partition("^")
    text = path.read_text(encoding="utf-8")
    assert text.count(before + after) == 1, f"{culprit!r} must stand in {path.name} once"
    index = text.index(before + after) + (len(before) if after else 0)
    start = text.rfind("\n", 0, index) + 1
    return text.count("\n", 0, index) + 1, index - start + 1, text[start:].partition("\n")[0]


def shown(stderr: str, path: object, line: int, column: int, source: str) -> None:
    """Assert that stderr shows the place, its line, and a caret under its column."""
    lines = stderr.splitlines()
    assert f"  --> {path}:{line}:{column}" in lines, stderr
    gutter = f"{line} | "
    at = lines.index(f"  --> {path}:{line}:{column}") + 2
    assert lines[at] == f"{gutter}{source}".rstrip()
    assert lines[at + 1].index("^") == len(gutter) + column - 1


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A folder with `machine.yaml`, `workload.yaml` and `model.yaml`."""
    for name in SMALL:
        (tmp_path / name).write_bytes((DATA / name).read_bytes())
    return tmp_path


@pytest.fixture
def run(cli: Callable[..., Result], small: Path) -> Callable[..., Result]:
    """`archsim run` of the small pair; `edits` replace text of the file that `name` names."""

    def run_edited(name: str = "machine.yaml", *edits: Edit, args: tuple[object, ...] = ()) -> Result:
        path = small / name
        for old, new in edits:
            text = path.read_text(encoding="utf-8")
            assert text.count(old) == 1, f"{old!r} must stand in {name} once"
            path.write_text(text.replace(old, new), encoding="utf-8")
        return cli("run", small / "workload.yaml", small / "machine.yaml", *args)

    return run_edited


@pytest.fixture
def refused(run: Callable[..., Result], small: Path) -> Callable[..., str]:
    """Assert that the edited pair is refused at `culprit`, and nothing written; return what stderr says."""

    def refuse(name: str, *edits: Edit, culprit: str, of: str | None = None, args: tuple[object, ...] = ()) -> str:
        result = run(name, *edits, args=(*args, "-o", small / "out"))
        assert (result.exit_code, result.stdout) == (2, ""), result.output
        shown(result.stderr, small / (of or name), *located(small / (of or name), culprit))
        assert not (small / "out").exists()
        return result.stderr

    return refuse


@pytest.fixture
def refused_option(run: Callable[..., Result], small: Path) -> Callable[..., str]:
    """Assert that an option is refused at `culprit` in its own text; return what stderr says."""

    def refuse(*args: str, culprit: str, name: str = "<--set #1>") -> str:
        result = run(args=(*args, "-o", small / "out"))
        assert (result.exit_code, result.stdout) == (2, ""), result.output
        assert args[-1].count(culprit) == 1
        shown(result.stderr, name, 1, args[-1].index(culprit) + 1, args[-1])
        assert not (small / "out").exists()
        return result.stderr

    return refuse
