"""Scratch copies in which every deal is of one type, on PostgreSQL; on SQLite matrix runs use them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from pytest_dealsnap.deals.deal import DealRef
from pytest_dealsnap.deals.types import DealTypes
from pytest_dealsnap.errors import SourceError
from pytest_dealsnap.rehearsal.type_copies import guard_variables, type_copies, type_words
from tests.builders import configure
from tests.postgresql import as_owner

SETTINGS = """
[deals]
table = 'book.Trans "actions"'
id = "no"
name = ""
type = "The:Kind"
where = "status <> 'x:gone'"
"""


def kinds(url: str) -> list[str | None]:
    """Return the types in order of the ids."""
    engine = create_engine(url)
    with engine.connect() as connection:
        statement = text('SELECT "The:Kind" FROM book."Trans ""actions""" ORDER BY no'.replace(":", r"\:"))
        found = list(connection.scalars(statement))
    engine.dispose()
    return found


def databases(url: str) -> int:
    """Count the databases of the server."""
    engine = create_engine(url)
    with engine.connect() as connection:
        count = int(connection.scalar(text("SELECT count(*) FROM pg_database")) or 0)
    engine.dispose()
    return count


def test_a_copy_holds_one_type_and_is_dropped(postgresql: str, tmp_path: Path) -> None:
    """An enum in another schema: each copy has its type in the selected rows; the original and the server stay."""
    as_owner(
        postgresql,
        "CREATE SCHEMA book",
        "CREATE TYPE book.kind AS ENUM ('acquisition', 'carve-out')",
        'CREATE TABLE book."Trans ""actions""" (no INT PRIMARY KEY, "The:Kind" book.kind, status TEXT)',
        "INSERT INTO book.\"Trans \"\"actions\"\"\" VALUES (1, NULL, ''), (2, 'carve-out', ''), (3, NULL, 'x:gone')",
    )
    config = configure(tmp_path, f'database = "{postgresql}"\n{SETTINGS}')
    before, count = kinds(postgresql), databases(postgresql)
    with type_copies(config, {"acquisition": "acquisition", "carveout": "carve-out"}) as copies:
        assert kinds(copies["acquisition"]) == ["acquisition", "acquisition", None]
        assert kinds(copies["carveout"]) == ["carve-out", "carve-out", None]
    with (
        pytest.raises(SourceError, match='a scratch copy refuses the type "divestiture"'),
        type_copies(config, {"acquisition": "acquisition", "divestiture": "divestiture"}),
    ):
        raise AssertionError("it was refused")
    assert (kinds(postgresql), databases(postgresql)) == (before, count)


OPENING = """
import sys
from pytest_dealsnap.rehearsal.guard import guard_original
guard_original()
from sqlalchemy import create_engine, text
for url in sys.argv[1:]:
    try:
        with create_engine(url).connect() as connection:
            print(connection.scalar(text("SELECT count(*) FROM deals")))
    except Exception as error:
        print(" ".join(str(error).split()))
"""


def test_a_process_of_a_copy_opens_the_copy_and_not_the_original(postgresql: str, tmp_path: Path) -> None:
    """On a server too, where only the name of the database differs."""
    as_owner(postgresql, "CREATE TABLE deals (id INT PRIMARY KEY, kind TEXT)", "INSERT INTO deals VALUES (1, NULL)")
    config = configure(
        tmp_path, f'database = "{postgresql}"\n[deals]\ntable = "deals"\nid = "id"\nname = ""\ntype = "kind"\n'
    )
    with type_copies(config, {"acquisition": "acquisition"}) as copies:
        copy = copies["acquisition"]
        environment = {**os.environ, **guard_variables(config, copy)}
        command = [sys.executable, "-c", OPENING, copy, postgresql]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True, timeout=100)
    first, second = done.stdout.splitlines()
    assert first == "1"
    assert "refused to open the original database" in second


def test_a_type_is_written_as_the_database_spells_it() -> None:
    """The type's own name where it is stored, else its commonest alias, else its own name."""
    types = DealTypes(("acquisition", "carveout", "sale"), "acquisition", {"spinoff": "carveout", "spin": "carveout"})
    stored = ["acquisition", "spin", "spinoff", "spinoff", None, "merger"]
    refs = [DealRef(number, str(number), word, types.effective(word)) for number, word in enumerate(stored)]
    assert type_words(refs, types) == {"acquisition": "acquisition", "carveout": "spinoff", "sale": "sale"}
