"""Files that are whole or not there at all."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from archsim.config.diagnostics import fail


def write_whole(path: Path, content: str | bytes) -> None:
    """Write beside the file, then put it in its place: nobody sees half of it, an interrupt leaves the old one."""
    write_together({path: content})


def write_together(files: Mapping[Path, str | bytes]) -> None:
    """Write beside all the files, then put them in their places: who is interrupted in writing leaves all old ones."""
    besides = {path: path.with_name(f".{path.name}.{os.getpid()}") for path in files}
    path = Path()
    try:
        for path, content in files.items():
            besides[path].write_bytes(content.encode() if isinstance(content, str) else content)
        for path, beside in besides.items():
            beside.replace(path)
    except OSError as error:
        fail(f"cannot write {path}: {(error.strerror or str(error)).lower()}")
    finally:
        for beside in besides.values():
            beside.unlink(missing_ok=True)


def prepare(folder: Path) -> None:
    """Make the folder before anything is simulated; raise `InputError` where nothing could be written to it."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / f".{os.getpid()}"
        probe.touch()
        probe.unlink()
    except OSError as error:
        fail(f"cannot write to the folder {folder}: {(error.strerror or str(error)).lower()}")
