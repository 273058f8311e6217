"""Make ``deals.db``: sixty deals in a SQLite file beside this script."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

__all__ = ["make_deals"]

TYPES = ("acquisition", "acquisition", "carveout")


def make_deals(path: Path, count: int = 60) -> None:
    """Write *count* deals into a new database at *path*."""
    path.unlink(missing_ok=True)
    rows = [
        (number, f"Target {number}", TYPES[number % len(TYPES)], 20 + 37 * number % 900, 1 + number % 11)
        for number in range(1, count + 1)
    ]
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(
            "CREATE TABLE deals (id INTEGER PRIMARY KEY, name TEXT, deal_type TEXT, headcount INTEGER, "
            "applications INTEGER)"
        )
        connection.executemany("INSERT INTO deals VALUES (?, ?, ?, ?, ?)", rows)


if __name__ == "__main__":
    make_deals(Path(__file__).with_name("deals.db"))
