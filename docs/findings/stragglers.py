"""Write docs/findings/stragglers.md: what devices cost that are not alike, under tensor parallelism.

python docs/findings/stragglers.py docs/findings/stragglers.md
"""

from __future__ import annotations

import sys
from functools import cache
from pathlib import Path
from typing import NamedTuple

from archsim.model.taskgraph import PS_PER_SECOND
from archsim.reports.apart import waiting
from archsim.study.running import run

MACHINE, MODEL = "dgx-h100", "llama-3.1-70b-decode"
ALIKE = "explicit=true"
CASES = {
    "all alike": ALIKE,
    "one device, kernels 5 % longer": "stragglers={count: 1, slowdown: 1.05}",
    "one device, kernels 10 % longer": "stragglers={count: 1, slowdown: 1.1}",
    "one device, kernels 20 % longer": "stragglers={count: 1, slowdown: 1.2}",
    "all eight devices, kernels 10 % longer": "stragglers={count: 8, slowdown: 1.1}",
    "one device, SMs, L2 and crossbar 10 % slower": "stragglers={count: 1, slowdown: 1.1, parts: [sm, l2, xbar]}",
    "one device, HBM 10 % slower": "stragglers={count: 1, slowdown: 1.1, parts: [hbm]}",
    "kernels vary by 1 %": "variation=0.01",
    "kernels vary by 3 %": "variation=0.03",
    "kernels vary by 10 %": "variation=0.1",
}
SLOW = "one device, kernels 10 % longer"
EXPERTS, BATCHES = ("deepseek-v3-decode", "dgx-h200"), (1, 32, 128)
WORK = {
    "1 sequence": (),
    "16 sequences": ("workload.batch=16",),
    "128 sequences": ("workload.batch=128",),
    "a prompt of 2,048 tokens": ("workload.prompt_cached=false",),
}
UNLIKE = {
    "kernels 10 % longer": CASES[SLOW],
    "SMs, L2, crossbar 10 % slower": CASES["one device, SMs, L2 and crossbar 10 % slower"],
    "HBM 10 % slower": CASES["one device, HBM 10 % slower"],
    "kernels vary by 3 %": CASES["kernels vary by 3 %"],
}

_OPENING = """\
# What a straggler costs

Under tensor parallelism all devices wait for the slowest at every collective. One decode step of Llama-3.1-70B (fp8
weights, one sequence, 2,048 tokens of context) on the eight boards of a DGX H100, each simulated by itself. Written by
`make findings`; a test holds it to what archsim says today. No measurement of unlike boards stands behind it: that
devices wait is arithmetic, how unlike real ones are is yours to say.

## How to ask

In a hardware file, or by `--set hardware.mapper.…` on the command line
([decision 165](../decisions/165-each-device-by-itself.md)):

```yaml
extends: dgx-h100
name: DGX H100 with one slow board
mapper:
  stragglers: {count: 1, slowdown: 1.1}                        # its kernels take 10 % longer
# stragglers: {count: 1, slowdown: 1.1, parts: [sm, l2, xbar]} # these parts of it serve so much more slowly
# variation: 0.03                                              # every kernel varies by 3 %, drawn from the seed
# explicit: true                                               # all alike, each by itself
```

`archsim run llama-3.1-70b-decode slow.yaml` then has a line `devices`: who waits for how much of the time, and the
joules of static power that go by; `archsim compare … --hardware dgx-h100 slow.yaml` sets it beside the machine whose
devices are alike.
"""

_UNEVEN = """\
## Experts that stand unevenly

DeepSeek-V3 on a DGX H200: all devices are alike, but each has the experts that were drawn on it, and waits for the one
that has most ([decision 166](../decisions/166-experts-where-they-stand.md)). Then with one slower device, too.
"""

