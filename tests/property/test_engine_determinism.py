"""The same graph gives the same bytes, whatever the hash seed."""

import os
import subprocess
import sys

SCRIPT = """
import random
from archsim.engine.simulate import simulate
from archsim.model.taskgraph import TICKS, Flow, Leg, Port, Segment, Task, TaskGraph

draw = random.Random(7)
ports = [Port(name, "move") for name in "abcdefgh"]
tasks = []
for number in range(60):
    own = draw.randrange(1, 10**6) * TICKS // 7
    loads = tuple((port, own // draw.randrange(1, 4)) for port in draw.sample(ports, 3))
    leg = Leg("a", "move", f"t{number % 5}", 7, 7, 1)
    flow = Flow((leg,), own, loads, lead=draw.randrange(1, 10**6), weight=number + 1)
    taken = ((f"b{number % 3}", 1),)
    labels = (f"l{number % 7}",), (f"l{number % 5}",)
    tasks.append(Task(f"op{number % 11}", "decode", (flow,), 0, *labels, taken, taken))
graph = TaskGraph((Segment(tuple(tasks), 3, "done"),), (("b0", 4), ("b1", 3), ("b2", 2)))
print(simulate(graph))
"""


def printed(seed: int) -> str:
    environment = {**os.environ, "PYTHONHASHSEED": str(seed)}
    done = subprocess.run([sys.executable, "-c", SCRIPT], env=environment, capture_output=True, text=True, check=True)
    return done.stdout


def test_a_run_does_not_depend_on_the_hash_seed() -> None:
    first, *others = (printed(seed) for seed in (0, 1, 4242))
    assert "picoseconds=" in first
    assert others == [first, first]
