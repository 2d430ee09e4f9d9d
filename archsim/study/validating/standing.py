"""What the page on accuracy says beside the scores: where machines stand, and what their joules hang on."""

from __future__ import annotations

from collections.abc import Iterator

from archsim.config.document import load
from archsim.config.shipped import shipped
from archsim.model.uncertainty import band, dominant
from archsim.model.validity import validities
from archsim.reports.accuracy.document import Standing, Weakness
from archsim.study.checking import check_hardware
from archsim.study.files import HARDWARE_FOLDER
from archsim.study.running import run

_PAIRS = (
    ("llama-3.1-8b-decode", "h100-sxm"),
    ("qwen3-30b-a3b-decode", "h100-sxm"),
    ("llama-3.1-8b-decode", "wse-3"),
    ("granite-3b-decode", "northpole-x16"),
    ("llama-3.1-8b-decode", "pim-gpu"),
)
"""Runs whose weakest constants are told: one for each class of machine that has figures of its own."""


def standings() -> Iterator[Standing]:
    """Every shipped machine that says what it was held against."""
    for name, path in shipped(HARDWARE_FOLDER).items():
        header = check_hardware(load(path, HARDWARE_FOLDER)).header
        if header.validated is not None:
            families = header.validated.time.families or ("",)
            found = validities(header, families[0], edited=False)
            yield Standing(name, found.time.told, found.energy.told)


def weaknesses() -> Iterator[Weakness]:
    """The constants that dominate the band of some runs."""
    for workload, hardware in _PAIRS:
        result = run(workload, hardware).result
        found = dominant(result.constants)
        edges = band(result.constants)
        joules = result.energy.value / result.tokens
        named = tuple((item.component, item.action, item.share, item.source) for item in found)
        yield Weakness(workload, hardware, joules, edges.p05, edges.p95, named)
