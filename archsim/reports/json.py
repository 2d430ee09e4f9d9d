"""The result as one JSON object, by the schema `archsim.result/1`."""

from __future__ import annotations

import json

from archsim.model.result import Result
from archsim.reports.document import document

KIND = "json"
FILENAME = "result.json"


def render(result: Result) -> str:
    """The object with its keys in the order of the schema.

    Raises:
        ValueError: if a figure is no number; JSON has none such.
    """
    return json.dumps(document(result), indent=2, ensure_ascii=False, allow_nan=False) + "\n"
