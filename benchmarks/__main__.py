"""``python -m benchmarks``: what dealsnap costs, side by side with what else could be done, in one run."""

from __future__ import annotations

import argparse
import os
import platform
import tempfile
from collections.abc import Callable
from pathlib import Path

from benchmarks import contests

CONTESTS: dict[str, Callable[[Path, int, float], None]] = {
    "formats": contests.formats,
    "unused": contests.unused,
    "failing": contests.failing,
    "one-of-many": contests.one_of_many,
    "slow-reasoners": contests.slow_reasoners,
    "scale": contests.scale,
    "comparison": contests.comparison,
}


def main() -> None:
    """Run the contests that were asked for, by default all, and print Markdown."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("contests", nargs="*", metavar="CONTEST", help=f"of {', '.join(CONTESTS)} (default: all)")
    parser.add_argument("--rounds", type=int, default=5, help="rounds; medians are printed (default: 5)")
    parser.add_argument(
        "--limit", type=float, default=120.0, help="seconds after which a run of another format is given up"
    )
    options = parser.parse_args()
    for name in options.contests:
        if name not in CONTESTS:
            parser.error(f"no contest {name!r}; there are {', '.join(CONTESTS)}")
    print(f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    print(f"medians of {options.rounds} rounds", flush=True)
    for name in options.contests or CONTESTS:
        print(f"\n## {name}\n\n{CONTESTS[name].__doc__}\n", flush=True)
        with tempfile.TemporaryDirectory() as folder:
            CONTESTS[name](Path(folder) / "work", options.rounds, options.limit)


if __name__ == "__main__":
    main()
