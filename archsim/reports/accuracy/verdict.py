"""A validation in a few sentences."""

from __future__ import annotations

from archsim.reports.accuracy.scores import Suite, Validation
from archsim.reports.quantities import counted


def verdict(validation: Validation) -> tuple[str, ...]:
    """How many suites reach their target, which don't, and where a trivial law does as well."""
    suites = [suite for suite in validation.suites if not suite.unscored]
    cases = sum(len(suite.scored) for suite in suites)
    aimed = [suite for suite in suites if suite.target]
    reached = [suite for suite in aimed if at_target(suite)]
    told = f"{counted(cases, 'case')} in {counted(len(suites), 'suite')}"
    said = [f"{told}: {len(reached)} of {len(aimed)} reach the median error that they aim at."]
    missed = [suite.name for suite in aimed if suite not in reached]
    if missed:
        said.append(f"Above their target: {', '.join(missed)}.")
    beaten = [suite.name for suite in suites if suite.beats_baseline is False]
    if beaten:
        said.append(f"A trivial law, fitted on the very cases, does as well or better on {', '.join(beaten)}.")
    shown = [suite.name for suite in validation.suites if suite.unscored]
    if shown:
        said.append(f"Shown and not scored: {', '.join(shown)}.")
    fallen = [suite.name for suite in suites if not suite.holds]
    if fallen:
        said.append(f"Worse than recorded: {', '.join(fallen)}.")
    return tuple(said)


def at_target(suite: Suite) -> bool:
    """Whether the median error is no larger than it should be."""
    return bool(suite.target and suite.median_error is not None and suite.median_error <= suite.target.median)
