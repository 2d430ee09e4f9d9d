"""The finding on states and caches: its page is current, and its bytes are those of closed forms."""

import runpy
from pathlib import Path
from typing import Any

import pytest

FOLDER = Path(__file__).parents[2] / "docs" / "findings"
STUDY: dict[str, Any] = runpy.run_path(str(FOLDER / "ssm_against_attention.py"))
KV = {"pythia-2.8b": 2 * 32 * 32 * 80 * 2, "llama-3.2-3b": 2 * 28 * 8 * 128 * 2}
STATE = 2 * 64 * (80 * 64 * 128 * 4 + 3 * (80 * 64 + 2 * 128) * 2)
"""Read and written: states in fp32, and three earlier inputs of each channel of the convolutions in bf16."""


def test_the_page_is_what_make_findings_writes() -> None:
    assert (FOLDER / "ssm-against-attention.md").read_text(encoding="utf-8") == STUDY["page"]()


@pytest.mark.parametrize("model", KV)
@pytest.mark.parametrize("context", [1024, 131072])
def test_a_cache_is_read_once_and_a_token_appended(model: str, context: int) -> None:
    assert STUDY["token"](model, 1, context).held == KV[model] * (context + 1)


@pytest.mark.parametrize("context", [1024, 131072])
def test_a_state_is_read_and_written_whatever_the_context(context: int) -> None:
    assert STUDY["token"](STUDY["STATE"], 1, context).held == STATE


def test_they_are_close_at_1k_and_far_apart_at_128k() -> None:
    joules = [STUDY["saving"]("pythia-2.8b", 1, context, lambda found: found.joules) for context in (1024, 131072)]
    assert joules[0] == pytest.approx(0, abs=0.05)
    assert joules[1] > 0.85


def test_what_parts_them_is_the_cache() -> None:
    """From 64k to 128k tokens, time grows by the bytes of the cache over what the memory sustains, within 2 %."""
    near, far = (STUDY["token"]("pythia-2.8b", 1, context) for context in (65536, 131072))
    sustained = 3.35e12 * 0.895
    assert far.seconds - near.seconds == pytest.approx(KV["pythia-2.8b"] * 65536 / sustained, rel=0.02)
