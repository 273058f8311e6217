"""Whether two URLs are one database is asked of the database: nothing is written to an original by another name."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url

from pytest_dealsnap.deals.dialects import dialect_of
from pytest_dealsnap.deals.dialects.mysql import Identity as MySQLIdentity
from pytest_dealsnap.deals.dialects.postgresql import Identity
from pytest_dealsnap.deals.identity import identity, same_database
from pytest_dealsnap.errors import SourceError
from tests.deals.conftest import Fill
from tests.mariadb import as_root
from tests.postgresql import as_owner


def spelt(url: str, **parts: object) -> str:
    """Return *url* with other parts."""
    return make_url(url).set(**parts).render_as_string(hide_password=False)  # type: ignore[arg-type]  # as named


def test_a_sqlite_file_by_any_other_name(tmp_path: Path, fill: Fill) -> None:
    """Relative, a symbolic link, a hard link, a file URI: one file. A copy is another."""
    file = tmp_path / "x.db"
    fill(f"sqlite:///{file}", "CREATE TABLE deals (id INTEGER)")
    (tmp_path / "soft.db").symlink_to(file)
    os.link(file, tmp_path / "hard.db")
    (tmp_path / "copy.db").write_bytes(file.read_bytes())
    for name in ("x.db", "soft.db", "hard.db", f"../{tmp_path.name}/x.db", f"file:{file}?mode=rw&uri=true"):
        assert same_database(f"sqlite:///{file}", f"sqlite:///{name}", folder=tmp_path), name
    for name in ("copy.db", "nowhere.db"):
        assert not same_database(f"sqlite:///{file}", f"sqlite:///{name}", folder=tmp_path), name
    assert same_database("sqlite:///no.db", "sqlite:///./no.db", folder=tmp_path)
    assert same_database("sqlite:///x.db", "duckdb:///hard.db", folder=tmp_path)
    assert not same_database("sqlite:///x.db", "postgresql://h/x", folder=tmp_path)


@pytest.mark.parametrize("driver", ["psycopg", "psycopg2"])
def test_a_postgresql_database_by_any_other_name(postgresql: str, pgbouncer: str, tmp_path: Path, driver: str) -> None:
    """By its socket, by a pooler with one connection, by its name in the query: one database."""
    as_owner(postgresql, "DROP DATABASE IF EXISTS other WITH (FORCE)", "CREATE DATABASE other")
    name = make_url(postgresql).database
    other = spelt(postgresql, database="other")
    aliases = [postgresql, pgbouncer, str(make_url(other).update_query_dict({"dbname": str(name)}))]
    try:
        for alias in aliases:
            url = spelt(alias, drivername=f"postgresql+{driver}")
            assert same_database(postgresql, url, folder=tmp_path), url
            assert not same_database(other, url, folder=tmp_path), url
    finally:
        as_owner(postgresql, "DROP DATABASE other WITH (FORCE)")


def test_a_mariadb_schema_by_any_other_name(mariadb: str, tmp_path: Path) -> None:
    """By host alias, by address, by socket, by another driver's URL: one schema; another schema is another."""
    as_root(mariadb, "CREATE DATABASE IF NOT EXISTS other")
    engine = create_engine(mariadb)
    with engine.connect() as connection:
        socket = connection.scalar(text("SELECT @@socket"))
    engine.dispose()
    aliases = [
        spelt(mariadb, host="localhost"),
        spelt(mariadb, drivername="mariadb+pymysql"),
        str(make_url(mariadb).update_query_dict({"unix_socket": str(socket)})),
        spelt(mariadb, database=None),  # no schema: it can reach them all
    ]
    for alias in aliases:
        assert same_database(mariadb, alias, folder=tmp_path), alias
    assert not same_database(mariadb, spelt(mariadb, database="other"), folder=tmp_path)


def test_an_identity_is_equal_on_two_connections(postgresql: str, mariadb: str) -> None:
    """As long as the server runs; a watcher may keep it."""
    for url in (postgresql, mariadb):
        engine = create_engine(url)
        with engine.connect() as one, engine.connect() as other:
            assert identity(one) is not None
            assert identity(one) == identity(other)
        engine.dispose()


def test_a_standby_is_its_primary_and_a_promoted_copy_is_not() -> None:
    """What is written to a primary reaches its standby; a copy that was promoted goes its own way."""
    known = dialect_of("postgresql")
    primary = Identity("7", 5, "1.0", standby=False)
    assert known.may_be_same(primary, Identity("7", 5, "2.0", standby=True))
    assert known.may_be_same(primary, Identity(None, 5, "2.0", standby=True))
    assert known.may_be_same(primary, Identity(None, 5, "1.0", standby=False))
    assert not known.may_be_same(primary, Identity("8", 5, "2.0", standby=True))
    assert not known.may_be_same(primary, Identity("7", 5, "2.0", standby=False))
    assert not known.may_be_same(primary, Identity("7", 6, "1.0", standby=False))


def test_the_nodes_of_a_galera_cluster_are_one_database() -> None:
    """Each repeats what is written to another."""
    known = dialect_of("mariadb")
    node, other = (MySQLIdentity((("hostname", name),), "deals", "c1") for name in "ab")
    assert known.may_be_same(node, other)
    assert not known.may_be_same(node, MySQLIdentity((("hostname", "b"),), "deals", None))
    assert not known.may_be_same(node, object())


def test_a_database_that_cannot_be_asked(postgresql: str, tmp_path: Path) -> None:
    """One sentence, without secrets: nothing may be written where that is not known."""
    with pytest.raises(
        SourceError, match=r"--scratch-url: postgresql://ana:\*\*\*@127.0.0.1:1/x cannot be asked"
    ) as caught:
        same_database(
            postgresql, "postgresql://ana:s3cret@127.0.0.1:1/x", folder=tmp_path, places=("database", "--scratch-url")
        )
    assert "s3cret" not in str(caught.value)
