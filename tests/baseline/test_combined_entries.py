"""Two accepted changes on top of each other in one deal."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from pytest_dealsnap.model.results import DealResult
from tests.baseline.test_ledger import TODAY, entry, ledger, moved

TWELVE = entry('cause = "a"\nchange_percent = [11.9, 12.1]')
FEE = entry('cause = "b"\nchange_amount = [50000, 50000]')
FIVE = entry('cause = "c"\nchange_percent = [4.95, 5.05]')
TAX = entry('cause = "d"\nchange_amount = [-700, -700]')


@pytest.mark.parametrize(
    ("texts", "before", "after", "accepted"),
    [
        ((TWELVE, FEE), 100_000, 162_000, True),
        ((FEE, TWELVE), 100_000, 162_000, True),
        ((TWELVE, FEE), 100_000, 168_000, True),
        ((TWELVE, FEE), 100_000, 165_000, False),
        ((TWELVE, FEE), 100_000.0, Decimal("162000.00"), True),
        ((TWELVE, FEE), -100_000, -38_000, True),
        ((TWELVE, FEE), 100_000, 224_000, False),
        ((TWELVE, FIVE), 100_000, 117_600, True),
        ((TWELVE, FIVE), 100_000, 119_000, False),
        ((FEE, TAX), 0, 49_300, True),
        ((FEE, TAX), 0, 49_301, False),
        ((TWELVE, FEE, TAX), 100_000, 161_300, False),
        ((TWELVE, FEE), 100_000, float("nan"), False),
        ((TWELVE, FEE), 100_000, None, False),
        ((TWELVE, FEE), "100000", 162_000, False),
    ],
)
def test_a_deal_that_shows_two_accepted_changes(
    tmp_path: Path, texts: tuple[str, ...], before: Any, after: Any, accepted: bool
) -> None:
    """In either order, to the digit that the entries give, and no third change on top."""
    result, used = ledger(tmp_path, "".join(texts)).apply(moved(before, after))
    assert result.status == ("accepted" if accepted else "regressed")
    assert sorted(used) == ([0, 1] if accepted else [])


@pytest.mark.parametrize(
    "other",
    [
        entry('type = "carveout"\nchange_amount = [50000, 50000]'),
        entry('cause = "a"\nchange_amount = [50000, 50000]'),
        entry('cause = "b"\nchange_amount = [40000, 60000]'),
        entry('cause = "b"\nchange_amount = [-inf, 50000]'),
        entry('cause = "b"\nvalue = 50000'),
        entry('cause = "b"\ntype = "acquisition"\nchange_amount = [50000, 50000]'),
        entry('cause = "b"\ndeals = ["13"]\nchange_amount = [50000, 50000]'),
        entry('cause = "b"\nwhere = {region = "US"}\nchange_amount = [50000, 50000]'),
        entry('cause = "b"\nchange_amount = [50000, 50000]\nexpires = 2026-12-31'),
        FEE.replace("cost_total", "fee"),
    ],
)
def test_what_does_not_go_together(tmp_path: Path, other: str) -> None:
    """Only live entries of two causes, each narrow and about the deal by itself."""
    result, _ = ledger(tmp_path, TWELVE + other).apply(moved(100_000, 162_000), {"region": '"EMEA"'}.get)
    assert result.status == "regressed"


def test_fields_hold_for_both(tmp_path: Path) -> None:
    """An entry that names a field asks the deal for it, also where it does not explain the change alone."""
    book = ledger(tmp_path, TWELVE + FEE.replace("change_amount", 'where = {region = "EMEA"}\nchange_amount'))
    result = moved(100_000, 162_000)
    assert book.apply(result, {"region": '"EMEA"'}.get)[0].status == "accepted"
    assert book.uncovered(result, {"region": '"EMEA"'}.get) == ()
    assert book.uncovered(result, {"region": '"US"'}.get) == result.findings
    assert book.uncovered(result) == result.findings


def test_both_entries_have_matched(tmp_path: Path) -> None:
    """Neither is stale, and both reasons are given; with one of them expired, the deal is red again."""
    text = TWELVE.replace("known", "the lease") + FEE.replace("known", "the fee")
    result, used = ledger(tmp_path, text).apply(moved(100_000, 162_000))
    assert result.reason == "the lease; the fee"
    assert ledger(tmp_path, text).stale(used) == ()
    ended = text.replace("change_percent", f"expires = {TODAY.replace(year=2020)}\nchange_percent")
    again: DealResult = ledger(tmp_path, ended).apply(moved(100_000, 162_000))[0]
    assert again.status == "regressed"
