"""Traits of rows and outputs: what deals can share, and nothing that must not be told."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from typing import Any
from uuid import UUID

import pytest

from pytest_dealsnap.baseline.codec import Snapshot
from pytest_dealsnap.baseline.deal_features import looking_up, output_features, row_features


class Zone(Enum):
    """A column's enumeration."""

    EU = "eu"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("EU", '"EU"'),
        (Zone.EU, '"eu"'),
        (5, "5"),
        (Decimal("5.00"), "5"),
        (Decimal("5.25"), '"5.25"'),
        (True, "true"),
        (None, "null"),
        (date(2026, 1, 31), '"2026-01-31"'),
        (datetime(2026, 1, 31, 12), '"2026-01-31T12:00:00"'),
        (UUID(int=1), '"00000000-0000-0000-0000-000000000001"'),
        (0.5, None),
        (b"x", None),
        ("x" * 61, None),
        ("postgresql://ana:secret@host/db", None),
    ],
)
def test_values_of_a_row(value: Any, text: str | None) -> None:
    """As JSON; what is no such value, or holds a secret, makes its field useless."""
    assert row_features({"field": value}) == {"field": text}


@pytest.mark.parametrize("name", ["password_hash", "api_token", "SecretWord", "pwd", "salt", "private_key"])
def test_fields_that_are_called_like_secrets_are_left_out(name: str) -> None:
    """Of rows and of outputs."""
    assert row_features({name: "x"}) == {}
    assert output_features(Snapshot("1", None, "sale", None, metrics={}, output={name: "x", "a": {name: "x"}})) == {}


def test_values_of_an_output() -> None:
    """Single values to a depth of three, the lengths of lists; an object with many keys is the user's own table."""
    output = {
        "open": True,
        "cost": {"currency": "EUR", "by": {"unit": 1, "deeper": {"no": 1}}},
        "synergies": [1, 2],
        "odd name": "x",
        "table": {str(number): 1 for number in range(41)},
    }
    assert output_features(Snapshot("1", None, "sale", None, metrics={}, output=output)) == {
        "output.open": "true",
        "output.cost.currency": '"EUR"',
        "output.cost.by.unit": "1",
        "output.length(synergies)": "2",
        'output."odd name"': '"x"',
    }


def test_where_only_metrics_are_recorded_they_are_the_output() -> None:
    """An error has neither."""
    assert output_features(Snapshot("1", None, "sale", None, metrics={"fee": 5})) == {"output.fee": "5"}
    assert output_features(Snapshot("1", None, "sale", None)) == {}


def test_fields_are_read_when_first_asked_for() -> None:
    """And once: a deal without a row or a snapshot has none."""
    asked: list[str] = []

    def recorded() -> Snapshot:
        asked.append("x")
        return Snapshot("1", None, "sale", None, metrics={}, output={"open": True})

    look = looking_up(recorded, lambda: {"region": "EU"})
    assert asked == []
    assert (look("region"), look("output.open"), look("nothing")) == ('"EU"', "true", None)
    assert asked == ["x"]
    assert looking_up(lambda: None, dict)("region") is None


@pytest.mark.parametrize(
    ("text", "known"),
    [("password=hunter2", False), ("postgresql://ana:hunter2@db/x", False), ("at=noon", True), ("a: b", True)],
)
def test_a_value_that_holds_a_secret_is_no_trait(text: str, known: bool) -> None:
    """Whichever sign it stands behind."""
    snapshot = Snapshot("1", None, "sale", "sale", metrics={}, output={"note": text})
    assert output_features(snapshot).get("output.note") == (f'"{text}"' if known else None)
