"""What a source tells of rows so that deals can be said to share it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from pytest_dealsnap.baseline.deal_features import collect_features
from pytest_dealsnap.baseline.extension import DealSnapshots
from pytest_dealsnap.deals.source import CallableSource
from pytest_dealsnap.errors import SourceError
from pytest_dealsnap.model.results import DealResult, Finding
from tests.builders import configure
from tests.deals.conftest import Fill, Open

TABLE = (
    "CREATE TABLE deals (id INTEGER PRIMARY KEY, name TEXT, deal_type TEXT, region TEXT, open BOOLEAN, "
    "signed DATE, size NUMERIC(12, 2), memo TEXT, api_token TEXT, payload {bytes})"
)
ROWS = (
    "INSERT INTO deals VALUES (1, 'A', 'sale', 'EU', {true}, '2026-01-31', 5, '{long}', 'x', NULL), "
    "(2, 'B', 'sale', NULL, {false}, '2026-02-28', 5.5, 'short', 'y', NULL)"
)


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_short_values_of_many_rows_by_one_question(
    kind: str, request: pytest.FixtureRequest, opened: Open, fill: Fill, tmp_path: Path
) -> None:
    """Id, name and type are known already; bytes, and what is too long, no two deals share."""
    sqlite = kind == "sqlite"
    url = f"sqlite:///{tmp_path / 'd.db'}" if sqlite else str(request.getfixturevalue("postgresql"))
    words = {"true": "1", "false": "0"} if sqlite else {"true": "true", "false": "false"}
    fill(url, TABLE.format(bytes="BLOB" if sqlite else "BYTEA"), ROWS.format(long="m" * 500, **words))
    source = opened(url)
    fields = dict(source.fields_of(source.refs()))
    assert set(fields) == {"1", "2"}
    assert {name: fields["1"][name] for name in ("region", "open", "signed", "size")} == {
        "region": "EU",
        "open": True,
        "signed": date(2026, 1, 31),
        "size": Decimal("5.00"),
    }
    assert len(fields["1"]["memo"]) == 100
    assert not {"id", "name", "deal_type", "payload"} & set(fields["1"])


def test_an_enumeration_of_postgresqls_is_shared_as_its_text(postgresql: str, opened: Open, fill: Fill) -> None:
    """A type of the database's own needs no care of the user's."""
    fill(
        postgresql,
        "CREATE TYPE zone AS ENUM ('eu', 'us')",
        "CREATE TABLE deals (id INT PRIMARY KEY, name TEXT, deal_type TEXT, zone zone)",
        "INSERT INTO deals VALUES (1, 'A', 'sale', 'eu')",
    )
    source = opened(postgresql)
    assert dict(source.fields_of(source.refs())) == {"1": {"zone": "eu"}}


def contracts() -> Iterator[dict[str, Any]]:
    """Yield records of a source of the user's own."""
    for number in range(6):
        yield {"id": number, "name": "A", "deal_type": "sale", "region": "EU" if number < 3 else "US", "tags": ["a"]}


def test_fields_of_a_users_own_source(tmp_path: Path) -> None:
    """Records have fields, too; a deal that has gone has none."""
    source = CallableSource(configure(tmp_path, '[deals]\nsource = "tests.deals.test_shared_fields:contracts"'))
    refs = source.refs()
    assert dict(source.fields_of(refs))["4"] == {"region": "US", "tags": ["a"]}
    results = [
        DealResult(ref.id, None, "sale", "sale", "regressed", findings=(Finding("fee", "fee_changed", 1, 2),) * (i < 3))
        for i, ref in enumerate(refs)
    ]
    by_id = {ref.id: ref for ref in refs}
    snapshots = DealSnapshots(tmp_path)
    traits = collect_features(results, snapshots, lambda ids: source.fields_of([by_id[i] for i in ids]))
    assert traits is not None
    assert traits.of("0") == {"region": '"EU"'}
    assert traits.dropped == {"tags"}
    assert collect_features(results[2:], snapshots, None) is None


def test_rows_that_cannot_be_read_any_more_cost_an_explanation_only(tmp_path: Path) -> None:
    """The deals are judged by then; the gate's result does not hang on their rows."""

    def gone(ids: object) -> Iterator[tuple[str, dict[str, Any]]]:
        yield from ()
        raise SourceError("the server went away")

    finding = Finding("fee", "fee_changed", 1, 2)
    results = [DealResult(str(i), None, "sale", "sale", "regressed", findings=(finding,)) for i in range(4)]
    traits = collect_features(results, DealSnapshots(tmp_path), gone)
    assert traits is not None
    assert (traits.compared, dict(traits.values)) == ({"sale": 4}, {})
