"""docs/accuracy.md: what is validated, to what error and on what, what is not, and which constants are weakest."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from archsim.reports.accuracy.markdown import suites_table
from archsim.reports.accuracy.scores import Suite, Validation
from archsim.reports.accuracy.verdict import verdict
from archsim.reports.accuracy.words import cross_validated, share
from archsim.reports.gfm import plain, table
from archsim.reports.quantities import interval, percent, si

BEGIN, END = "<!-- in short: made by `make accuracy` -->", "<!-- end of in short -->"
"""What lies between stands in the README too."""

_BETWEEN, _TELLING = " · ", 0.01
"""What stands between the figures of a group, and the share of the variance that makes a constant worth a line."""

_ACROSS = "transfer-"
"""How the names of suites begin in which nothing was fitted on the device that is predicted."""

_MADE = """\
*Made by `make accuracy` from the suites in [validation/](../validation); a test fails where it is not current.
`archsim validate -o DIR` writes the same with a page of scatter plots.*"""
_ERRORS = """\
Errors are |predicted / measured − 1|. A trivial law stands beside each suite, its parameters fitted on the very cases:
a prediction that does not beat it has explained nothing there. Cross-validation frees the constants that a suite names;
all others stay as they are, and were chosen with every row known.

![Predicted against measured times, one dot for each case](accuracy.svg)"""
_UNSEEN = """\
Joules have fewer witnesses than nanoseconds: no public data set gives the energy of single kernels on A100 or H100. Not
validated at all: serving queues and chunked prefill; prices of L2, shared memory and vector work, which no public
measurement tells apart; the energy of links and collectives; HBM rows under random access; temperature and data
content; and every machine that is in no suite. Where a machine stands:"""
_WEAK = """\
The constants that the joules of some runs are least sure for, by their share of the variance, three at most:"""


class Standing(NamedTuple):
    """What a shipped machine says that its time and its energy were held against."""

    machine: str
    time: str
    energy: str


class Weakness(NamedTuple):
    """A run, its joules per token with the 5th and 95th percentile, and the constants that they are least sure for."""

    workload: str
    machine: str
    joules: float
    low: float
    high: float
    constants: tuple[tuple[str, str, float, str], ...]


def render(validation: Validation, standings: Sequence[Standing], weaknesses: Sequence[Weakness]) -> str:
    """The page; the same scores make the same bytes."""
    sections = (
        _opening(validation),
        f"{BEGIN}\n\n{in_short(validation)}\n\n{END}",
        f"## Suite by suite\n\n{suites_table(validation.suites)}",
        *_each(validation.suites),
        _across(validation),
        _not(standings),
        _weakest(weaknesses),
    )
    return "\n\n".join(section for section in sections if section) + "\n"


def _opening(validation: Validation) -> str:
    return "\n\n".join(("# Accuracy", _MADE, " ".join(verdict(validation)), _ERRORS))


def in_short(validation: Validation) -> str:
    """A line for each group of suites, the figures of its suites side by side."""
    groups: dict[str, list[Suite]] = {}
    for suite in validation.suites:
        groups.setdefault(suite.group, []).append(suite)
    return table(
        "llrrrr",
        ("what", "of", "cases", "median error", "90th percentile", "trivial law"),
        (_short(name, suites) for name, suites in groups.items()),
    )


def _short(name: str, suites: Sequence[Suite]) -> tuple[str, ...]:
    counts = dict.fromkeys(str(len(suite.scored)) for suite in suites)
    columns = (
        (suite.of for suite in suites),
        counts if len(counts) == 1 else (str(len(suite.scored)) for suite in suites),
        (share(suite.median_error, suite.zero) for suite in suites),
        (share(suite.p90_error, suite.zero) for suite in suites),
        (share(suite.baseline_median_error) for suite in suites),
    )
    return name, *(_BETWEEN.join(cells) for cells in columns)


def _each(suites: Iterable[Suite]) -> Iterator[str]:
    for suite in suites:
        lines = [f"### {suite.name}", plain(suite.about), f"- source: {plain(suite.source)}"]
        lines += [f"- cases: {plain(suite.sampling)}", f"- fitted on: {plain(suite.independence)}"]
        lines += [f"- cross-validated: {plain(cross_validated(suite.unseen))}"] if suite.unseen else []
        unbeaten = f"; not beaten: {plain(suite.unbeaten)}" if suite.beats_baseline is False and suite.unbeaten else ""
        lines += [f"- trivial law: {plain(suite.baseline)}{unbeaten}"] if suite.baseline else []
        lines += [f"- not scored: {plain(suite.unscored)}"] if suite.unscored else []
        lines += [f"- missed: {plain(suite.miss)}"] if suite.miss else []
        yield "\n\n".join(lines[:2]) + "\n\n" + "\n".join(lines[2:])


def _across(validation: Validation) -> str:
    """Suites on a device whose own measurements nothing was fitted on."""
    suites = [suite for suite in validation.suites if suite.name.startswith(_ACROSS)]
    if not suites:
        return ""
    rows = ((suite.title, share(suite.median_error), share(suite.p90_error), suite.independence) for suite in suites)
    headings = ("what", "median error", "90th percentile", "what is predicted from what")
    return f"## Across devices\n\n{table('lrrl', headings, rows)}"


def _not(standings: Sequence[Standing]) -> str:
    return f"## What is not validated\n\n{_UNSEEN}\n\n" + table("lll", ("machine", "time", "energy"), standings)


def _weakest(weaknesses: Sequence[Weakness]) -> str:
    headings = ("run", "J/token", "5 to 95 %", "constant", "share", "where it comes from")
    rows = (line for item in weaknesses for line in _weak(item))
    return f"## Which constants are weakest\n\n{_WEAK}\n\n" + table("lrrlrl", headings, rows)


def _weak(item: Weakness) -> Iterator[tuple[str, ...]]:
    run = (f"{item.workload} on {item.machine}", si(item.joules, "J"), interval(item.low, item.high, "J"))
    for component, action, of_variance, source in item.constants:
        if of_variance >= _TELLING:
            yield *run, f"{component} {action}".replace("_", " "), percent(of_variance), source
