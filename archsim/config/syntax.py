"""What to do about text that is no YAML: a way out for each complaint of the parser."""

import re
from collections.abc import Sequence

import yaml

_SPACES = "indent with spaces, not with tabs"
_COLON = "a key ends in a colon and a space; a text with `: ` in it is quoted"

_WAYS_OUT = {
    "did not find expected key": "keys of one mapping begin in the same column",
    "did not find expected '-' indicator": "items of one list begin in the same column, each with `- `",
    "could not find expected ':'": _COLON,
    "mapping values are not allowed": _COLON,
    "found a tab": _SPACES,
    "found character '\\\\t'": _SPACES,
    "found unknown escape character": "in double quotes a backslash is written twice; single quotes take it as it is",
    "did not find expected alphabetic or numeric character": "a text that begins with `*` or `&` is quoted",
    "found undefined tag handle": "a text that begins with `!` is quoted",
}


def way_out(error: yaml.MarkedYAMLError, lines: Sequence[str]) -> str:
    """What to write instead; empty where nothing is known to help. `lines` are those of the text, or what is shown."""
    problem, at, opened = error.problem or "", error.problem_mark, error.context_mark
    if "cannot start any token" in problem and at is not None:
        sign = lines[at.line][at.column : at.column + 1] if at.line < len(lines) else ""
        return _SPACES if sign == "\t" else f"a text that begins with `{sign}` is quoted"
    if opened is not None and "unexpected end of stream" in problem:
        return f"the quote that opens in line {opened.line + 1} is not closed"
    if opened is not None and (bracket := re.search(r"',' or '([]}])'", problem)):
        return f"a `{bracket[1]}` or a comma is missing: the bracket opens in line {opened.line + 1}"
    return next((way for start, way in _WAYS_OUT.items() if start in problem), "")
