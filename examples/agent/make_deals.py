"""Make ``deals.db``: twelve deals in a SQLite file beside this script."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

TYPES = ("acquisition", "acquisition", "carveout")
ROWS = [(n, f"Target {n}", TYPES[n % 3], 20 + 37 * n, 1 + n % 11) for n in range(1, 13)]

path = Path(__file__).with_name("deals.db")
path.unlink(missing_ok=True)
with closing(sqlite3.connect(path)) as connection, connection:
    columns = "id INTEGER PRIMARY KEY, name TEXT, deal_type TEXT, headcount INTEGER, applications INTEGER"
    connection.execute(f"CREATE TABLE deals ({columns})")
    connection.executemany("INSERT INTO deals VALUES (?, ?, ?, ?, ?)", ROWS)
