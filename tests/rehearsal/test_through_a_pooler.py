"""A rehearsal whose database URL leads to a pooler leaves nothing in the sessions that the application shares."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import make_url

from pytest_dealsnap.rehearsal.rollout import carry_out
from pytest_dealsnap.rehearsal.sessions import BEHIND_A_POOLER, Session
from pytest_dealsnap.rehearsal.step_environment import StepEnvironment
from pytest_dealsnap.rehearsal.steps import OriginalReachedError
from tests.postgresql import as_owner
from tests.rehearsal.sample_project import Firm
from tests.rehearsal.test_scratch import query, scratch_databases

SETTINGS = "SELECT name || '=' || setting FROM pg_settings WHERE source = 'session' ORDER BY 1"
COPIED = "dealsnap_users_copy"


def by(driver: str, url: str) -> str:
    """Return *url* for another driver."""
    return make_url(url).set(drivername=f"postgresql+{driver}").render_as_string(hide_password=False)


def seen_by_the_application(url: str) -> tuple[object, ...]:
    """Return what the application finds in the pool's only session: its settings, statements and their like."""
    given = make_url(url)
    with psycopg.connect(
        host=given.host, port=given.port, user=given.username, dbname=given.database, prepare_threshold=None
    ) as connection:
        connection.execute("UPDATE engagements SET fee = fee")
        questions = (
            SETTINGS,
            "SHOW search_path",
            "SHOW default_transaction_read_only",
            "SHOW statement_timeout",
            "SHOW lock_timeout",
            "SELECT name FROM pg_prepared_statements",
            "SELECT pg_listening_channels()",
            "SELECT objid FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()",
            "SELECT relname FROM pg_class WHERE relpersistence = 't'",
        )
        return tuple(connection.execute(question).fetchall() for question in questions)


def unpooled(firm: Firm, url: str, pooled: str) -> Firm:
    """Return the firm with the pooler's URL in its configuration, as its application has it."""
    settings = firm.folder / "dealsnap.toml"
    settings.write_text(settings.read_text().replace(url, pooled))
    return Firm(firm.folder, pooled)


@pytest.fixture
def copied(postgresql: str, tmp_path: Path) -> Iterator[str]:
    """The URL of a copy that the user made of the firm's database; both have the firm's tables."""
    copy = make_url(postgresql).set(database=COPIED).render_as_string(hide_password=False)
    yield copy
    as_owner(postgresql, f"DROP DATABASE IF EXISTS {COPIED} WITH (FORCE)")


@pytest.mark.parametrize("driver", ["psycopg", "psycopg2", "pg8000"])
def test_a_copy_through_a_pooler_is_refused_before_anything_is_left(
    tmp_path: Path, postgresql: str, pgbouncer: str, driver: str
) -> None:
    """pg_dump would set an empty search path for the pooled session; the sentence says what to do."""
    pooled = by(driver, pgbouncer)
    firm = unpooled(Firm.found(tmp_path, postgresql), postgresql, pooled)
    before = seen_by_the_application(pgbouncer)
    answer, report = firm.rehearse()
    assert answer.code not in (0, 1), answer.out
    assert report == {}
    [sentence] = [line for line in (answer.err + answer.out).splitlines() if "leads to a connection pooler" in line]
    assert make_url(pooled).render_as_string() in sentence
    assert "--database URL" in sentence
    assert "--scratch-url URL" in sentence
    assert seen_by_the_application(pgbouncer) == before
    assert scratch_databases(postgresql) == []


def test_a_pooler_of_every_database_does_not_get_pg_dump_either(
    tmp_path: Path, postgresql: str, pgbouncer_of_all: str
) -> None:
    """Where the pooler knows the server's other databases too, a copy could be begun through it: it is refused."""
    firm = unpooled(Firm.found(tmp_path, postgresql), postgresql, pgbouncer_of_all)
    before = seen_by_the_application(pgbouncer_of_all)
    answer, _ = firm.rehearse()
    assert "leads to a connection pooler" in answer.err + answer.out
    assert seen_by_the_application(pgbouncer_of_all) == before
    assert scratch_databases(postgresql) == []


def test_a_rehearsal_on_the_users_own_copy_leaves_the_pool_as_it_was(
    tmp_path: Path, postgresql: str, pgbouncer: str, copied: str
) -> None:
    """All of it runs; what protects less behind a pooler is said, and nothing more is promised."""
    firm = Firm.found(tmp_path, by("psycopg", postgresql))
    as_owner(postgresql, EMPTY_OF_OTHERS, f"CREATE DATABASE {COPIED} TEMPLATE {make_url(postgresql).database}")
    firm = unpooled(firm, by("psycopg", postgresql), by("psycopg", pgbouncer))
    before = seen_by_the_application(pgbouncer)
    answer, report = firm.rehearse("--scratch-url", by("psycopg", copied), "--no-load")
    assert report, answer.err + answer.out
    assert seen_by_the_application(pgbouncer) == before
    [original] = [phase for phase in report["phases"] if phase["name"] == "original"]
    assert original["headline"] == "its schema is what it was; its rows were not compared"
    assert BEHIND_A_POOLER in original["lines"]
    assert query(postgresql, "SELECT version_num FROM alembic_version") == ["r1"]
    assert query(copied, "SELECT count(*) FROM engagements") == [12]


EMPTY_OF_OTHERS = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
    "WHERE datname = current_database() AND pid <> pg_backend_pid()"
)
STRAY = """
import psycopg, sys
connection = psycopg.connect(host="127.0.0.1", port={port}, user={user!r}, dbname={name!r})
connection.execute("SELECT 1")
sys.stdin.close()
import os
os.read(os.pipe()[0], 1)
"""


def test_a_step_that_goes_to_the_original_through_the_applications_pooler_is_stopped(
    tmp_path: Path, postgresql: str, pgbouncer: str, copied: str
) -> None:
    """The pooler passes the client's application name on to a session that was there before the step began."""
    firm = Firm.found(tmp_path / "firm", postgresql)
    as_owner(postgresql, EMPTY_OF_OTHERS, f"CREATE DATABASE {COPIED} TEMPLATE {make_url(postgresql).database}")
    seen_by_the_application(pgbouncer)
    url = make_url(pgbouncer)
    stray = tmp_path / "stray.py"
    stray.write_text(STRAY.format(port=url.port, user=url.username, name=url.database))
    step_environment = StepEnvironment(firm.config(), postgresql, copied, firm.folder, 60, lambda line: None)
    with pytest.raises(OriginalReachedError) as raised:  # -I: no guard, only the watch sees it
        carry_out(step_environment, "upgrade", f"{sys.executable} -I {stray}")
    assert any("session" in line for line in raised.value.evidence)
    assert step_environment.remarks == [] or all(
        "watched" not in line or "only" in line for line in step_environment.remarks
    )


def test_another_machines_process_of_the_same_number_is_not_ended() -> None:
    """A process number of MySQL's clients tells something over a Unix socket only."""
    remote = Session(7, "", "10.0.0.9", 40_000, "", 12)
    assert not remote.is_of("token", {12}, set())
    assert Session(7, "", "", 0, "", 12).is_of("token", {12}, set())
    assert remote.is_of("token", set(), {("10.0.0.9", 40_000)})
