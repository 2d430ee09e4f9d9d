"""How long the band of an energy takes: 10,000 draws of every constant of a real run."""

from pytest_benchmark.fixture import BenchmarkFixture

from archsim.model import uncertainty
from archsim.study.running import run

MOST_SECONDS = 0.1


def test_ten_thousand_draws_of_a_run(benchmark: BenchmarkFixture) -> None:
    found = run("llama-3.1-8b-decode", "pim-gpu").result.constants
    assert len(found.figures) > 8

    def afresh() -> uncertainty.Band:
        uncertainty.shares_of.cache_clear()
        uncertainty.draws.cache_clear()
        return uncertainty.band(found)

    tails = benchmark(afresh)
    assert tails.p05 < tails.p95
    if benchmark.stats is not None:
        assert benchmark.stats.stats.median < MOST_SECONDS
