"""What a cold run of the command line costs, against importing the libraries that it cannot do without.

A ratio within one test run holds on slow and busy machines; processor time of user and system is less noisy than the
wall clock, and a median of alternating runs less than either.
"""

import subprocess
import sys
from functools import cache
from statistics import median
from typing import NamedTuple

RUNS = 3
MAX_RATIO = 3.0
MAX_MEGABYTES = 150
COLD = ("-c", "from archsim.cli import main; main()", "run", "llama-3.1-8b-decode", "h100-sxm")
IMPORTS = ("-c", "import simpy, numpy, networkx, pydantic, yaml")
# A process inherits the peak memory of the one that started it, so a small one stands between.
LAUNCHER = """
import os, sys
child = os.posix_spawn(sys.executable, [sys.executable, *sys.argv[1:]], os.environ,
                       file_actions=[(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)])
_, status, used = os.wait4(child, 0)
print(os.waitstatus_to_exitcode(status), used.ru_utime + used.ru_stime, used.ru_maxrss)
"""


class Used(NamedTuple):
    """Seconds of a processor and megabytes at the peak."""

    seconds: float
    megabytes: float


def used(*arguments: str) -> Used:
    """What a fresh interpreter uses; it must succeed."""
    command = [sys.executable, "-I", "-S", "-c", LAUNCHER, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    code, seconds, kilobytes = done.stdout.split()
    assert code == "0", done.stderr
    return Used(float(seconds), int(kilobytes) / 1024)


@cache
def measured() -> tuple[tuple[Used, ...], tuple[Used, ...]]:
    """Alternating runs of the command line and of the imports alone."""
    pairs = [(used(*COLD), used(*IMPORTS)) for _ in range(RUNS)]
    cold, imports = zip(*pairs, strict=True)
    return cold, imports


def test_a_cold_run_takes_at_most_three_times_the_imports() -> None:
    cold, imports = (median(run.seconds for run in runs) for runs in measured())
    assert cold / imports <= MAX_RATIO, f"{cold:.2f} s against {imports:.2f} s"


def test_a_cold_run_stays_below_150_megabytes() -> None:
    cold, _ = measured()
    assert max(run.megabytes for run in cold) <= MAX_MEGABYTES
