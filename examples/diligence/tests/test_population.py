"""The population: its counts, its oddities, and that it is the same everywhere."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable

from sqlalchemy import create_engine, insert, select

from examples.diligence import database, population
from examples.diligence.models import Base, Deal, InventoryItem

from .conftest import reason_about_all, stored_types

TABLES = population.generate()
DIGEST = "47442887fe3ca4b5853b0968c743c71c8796d296f0cec5b57008e2e707154e58"


def test_the_counts_are_the_plans() -> None:
    """250 acquisitions, 45 carve-outs, 12 divestitures, and the neglected deals beside them."""
    active = Counter(deal["deal_type"] for deal in TABLES["deals"] if deal["status"] == "active")
    assert active == {
        "acquisition": 250,
        "carveout": 45,
        "divestiture": 12,
        None: 5,
        "merger": 3,
        "Acquisition": 2,
        "carve-out ": 2,
        "": 2,
    }
    assert sum(deal["status"] == "deleted" for deal in TABLES["deals"]) == 8


def test_the_population_is_the_same_everywhere() -> None:
    """The rows hash to a recorded value, whatever the machine, the Python or the hash seed."""
    assert hashlib.sha256(json.dumps(TABLES, default=str).encode()).hexdigest() == DIGEST
    assert population.generate() == TABLES
    assert population.generate(seed=1) != TABLES


def test_names_are_as_hostile_as_in_life() -> None:
    """Quotes, markup, emoji, other alphabets, and one name that fills the column."""
    names = "".join(str(deal["name"]) for deal in TABLES["deals"])
    assert all(mark in names for mark in ("<script>", "'", '"', "🚀", "東京", "شركة", "::error::", "\n"))
    assert max(len(str(deal["name"])) for deal in TABLES["deals"]) == 255


def test_inventories_range_from_nothing_to_hundreds() -> None:
    """Four acquisitions own nothing; the largest inventory has a few hundred items."""
    sizes = Counter(item["deal_id"] for item in TABLES["inventory_items"])
    empty = [deal for deal in TABLES["deals"] if deal["id"] not in sizes]
    assert [deal["deal_type"] for deal in empty] == ["acquisition"] * 4
    assert min(sizes.values()) < 15
    assert 250 < max(sizes.values()) < 600


def test_some_costs_and_user_counts_are_missing() -> None:
    """A few deals do not know what they pay, and a few not how many they are."""
    costless = {item["deal_id"] for item in TABLES["inventory_items"] if item["annual_cost"] is None}
    uncounted = {
        item["deal_id"]
        for item in TABLES["inventory_items"]
        if item["kind"] == "directory" and item["user_count"] is None
    }
    assert (len(costless), len(uncounted)) == (6, 4)


def test_every_row_fits_its_table() -> None:
    """Each row names each column of its table."""
    for table, rows in TABLES.items():
        columns = set(Base.metadata.tables[table].columns.keys())
        assert all(row.keys() == columns for row in rows)


def test_postgresql_gives_the_same_answers(new_postgres: Callable[[], str], after_url: str) -> None:
    """Built on PostgreSQL, every report equals SQLite's, and new deals get ids of their own."""
    url = new_postgres()
    database.build(url, "after")
    assert stored_types(url) == stored_types(after_url)
    assert reason_about_all(url) == reason_about_all(after_url)
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(insert(Deal).values(name="New", target_name="New", deal_type="carveout"))
        assert connection.scalar(select(Deal.id).where(Deal.name == "New")) == len(TABLES["deals"]) + 1
        assert connection.scalar(select(InventoryItem.id).limit(1)) == 1
    engine.dispose()
