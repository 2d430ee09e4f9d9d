"""docs/performance.md is current: how events grow, and that each job has its row (benchmarks/ hold the rows to it)."""

import pytest

from archsim.engine.simulate import simulate
from benchmarks.growth import GROWTH, Series
from benchmarks.jobs import JOBS
from benchmarks.pairs import forget
from benchmarks.told import PAGE, rows


@pytest.mark.parametrize("series", GROWTH, ids=lambda series: series.name)
def test_the_growth_of_events_is_that_on_the_page(series: Series) -> None:
    forget()
    events = {size: simulate(program(), repeats=series.repeats).events for size, program in series.programs.items()}
    assert [row[2:4] for row in rows(series.name)] == [[str(size), str(count)] for size, count in events.items()]


def test_nothing_on_the_page_is_without_a_job() -> None:
    lines = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| ")]
    told = sum(line.count("|") == 9 for line in lines) - 1, sum(line.count("|") == 6 for line in lines) - 1
    assert told == (len(JOBS), sum(len(series.programs) for series in GROWTH))
