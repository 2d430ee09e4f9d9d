"""Fit what a server adds to a step, on the cases of a suite, and say how well it predicts a model that was left out.

    python validation/fit_served.py validation/served-tpot-h100.yaml

Two constants: milliseconds of a step, and nanoseconds for each logit. The time of a step is linear in both, so the
stack's own are what the fit adds to; robust least squares of relative errors (soft-L1, scale 5 %).
"""

from __future__ import annotations

import sys
from pathlib import Path
from string import Template
from typing import NamedTuple

import numpy as np
import yaml
from numpy.typing import NDArray

from archsim.study.running import run
from archsim.workloads.decoder import DecoderWorkload

Floats = NDArray[np.float64]

SCALE, ROUNDS = 0.05, 60


class Points(NamedTuple):
    """Cases: their models, simulated and measured milliseconds, and what a step of each has of the two constants."""

    models: list[str]
    simulated: Floats
    measured: Floats
    terms: Floats

    def where(self, model: str, *, left_out: bool) -> Points:
        """The points of a model, or those of all others."""
        kept = np.array([(name == model) != left_out for name in self.models])
        models = [name for name, keep in zip(self.models, kept, strict=True) if keep]
        return Points(models, self.simulated[kept], self.measured[kept], self.terms[kept])


def points(path: str) -> Points:
    """The cases of a suite, each simulated with the stack as it is."""
    suite = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    rows = [dict(zip(suite["columns"], case, strict=True)) for case in suite["cases"]]
    settings, times, terms = suite["settings"], [], []
    for row in rows:
        sets = [Template(text).substitute(row) for text in settings["sets"]]
        found = run(row["workload"], settings["hardware"], sets)
        times.append((found.result.latency.tpot_s or 0.0) * 1e3)
        workload = found.job.workload
        if not isinstance(workload, DecoderWorkload):
            sys.exit(f"{row['workload']} has no logits")
        terms.append((1.0, workload.batch * workload.model.vocabulary * 1e-6))
    measured = np.array([row["measured"] for row in rows])
    return Points([row["workload"] for row in rows], np.array(times), measured, np.array(terms))


def fitted(at: Points) -> Floats:
    """What to add to the stack's two constants: milliseconds and nanoseconds."""
    weights: Floats = np.ones(len(at.models))
    found: Floats = np.zeros(2)
    for _ in range(ROUNDS):
        scaled = (weights / at.measured)[:, None]
        solved = np.linalg.lstsq(at.terms * scaled, (at.measured - at.simulated) * scaled[:, 0], rcond=None)[0]
        found = np.asarray(solved, dtype=np.float64)
        weights = (1 + (errors(at, found) / SCALE) ** 2) ** -0.25
    return found


def errors(at: Points, found: Floats) -> Floats:
    """Signed relative errors with the constants moved."""
    moved: Floats = (at.simulated + at.terms @ found) / at.measured - 1
    return moved


def main(path: str) -> None:
    """Print what to add, in all and with each model left out, and the errors."""
    known = points(path)
    _say("all", fitted(known), errors(known, fitted(known)))
    unseen = []
    for model in dict.fromkeys(known.models):
        found = fitted(known.where(model, left_out=True))
        unseen.append(errors(known.where(model, left_out=False), found))
        _say(f"without {model}", found, unseen[-1])
    _say("left out in turn", np.full(2, np.nan), np.concatenate(unseen))


def _say(what: str, found: Floats, off: Floats) -> None:
    median, most = np.quantile(abs(off), (0.5, 0.9))
    sys.stdout.write(f"{what:40} {found[0]:+.3f} ms {found[1]:+.3f} ns  {median:6.1%} {most:6.1%}\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
