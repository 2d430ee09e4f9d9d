"""The architecture is a test, not a drawing: who imports whom, what modules are called, how long they get."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from importlinter.cli import EXIT_STATUS_SUCCESS, lint_imports

ROOT = Path(__file__).resolve().parents[1]
MODULES = sorted((ROOT / "archsim").rglob("*.py"))
ALL = {
    path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8")
    for folder in ("archsim", "benchmarks", "docs", "tests", "validation")
    for path in sorted((ROOT / folder).rglob("*.py"))
}
SOURCES = {path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8") for path in MODULES}

IGNORED = re.compile(r"#\s*(noqa|type:\s*ignore)")
REASONED = re.compile(r"# (noqa: [A-Z0-9, ]+ - |type: ignore\[[a-z, -]+\]  ?# )\w")

VAGUE_NAMES = {"base", "common", "helpers", "utils"}
MAX_MODULE_LINES = 300
PICO = {1e12, 1e-12}
CONVERTERS = {
    "archsim/model/pricing.py",  # picojoules to joules
    "archsim/model/taskgraph.py",  # picoseconds to seconds
    "archsim/mappers/placement.py",  # bytes to terabytes, in words
    "archsim/study/validating/prediction.py",  # measured figures in TFLOP/s
}
MAX_FUNCTION_LINES = 40

Function = ast.FunctionDef | ast.AsyncFunctionDef


def functions(source: str) -> Iterator[Function]:
    return (node for node in ast.walk(ast.parse(source)) if isinstance(node, Function))


def imports(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """The line and the absolute name of every import below `tree`; a relative one is first-party."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.lineno, "archsim" if node.level else str(node.module)


def imports_of(package: str, tree: ast.AST) -> set[int]:
    return {line for line, name in imports(tree) if name.partition(".")[0] == package}


def hidden_imports(source: str) -> set[int]:
    return {line for function in functions(source) for line in imports_of("archsim", function)}


def picos(source: str) -> set[int]:
    """Lines that convert by a power of ten of their own, however it is written."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Constant(value=float() | int() as value) if value in PICO:
                found.add(node.lineno)
            case ast.BinOp(ast.Constant(value=10 | 10.0), ast.Pow(), ast.Constant(value=12)):
                found.add(node.lineno)
            case ast.BinOp(ast.Constant(value=10 | 10.0), ast.Pow(), ast.UnaryOp(ast.USub(), ast.Constant(value=12))):
                found.add(node.lineno)
    return found


def unreasoned(source: str) -> set[int]:
    """Lines that ignore a rule without a word of why."""
    lines = enumerate(source.splitlines(), start=1)
    return {number for number, line in lines if IGNORED.search(line) and not REASONED.search(line)}


def silent_tests(source: str) -> set[str]:
    """Tests that neither assert nor expect an error in their own body."""
    return {node.name for node in functions(source) if node.name.startswith("test_") and not _speaks(node)}


def _speaks(function: Function) -> bool:
    calls = (node.func for node in ast.walk(function) if isinstance(node, ast.Call))
    return any(isinstance(node, ast.Assert) for node in ast.walk(function)) or any(
        isinstance(call, ast.Attribute) and call.attr in {"raises", "fail"} for call in calls
    )


def long_functions(source: str) -> dict[str, int]:
    lengths = {node.name: (node.end_lineno or node.lineno) - node.lineno + 1 for node in functions(source)}
    return {name: length for name, length in lengths.items() if length > MAX_FUNCTION_LINES}


def test_the_declared_layers_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    assert lint_imports(config_filename="pyproject.toml", no_cache=True, no_logo=True) == EXIT_STATUS_SUCCESS


def test_no_function_hides_a_first_party_import() -> None:
    offenders = {name: lines for name, source in SOURCES.items() if (lines := hidden_imports(source))}
    offenders.pop("archsim/cli.py", None)  # a command loads only what it needs
    assert not offenders


def test_only_the_engine_imports_simpy() -> None:
    importers = {name for name, source in SOURCES.items() if imports_of("simpy", ast.parse(source))}
    assert not {name for name in importers if not name.startswith("archsim/engine/")}


def test_picojoules_and_picoseconds_are_converted_in_one_place_each() -> None:
    assert not {name: lines for name, source in SOURCES.items() if name not in CONVERTERS and (lines := picos(source))}


def test_counts_become_joules_in_pricing_alone() -> None:
    users = {name for name, source in SOURCES.items() if ".picojoules" in source}
    assert users == {"archsim/model/pricing.py", "archsim/reports/csv.py"}  # a table whose column is in picojoules


@pytest.mark.parametrize(
    ("comment", "reasoned"),
    [
        ("# " + "noqa", False),
        ("# " + "noqa: PLR2004", False),
        ("# " + "noqa: PLR2004, S101 - both ends", True),
        ("# " + "type: ignore[arg-type]", False),
        ("# " + "type: ignore[arg-type] # checked above", True),
    ],
)
def test_a_reason_is_told_from_a_bare_comment(comment: str, reasoned: bool) -> None:
    assert (unreasoned(f"x = 1\ny = 2  {comment}\n") == set()) == reasoned


def test_a_test_that_leaves_all_to_others_is_seen() -> None:
    assert silent_tests("def test_silent():\n    check()\n") == {"test_silent"}
    assert not silent_tests("def test_loud():\n    with pytest.raises(ValueError):\n        check()\n")


@pytest.mark.parametrize("factor", ["1e-12", "1e12", "10**12", "10 ** -12", "1_000_000_000_000", "10.0**-12"])
def test_a_conversion_is_seen_however_it_is_written(factor: str) -> None:
    assert picos(f"joules = \\\n    counted * {factor}\n") == {2}
    assert not picos("share = counted * 1e-9 + 10**9\n")


def test_an_ignored_rule_has_its_reason_on_the_line() -> None:
    assert not {name: lines for name, source in ALL.items() if (lines := unreasoned(source))}


def test_a_test_asserts_something_that_its_reader_sees() -> None:
    tests = {name: source for name, source in ALL.items() if Path(name).name.startswith("test_")}
    assert not {name: silent for name, source in tests.items() if (silent := silent_tests(source))}


def test_every_module_is_called_by_what_it_is() -> None:
    assert not {name for name in SOURCES if VAGUE_NAMES & {Path(name).stem, Path(name).parent.name}}


def test_no_module_is_too_long_to_read_at_once() -> None:
    lengths = {name: len(source.splitlines()) for name, source in SOURCES.items()}
    assert not {name: length for name, length in lengths.items() if length > MAX_MODULE_LINES}


def test_no_function_is_too_long_to_read_at_once() -> None:
    assert not {name: long for name, source in SOURCES.items() if (long := long_functions(source))}


@pytest.mark.parametrize("statement", ["import archsim.model", "from archsim import study", "from . import study"])
def test_a_hidden_import_is_seen_however_it_is_written(statement: str) -> None:
    assert hidden_imports(f"def outer():\n    def inner():\n        {statement}\n") == {3}
    assert not hidden_imports(f"{statement}\ndef function():\n    import json\n")


@pytest.mark.parametrize(("lines", "too_long"), [(MAX_FUNCTION_LINES, False), (MAX_FUNCTION_LINES + 1, True)])
def test_the_length_of_a_function_counts_from_its_name_to_its_last_line(lines: int, too_long: bool) -> None:
    source = "@decorator\ndef function():\n" + "    pass\n" * (lines - 1)
    assert bool(long_functions(source)) == too_long
