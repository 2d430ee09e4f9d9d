"""Put what lies between two marks of one page between the same marks of another.

python validation/readme.py docs/accuracy.md README.md
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

_SHORT = re.compile(r"<!-- in short: .*?<!-- end of in short -->", re.DOTALL)


def main(source: str, target: str) -> None:
    """Rewrite the target."""
    found = _SHORT.search(Path(source).read_text(encoding="utf-8"))
    if found is None:
        sys.exit(f"{source} has no table in short")
    page = Path(target)
    page.write_text(_SHORT.sub(lambda _: found[0], page.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
