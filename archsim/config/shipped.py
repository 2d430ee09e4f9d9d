"""Finding the data files that travel with the package: in a source checkout and in an installed wheel alike."""

from collections.abc import Callable
from pathlib import Path

from archsim.config.diagnostics import did_you_mean, fail, listed

_PACKAGE = Path(__file__).resolve().parents[1]
SUFFIXES = (".yaml", ".yml", ".json")


def shipped(*folders: str) -> dict[str, Path]:
    """The shipped files of folders such as `hw_configs` or `workloads/models`, by name without suffix."""
    found = ([path for path in (_root() / folder).glob("*") if path.suffix in SUFFIXES] for folder in folders)
    return {path.stem: path for paths in found for path in sorted(paths)}


def find(argument: str, *folders: str) -> Path:
    """The file that a command-line argument means: a path, else a shipped name; raise `InputError` for neither."""
    path = Path(argument)
    if "/" in argument or path.suffix in SUFFIXES or is_file(path):
        return path
    known = shipped(*folders)
    if argument not in known:
        if _holds(path.is_dir):
            fail(f"`{argument}` is a folder, and a file is asked for")
        names = f"shipped: {listed(known)}" if known else "write the path of a file"
        apart = "spaces stand between names, no commas;" if "," in argument else did_you_mean(argument, known)
        way_out = f"{apart} {names}".strip()
        where = " or ".join(folders)
        fail(f"there is no file and no shipped name `{argument}` in {where}", help=way_out)
    return known[argument]


def library_path() -> Path:
    """The folder of the component library."""
    return _PACKAGE / "library"


def _root() -> Path:
    installed = _PACKAGE / "_data"
    return installed if installed.is_dir() else _PACKAGE.parent


def is_file(path: Path) -> bool:
    """Whether there is such a file; a name that no file can have is none."""
    return _holds(path.is_file)


def _holds(asked: Callable[[], bool]) -> bool:
    try:
        return asked()
    except OSError:
        return False