_CLOSING = """\
## Why

- **A slow device slows all kernels, and no collective**: of {all:.2f} ms a token on alike devices {kernels:.2f} are
  kernels. Where all eight are as slow the token takes as long: being faster gains the other seven nothing.
- **A slower clock is not a slower device.** A kernel that waits for HBM, or for its launch, hardly feels that its SMs
  and L2 are slower, so a step of one sequence pays a fraction of what it would if all of the kernel took longer. A
  prompt waits for its products, and pays most of it.
- **Variation costs without anybody being slow**: the slowest of eight is waited for twice in each layer. It averages
  out over the kernels between two collectives, of which one or two take most of the time.
- **Uneven experts hide a slow device**: where it is not the one that is waited for anyway, it costs less.
- **Boards that wait draw their static power**, and only that is counted: what a spinning collective draws is not
  measured.
"""


class Step(NamedTuple):
    """A step: seconds, those of the slowest device's kernels, joules of a token, and of the time that devices wait.

    `waits` is the mean share of the step, `waits_j` the static joules of a token in it.
    """

    seconds: float
    kernels: float
    joules: float
    waits: float
    waits_j: float


@cache
def step(case: str, *work: str, pair: tuple[str, str] = (MODEL, MACHINE)) -> Step:
    """A step of eight devices that differ as a setting of the mapper says."""
    result = run(*pair, ("workload.output_tokens=1", f"hardware.mapper.{case}", *work)).result
    times = waiting(result)
    share = sum(item.waits for item in times) / len(times) / result.run.picoseconds
    static = result.by("action")["static"]
    kernels = max(item.kernels for item in times) / PS_PER_SECOND
    return Step(result.latency.total_s, kernels, result.energy.value / result.tokens, share, static * share)


def page() -> str:
    """The finding as Markdown."""
    alike = step(ALIKE)
    closing = _CLOSING.format(all=alike.seconds * 1e3, kernels=alike.kernels * 1e3)
    return "\n".join((_OPENING, *_by_case(), *_by_work(), *_by_experts(), closing))


def _by_case() -> list[str]:
    lines = ["## A token of one sequence", ""]
    lines += ["| devices | ms | more | J | more | a device waits | joules of static power in it |", "|---" * 7 + "|"]
    alike = step(ALIKE)
    for name, case in CASES.items():
        found = step(case)
        slower, dearer = _more(found.seconds, alike.seconds), _more(found.joules, alike.joules)
        cells = (f"{found.seconds * 1e3:.2f}", slower, f"{found.joules:.2f}", dearer, f"{found.waits:.1%}")
        lines.append(f"| {name} | {' | '.join(cells)} | {found.waits_j:.2f} |")
    return [*lines, ""]


def _by_work() -> list[str]:
    lines = ["## More time, by what is done", "", "One device is slower, or the kernels of all vary:", ""]
    lines += [f"| | ms, all alike | {' | '.join(UNLIKE)} |", "|---" * (2 + len(UNLIKE)) + "|"]
    for name, work in WORK.items():
        alike = step(ALIKE, *work)
        cells = (_more(step(case, *work).seconds, alike.seconds) for case in UNLIKE.values())
        lines.append(f"| {name} | {alike.seconds * 1e3:.2f} | {' | '.join(cells)} |")
    return [*lines, ""]


def _by_experts() -> list[str]:
    lines = [_UNEVEN]
    columns = ("sequences", "ms", "J", "a device waits", "joules of static power in it", f"ms, {SLOW}", "more")
    lines += [f"| {' | '.join(columns)} |", "|---" * len(columns) + "|"]
    for batch in BATCHES:
        found, behind = (step(case, f"workload.batch={batch}", pair=EXPERTS) for case in (ALIKE, CASES[SLOW]))
        cells = (f"{found.seconds * 1e3:.2f}", f"{found.joules:.2f}", f"{found.waits:.1%}", f"{found.waits_j:.3f}")
        more = _more(behind.seconds, found.seconds)
        lines.append(f"| {batch} | {' | '.join(cells)} | {behind.seconds * 1e3:.2f} | {more} |")
    return [*lines, ""]


def _more(value: float, than: float) -> str:
    return f"{max(0.0, value / than - 1):.1%}"


def main(target: str) -> None:
    """Write the page."""
    Path(target).write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
