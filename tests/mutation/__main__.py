"""``python -m tests.mutation``: judge a sample of mutants by the tests of their own folder."""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import tomllib
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from tests.mutation.mutants import Mutant, difference
from tests.mutation.trials import LEAST_SECONDS, ROOMS, TIMES_AS_LONG, Copy, Outcome, TrialError, all_mutants, room_of

ROOT = Path(__file__).parents[2]
EQUIVALENT = Path(__file__).with_name("equivalent.toml")


def equivalents(file: Path = EQUIVALENT) -> dict[tuple[str, str, str, str], str]:
    """Return the known equivalent mutants by their keys, each with why no test can kill it."""
    entries = tomllib.loads(file.read_text(encoding="utf-8")).get("mutant", [])
    return {(entry["path"], entry["code"], entry["before"], entry["after"]): entry["why"] for entry in entries}


def sample(mutants: Sequence[Mutant], number: int, seed: int) -> list[Mutant]:
    """Return *number* of *mutants* (all, where there are fewer), chosen by *seed*, in the order of their files."""
    chosen = random.Random(seed).sample(range(len(mutants)), min(number, len(mutants)))
    return [mutants[index] for index in sorted(chosen)]


def arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutation", description=__doc__)
    parser.add_argument("--sample", type=int, default=40, metavar="N", help="how many mutants (default: 40)")
    parser.add_argument("--seed", type=int, default=0, metavar="S", help="which mutants (default: 0)")
    parser.add_argument("--folder", action="append", choices=ROOMS, help="only this folder; repeatable")
    parser.add_argument("--at-least", type=float, default=0.0, metavar="PERCENT", help="exit 1 when fewer are killed")
    parser.add_argument("--list", action="store_true", help="only list the sample, run nothing")
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the sample.

    Returns: 0, 1 when fewer than ``--at-least`` percent are killed, 2 when the tests fail without a mutant.
    """
    options = arguments(argv)
    rooms = tuple(options.folder or ROOMS)
    known = equivalents()
    population = [one for one in all_mutants(ROOT, rooms) if one.key not in known]
    chosen = sample(population, options.sample, options.seed)
    print(f"{len(chosen)} of {len(population)} mutants of {', '.join(rooms)}, seed {options.seed}")
    if options.list:
        for mutant in chosen:
            print("\n".join(worded(mutant)))
        return 0
    try:
        outcomes = judged(chosen)
    except TrialError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return concluded(outcomes, options.at_least)


def judged(mutants: Sequence[Mutant]) -> list[tuple[Mutant, Outcome]]:
    """Judge each mutant in one copy of the tree, printing each outcome as it comes."""
    outcomes = []
    with tempfile.TemporaryDirectory(prefix="mutation-") as folder:
        copy = Copy.of(ROOT, Path(folder))
        seconds = {room: copy.seconds_unmutated(room) for room in sorted({room_of(one.path) for one in mutants})}
        for mutant in mutants:
            limit = max(LEAST_SECONDS, TIMES_AS_LONG * seconds[room_of(mutant.path)])
            outcome = copy.judge(mutant, limit)
            print(f"{outcome.value:>9}  {mutant.path}:{mutant.line}  {mutant.kind}", flush=True)
            outcomes.append((mutant, outcome))
    return outcomes


def concluded(outcomes: Sequence[tuple[Mutant, Outcome]], at_least: float) -> int:
    """Print the survivors and the count; return the exit code."""
    survivors = [mutant for mutant, outcome in outcomes if outcome is Outcome.SURVIVED]
    for mutant in survivors:
        print("\n".join(["", *worded(mutant)]))
    killed = len(outcomes) - len(survivors)
    percent = 100 * killed / len(outcomes) if outcomes else 0.0
    late = Counter(outcome for _, outcome in outcomes)[Outcome.TIMED_OUT]
    print(f"\n{killed} killed ({late} by the time limit), {len(survivors)} survived: {percent:.1f} % killed")
    return 1 if percent < at_least else 0


def worded(mutant: Mutant) -> list[str]:
    """Return a mutant as its place and the lines of its difference."""
    source = (ROOT / mutant.path).read_text(encoding="utf-8")
    return [f"{mutant.path}:{mutant.line}  {mutant.kind}", *difference(source, mutant)]


if __name__ == "__main__":
    raise SystemExit(main())
