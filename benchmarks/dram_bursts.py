"""A burst-level model of a DRAM channel, run offline: `python benchmarks/dram_bursts.py` writes the conflicts' table.

Runs fall on random banks. Of those in its queue the controller serves the one whose data can start first, then the
oldest; a bank is busy from opening a row until it may open the next, a bank group until it has passed the columns of a
run. All lanes, independent draws, advance as arrays.
The table is free of units: it holds the share of the rate that the busiest of data bus, activations and banks (the
roofline of the channel) would allow, by how busy the banks would be and how many accesses there are to choose from.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

BANKS = (1, 2, 4, 8, 16, 32, 64)
QUEUES = (1, 2, 4, 8, 16, 32, 64)
LOADS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.25, 1.5, 2.0, 4.0)
TARGET = Path(__file__).parent.parent / "archsim" / "components" / "dram_conflicts.py"


@dataclass(frozen=True)
class Channel:
    """Times in units of the pace: what the data bus or the activations need for one run."""

    banks: int
    queue: int
    occupied: float
    """A bank's time for one run, from opening its row to opening the next."""
    groups: int = 1
    in_group: float = 0.0
    """A bank group's time for the columns of one run."""

    @property
    def bound(self) -> float:
        """The least time between two runs."""
        return max(1.0, self.occupied / self.banks, self.in_group / self.groups)


def kept(channel: Channel, runs: int = 3000, lanes: int = 16, seed: int = 0) -> float:
    """The share of the roofline that random runs get."""
    draw, every = np.random.default_rng(seed), np.arange(lanes)
    bank = draw.integers(0, channel.banks, (lanes, channel.queue))
    entered = np.zeros((lanes, channel.queue))
    age = np.tile(np.arange(float(channel.queue)), (lanes, 1))
    ready, passed = np.zeros((lanes, channel.banks)), np.zeros((lanes, channel.groups))
    free = begun = np.zeros(lanes)
    warm = runs // 4
    for number in range(runs):
        possible = np.maximum(np.maximum(np.take_along_axis(ready, bank, 1), entered), free[:, None])
        possible = np.maximum(possible, np.take_along_axis(passed, bank % channel.groups, 1))
        chosen = (possible + age * 1e-9).argmin(1)
        start = possible[every, chosen]
        free = start + 1.0
        ready[every, bank[every, chosen]] = start + channel.occupied
        passed[every, bank[every, chosen] % channel.groups] = start + channel.in_group
        bank[every, chosen] = draw.integers(0, channel.banks, lanes)
        entered[every, chosen] = start
        age[every, chosen] = channel.queue + number
        if number == warm:
            begun = free
    per_run = float((free - begun).mean()) / (runs - 1 - warm)
    return channel.bound / per_run


def rows() -> list[str]:
    """The table as lines of code, in thousandths."""
    lines = []
    for banks in BANKS:
        lines.append(f"    {banks}: {{")
        for queue in QUEUES:
            shares = [min(1000, round(1000 * kept(Channel(banks, queue, load * banks)))) for load in LOADS]
            lines.append(f"        {queue}: ({', '.join(map(str, shares))}),")
        lines.append("    },")
    return lines


def main() -> None:
    """Put the table between its marks."""
    text = TARGET.read_text(encoding="utf-8")
    head, _, rest = text.partition("_KEPT: dict[int, dict[int, tuple[int, ...]]] = {\n")
    tail = rest.partition("\n}\n")[2]
    table = "\n".join(rows())
    TARGET.write_text(f"{head}_KEPT: dict[int, dict[int, tuple[int, ...]]] = {{\n{table}\n}}\n{tail}", encoding="utf-8")


if __name__ == "__main__":
    main()
