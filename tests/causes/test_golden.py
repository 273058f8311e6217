"""The causes of some books, whole: a change of the method shows in ``golden.txt``, to be reviewed line by line.

``python -m tests.causes.test_golden`` writes the file anew.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

from pytest_dealsnap.causes.clustering import find_causes
from pytest_dealsnap.judging.values import percent_change
from pytest_dealsnap.model.cause import Cause
from pytest_dealsnap.model.results import DealResult, Finding, changed_issue
from tests.causes.test_planted import planted

GOLDEN = Path(__file__).with_name("golden.txt")
KINDS = ("acquisition", "carveout", "divestiture")


def moved(number: int, before: Any, after: Any, *, kind: str, metric: str = "cost_total") -> DealResult:
    """Return a deal in which one number moved."""
    finding = Finding(metric, changed_issue(metric), before, after, percent_change(before, after), gates=number % 3 > 0)
    return DealResult(str(number), None, kind, kind, "regressed", findings=(finding,))


def book(seed: int, *changes: Callable[[random.Random, int], Any], metric: str = "cost_total") -> list[DealResult]:
    """Return 60 deals, each changed by one of *changes*."""
    drawn, results = random.Random(seed), []
    for number in range(60):
        before = drawn.randint(5_000, 5_000_000)
        after = drawn.choice(changes)(drawn, before)
        if before != after:
            results.append(moved(number, before, after, kind=drawn.choice(KINDS), metric=metric))
    return results


def ratio(percent: float, digits: int | None = None) -> Callable[[random.Random, int], Any]:
    """Return a change by one ratio."""
    return lambda drawn, before: round(before * (1 + percent / 100), digits)


def both(percent: float, amount: int, digits: int | None = None) -> Callable[[random.Random, int], Any]:
    """Return a change by a ratio and an amount on top of it."""
    return lambda drawn, before: round(before * (1 + percent / 100) + amount, digits)


def anything(drawn: random.Random, before: int) -> int:
    """Return a change of its own."""
    return round(before * drawn.uniform(0.2, 4))


def parts(percent: float) -> Callable[[random.Random, int], Any]:
    """Return a change of a sum whose parts are rounded each."""
    return lambda drawn, before: sum(round(before / 7 * (1 + percent / 100)) for _ in range(7))


def books() -> Iterator[tuple[str, list[DealResult]]]:
    """Yield the books with their names."""
    for seed in range(6):
        yield f"planted {seed}", planted(seed, 0.02)[0]
    yield "a ratio and noise", book(1, ratio(12), ratio(12), anything)
    yield "ratios of one class", book(2, ratio(12, 4), ratio(12.003, 4))
    yield "ratios near each other", book(3, ratio(7), ratio(7.2), ratio(-7))
    yield "amounts", book(4, both(0, 777), both(0, 778), both(0, -50_000))
    yield "a ratio, an amount, both", book(5, ratio(12), both(0, 50_000), both(12, 50_000))
    yield "two of each and on top", book(6, ratio(12), ratio(30), both(0, 9_000), both(12, 9_000), both(30, 9_000))
    yield "an affine change", book(7, both(90, 600_000), ratio(140))
    yield "sums of rounded parts", book(8, parts(3.7), parts(-11))
    yield "in thousands", book(9, lambda drawn, before: round(before * 1.12, -3), ratio(0.3))
    yield "rounded only", book(10, lambda drawn, before: round(before, -3), lambda drawn, before: round(before, -2))
    yield "up to fives", book(11, lambda drawn, before: -(-before // 50) * 50)
    yield "fractions", book(12, lambda drawn, before: before * 1.1, lambda drawn, before: before + 0.25)
    exact = Decimal("1.0725")
    yield "decimals", book(13, lambda drawn, before: before * exact, lambda drawn, before: Decimal(before) + exact)
    yield "only noise", book(14, anything)
    yield "little noise", book(15, lambda drawn, before: before + drawn.randint(-9, 9))
    counts = [
        moved(n, n % 7, n % 7 + (1, -1, 2, -3)[n % 4], kind=KINDS[n % 3], metric="synergy_count") for n in range(40)
    ]
    yield "counts", counts
    yield "from zero", [moved(n, 0, n * 1000, kind=KINDS[n % 3]) for n in range(1, 12)]


def line(cause: Cause) -> str:
    """Return all that is said of a cause."""
    size = cause.size
    told = "" if size is None else f"{size.kind} {size.value} {size.percent} {[str(end) for end in size.amount or ()]}"
    return f"  {len(cause.deals):>3} {cause.failing:>3}  {cause.id}  {cause.title}  [{told}]"


def written() -> str:
    """Return the books with their causes."""
    return "".join(
        "\n".join([name, *map(line, find_causes(results, order=("cost_total", "fee")))]) + "\n\n"
        for name, results in books()
    )


def test_the_causes_of_these_books_are_as_they_were_reviewed() -> None:
    """Sizes, ends of ranges, ids and order."""
    assert written() == GOLDEN.read_text(encoding="utf-8")


if __name__ == "__main__":
    GOLDEN.write_text(written(), encoding="utf-8")
