"""Finding the data files that travel with the package: in a source checkout and in an installed wheel alike."""

from pathlib import Path

from archsim.config.diagnostics import did_you_mean, fail, listed

_PACKAGE = Path(__file__).resolve().parents[1]
SUFFIXES = (".yaml", ".yml", ".json")


def shipped(folder: str) -> dict[str, Path]:
    """The shipped files of a folder such as `hw_configs` or `workloads/models`, by name without suffix."""
    files = (path for path in (_root() / folder).glob("*") if path.suffix in SUFFIXES)
    return {path.stem: path for path in sorted(files)}


def find(argument: str, folder: str) -> Path:
    """The file that a command-line argument means: a path, else a shipped name; raise `InputError` for neither."""
    path = Path(argument)
    if "/" in argument or path.suffix in SUFFIXES or is_file(path):
        return path
    known = shipped(folder)
    if argument not in known:
        names = f"shipped: {listed(known)}" if known else "write the path of a file"
        apart = "spaces stand between names, no commas;" if "," in argument else did_you_mean(argument, known)
        way_out = f"{apart} {names}".strip()
        fail(f"there is no file and no shipped name `{argument}` in {folder}", help=way_out)
    return known[argument]


def library_path() -> Path:
    """The folder of the component library."""
    return _PACKAGE / "library"


def _root() -> Path:
    installed = _PACKAGE / "_data"
    return installed if installed.is_dir() else _PACKAGE.parent


def is_file(path: Path) -> bool:
    """Whether there is such a file; a name that no file can have is none."""
    try:
        return path.is_file()
    except OSError:
        return False
