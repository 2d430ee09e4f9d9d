"""Replay how many answers are in flight where a cache is full, and say which variation of their lengths gives as many.

    python validation/replay_served.py

Published are the sequences in flight (`avg_batch`) and the average answer of Qwen3-8B on GPQA, 198 questions at once on
one H100, up to 64 and 96 in flight (ML.ENERGY Benchmark v3.0, github.com/ml-energy/leaderboard @0cd52dab). Prompts of
270 tokens are assumed. vLLM 0.11 admits requests first come, first served, while their tokens fit; where the next step
does not fit it takes the youngest out, whose tokens are read again when it comes back. A step takes as long as its
bytes, weights and caches. The replay ends when no request waits, as the benchmark does.
"""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Sequence
from random import Random
from statistics import fmean, pstdev

from archsim.model.answers import lengths

QUESTIONS, PROMPT, SEEDS = 198, 270, 100
TOKEN = 2 * 36 * 8 * 128 * 2
WEIGHTS = 16_380_000_000
CACHE = (9 * 80 * 2**30 // 10 - WEIGHTS - 2_000_000_000) // TOKEN
"""Tokens: `gpu_memory_utilization` 0.9 of 80 GiB, less weights and 2 GB of activations and graphs."""

PUBLISHED = {64: (8366.6, 63.28), 96: (8052.4, 81.99)}
"""By sequences allowed: tokens of an average answer, and sequences in flight."""

VARIATIONS = (0.2, 0.4, 0.5, 0.6, 0.8, 1.0)


def in_flight(answers: Sequence[int], places: int) -> float:
    """Sequences in flight, averaged over the time until no request waits."""
    waiting = deque((PROMPT, answer) for answer in answers)  # tokens held when admitted, and tokens still to come
    running: list[tuple[int, int]] = []
    flown = spent = 0.0
    while True:
        used = sum(held for held, _ in running)
        while waiting and len(running) < places and used + waiting[0][0] + len(running) < CACHE:
            used += waiting[0][0]
            running.append(waiting.popleft())
        if not waiting:
            return flown / spent
        steps = min(*(left for _, left in running), (CACHE - used) // len(running))
        if not steps:
            waiting.appendleft(running.pop())
            continue
        time = steps * (WEIGHTS + TOKEN * (used + steps * len(running) / 2))
        flown, spent = flown + time * len(running), spent + time
        running = [(held + steps, left - steps) for held, left in running if left > steps]


def replayed(places: int, variation: float) -> str:
    """The mean and the spread of many drawings, each of which has the published average."""
    found = [in_flight(_answers(places, variation, seed), places) for seed in range(SEEDS)]
    return f"{fmean(found):5.1f} +- {pstdev(found):.1f}"


def _answers(places: int, variation: float, seed: int) -> list[int]:
    drawn = lengths(QUESTIONS, variation, Random(seed))
    scale = PUBLISHED[places][0] / fmean(drawn)
    return [max(1, round(scale * length)) for length in drawn]


def main() -> None:
    """Print what was published, and what each variation leaves in flight."""
    sys.stdout.write(f"cache of {CACHE:,} tokens\n")
    _say("published", [f"{flying:5.1f}" for _, flying in PUBLISHED.values()])
    for variation in VARIATIONS:
        _say(f"variation {variation}", [replayed(places, variation) for places in PUBLISHED])


def _say(what: str, figures: Sequence[str]) -> None:
    shown = "  ".join(f"{figure:12} of {places}" for places, figure in zip(PUBLISHED, figures, strict=True))
    sys.stdout.write(f"{what:14} {shown}\n")


if __name__ == "__main__":
    main()
