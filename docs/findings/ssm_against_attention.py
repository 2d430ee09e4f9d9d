"""Write docs/findings/ssm-against-attention.md: a state against caches of keys and values, by length of the context.

python docs/findings/ssm_against_attention.py docs/findings/ssm-against-attention.md
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import NamedTuple

from archsim.config.diagnostics import InputError
from archsim.study.running import run

MACHINE = "h100-sxm"
STATE = "mamba-2-2.7b"
CACHES = {"pythia-2.8b": "Pythia-2.8B (32 KV heads)", "llama-3.2-3b": "Llama-3.2-3B (8 KV heads)"}
CONTEXTS = tuple(1024 * 2**step for step in range(8))
BATCHES = (1, 16)
SAVINGS = {"nothing": 0.0, "10 %": 0.1, "half": 0.5}

_LEAST, _MOST = 16, CONTEXTS[-1]


_OPENING = """\
# A state against a cache: where a state-space model pulls ahead

One decode step of Mamba-2 2.7B and of attention models of its size on one H100 (bf16, state in fp32, `archsim run`).
Written by `make findings`; a test holds it to what archsim says today. Joules are the board's. Mamba-2's scan stands on
kernels of a gated delta net, and none of the three was measured end to end: read ratios, not digits.
"""

_CLOSING = """\
## Why

- **The KV term grows, the state does not.** A token of context costs Pythia 2 x 32 layers x 32 heads x 80 values x 2 B
  = 327,680 B of reads in each step, Llama-3.2-3B 2 x 28 x 8 x 128 x 2 B = 114,688 B. Mamba-2 reads and writes 2 x 64
  layers x 80 heads x 64 x 128 x 4 B = 336 MB of state whatever the context, and 4 MB of inputs that its convolutions
  see. That is Pythia's cache at 1,037 tokens, and Llama's at 2,962.
- One sequence has all weights (5.3 to 6.4 GB) read for it alone, which hides the difference at 1k; many sequences share
  them, and only the term of each stays. Llama-3.2-3B has 1 GB more of them, so alone it never reads fewer bytes.
- Eight KV heads in place of 32 move the crossings to up to three times the context: grouping heads and a state of fixed
  size buy the same thing.
- Attention also multiplies: each cached value is issued for 64 padded query rows, so joules part before time does.
"""


class Token(NamedTuple):
    """One token of each of a batch of sequences: seconds, joules of one, and bytes of HBM that one moves by tensor."""

    seconds: float
    joules: float
    weights: float
    held: float


@cache
def token(model: str, batch: int, context: int) -> Token | None:
    """A decode step that sees so many tokens; None where its cache does not fit."""
    sets = (f"workload.batch={batch}", f"workload.prompt_tokens={context - 1}", "workload.output_tokens=1")
    try:
        result = run(f"{model}-decode", MACHINE, sets).result
    except InputError:
        return None
    moved = {"weights": 0, "kv": 0, "state": 0}
    for row in (entry.row for entry in result.entries):
        if row.component == "hbm" and row.unit == "B" and row.tensor in moved:
            moved[row.tensor] += row.count
    held = (moved["kv"] + moved["state"]) / batch
    return Token(result.latency.total_s, result.energy.value / batch, moved["weights"] / batch, held)


def saving(model: str, batch: int, context: int, figure: Callable[[Token], float]) -> float | None:
    """What the state saves of a figure against a cache, as a share of the latter."""
    ours, theirs = token(STATE, batch, context), token(model, batch, context)
    return None if ours is None or theirs is None else 1 - figure(ours) / figure(theirs)


def crossing(model: str, batch: int, share: float, figure: Callable[[Token], float]) -> str:
    """The context from which on the state saves a share, found by halving, to two digits."""
    low, high = _LEAST, _MOST
    while high - low > max(1, low // 100):
        middle = (low + high) // 2
        saved = saving(model, batch, middle, figure)
        low, high = (low, middle) if saved is None or saved >= share else (middle, high)
    saved = saving(model, batch, high, figure)
    if saved is None or saved < share:
        return "not while it fits"
    return f"below {_LEAST}" if low == _LEAST else _rounded(high)


def by_bytes(model: str, batch: int, share: float) -> str:
    """The same from bytes of HBM alone: weights + state against weights + cache x context."""
    ours, theirs, longer = (token(*at) for at in ((STATE, batch, 1024), (model, batch, 1024), (model, batch, 2048)))
    if ours is None or theirs is None or longer is None:
        return "not while it fits"
    slope = (longer.held - theirs.held) / 1024
    fixed = theirs.held - 1024 * slope  # what is appended
    context = ((ours.weights + ours.held) / (1 - share) - theirs.weights - fixed) / slope
    return _rounded(context) if context > _LEAST else f"below {_LEAST}"


def _rounded(context: float) -> str:
    return f"{float(f'{context:.2g}'):,.0f}"


def page() -> str:
    """The finding as Markdown."""
    return "\n".join((_OPENING, *_by_context(), *_crossings(), _CLOSING))


def _by_context() -> list[str]:
    head = [
        f"{name} {unit}"
        for name in ("Mamba-2", *(text.split(" ")[0] for text in CACHES.values()))
        for unit in ("ms", "J")
    ]
    lines = [
        "## One sequence, by context",
        "",
        f"| context | {' | '.join(head)} | J of Pythia in reading keys and values |",
    ]
    lines.append("|---" * (len(head) + 2) + "|")
    for context in CONTEXTS:
        cells = []
        for model in (STATE, *CACHES):
            found = token(model, 1, context)
            cells += ["does not fit"] * 2 if found is None else [f"{found.seconds * 1e3:.2f}", f"{found.joules:.3f}"]
        lines.append(f"| {context // 1024}k | {' | '.join(cells)} | {_of_cache(context):.0%} |")
    return [*lines, ""]


def _of_cache(context: int) -> float:
    """The KV term: what joules have grown by since a context of one, as a share."""
    found, none = token("pythia-2.8b", 1, context), token("pythia-2.8b", 1, _LEAST)
    return 0.0 if found is None or none is None else 1 - none.joules / found.joules


def _crossings() -> list[str]:
    lines = ["## Where it pulls ahead", ""]
    lines.append(
        "From which context on Mamba-2 saves so much of a token's joules or time, simulated, and from bytes alone:"
    )
    lines += ["", "| against | sequences | saves | joules | time | bytes alone |", "|---|---|---|---|---|---|"]
    for model, name in CACHES.items():
        for batch in BATCHES:
            for text, share in SAVINGS.items():
                joules = crossing(model, batch, share, lambda found: found.joules)
                seconds = crossing(model, batch, share, lambda found: found.seconds)
                lines.append(f"| {name} | {batch} | {text} | {joules} | {seconds} | {by_bytes(model, batch, share)} |")
    return [*lines, ""]


def main(target: str) -> None:
    """Write the page."""
    Path(target).write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
