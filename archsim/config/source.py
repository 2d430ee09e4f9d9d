"""Reading a text file that may be anything at all."""

import re
from hashlib import sha256
from pathlib import Path

from archsim.config.diagnostics import Position, did_you_mean, fail

MAX_BYTES = 8_000_000
_CONTROL = re.compile(r"[\0-\x08\x0e-\x1f]")


def read_source(path: Path) -> str:
    """The text of a UTF-8 file of at most 8 MB; raise `InputError` for anything else."""
    content = _read_bytes(path)
    if len(content) > MAX_BYTES:
        fail(f"larger than {MAX_BYTES // 1_000_000} MB", _start(path))
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        text = content.decode("utf-8", errors="replace")
        column = len(content[: error.start].decode("utf-8"))
        where = _position_of(path, text, column)
        fail(f"not UTF-8 text: byte 0x{content[error.start]:02x}", where, "save the file as UTF-8" * bool(where.text))
    if "\0" in text:
        fail("not text: it contains a NUL byte", _position_of(path, text, text.index("\0")))
    return text


def digest(text: str) -> str:
    """The SHA-256 of the file whose text `read_source` returned."""
    return sha256(text.encode("utf-8")).hexdigest()


def split_lines(text: str) -> list[str]:
    """Split at the line breaks that YAML knows, so that line numbers agree with the parser's."""
    return re.split("\r\n|[\r\n\x85\u2028\u2029]", text)


def _read_bytes(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:  # ValueError: a path with a NUL in it
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        fail(f"cannot read the file: {reason.lower()}", Position(str(path), 1, 1, 0, ""), _alike(path))


def _alike(path: Path) -> str:
    """The nearest name of a file that stands where this one does not."""
    try:
        beside = [] if path.exists() else [file.name for file in path.parent.iterdir()]
    except (OSError, ValueError):
        return ""
    return did_you_mean(path.name, (name for name in beside if name != path.name and name[:1] == path.name[:1]))


def _start(path: Path) -> Position:
    return Position(str(path), 1, 1, 1, "")


def _position_of(path: Path, text: str, index: int) -> Position:
    """Where a sign stands, with its line; without, where more than one of its kind say that the file is no text."""
    before = split_lines(text[:index])
    binary = len(_CONTROL.findall(text)) > 1
    return Position(
        str(path), len(before), len(before[-1]) + 1, 1, "" if binary else split_lines(text)[len(before) - 1]
    )
