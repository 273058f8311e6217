"""A gate under xdist over PostgreSQL: what others delete and retype meanwhile is judged as it was, or told as moved."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url
from sqlalchemy.pool import NullPool

from tests.plugin.project import CONFIG, Outcome, Project

TABLE = "CREATE TABLE transactions (deal_no TEXT PRIMARY KEY, title TEXT, kind TEXT, amount INTEGER)"
ROWS = "INSERT INTO transactions SELECT 'd' || n, 'Orion', 'acquisition', 100 + n FROM generate_series(1, 40) AS n"
# Whichever worker calls it first moves other deals, as another user of the application would; nobody goes on before.
REASONER = """
import os
import time
from pathlib import Path

import psycopg

HERE = Path(__file__).parent
APPLICATION = {application!r}


def move(own):
    with psycopg.connect(APPLICATION, prepare_threshold=None) as other:
        parts = ("DELETE FROM transactions", 0), ("UPDATE transactions SET kind = 'carveout'", 1), (CHANGE, 2)
        for statement, part in parts:
            if statement:
                where = " WHERE mod(substr(deal_no, 2)::int, 4) = %s AND deal_no <> %s"
                other.execute(statement + where, [part, own])
    (HERE / "moved").touch()


CHANGE = {change!r}


def value(transaction):
    if os.environ.get("MOVE"):
        try:
            os.close(os.open(HERE / "first", os.O_CREAT | os.O_EXCL))
        except FileExistsError:
            for _ in range(400):
                if (HERE / "moved").exists():
                    break
                time.sleep(0.05)
        else:
            move(transaction.id)
            (HERE / "mover").write_text(transaction.id)
        with (HERE / "workers").open("a") as log:
            log.write(f"{{os.getpid()}}\\n")
    amount, kind = {reading}
    return {{"offer": {{"price": amount}}, "risks": [], "memo": kind}}


def live(deal_no):
    with psycopg.connect(APPLICATION, prepare_threshold=None) as own:
        row = own.execute("SELECT amount, kind FROM transactions WHERE deal_no = %s", [deal_no]).fetchone()
    if row is None:
        raise LookupError(deal_no)
    amount, kind = row
    return (amount if kind == "acquisition" else 1), kind  # by the type that it has by now
"""
OF_THE_DEAL, LIVE = 'transaction["amount"], transaction["kind"]', "live(transaction.id)"


def conninfo(url: str) -> str:
    """Return a URL as an application gives it to psycopg."""
    given = make_url(url)
    host = given.host or given.query["host"]
    return f"host={host} port={given.port or 5432} user={given.username} dbname={given.database}"


def statement(url: str, question: str) -> list[tuple[object, ...]]:
    """Return the rows of an answer; what is written stays."""
    engine = create_engine(url, poolclass=NullPool)
    with engine.begin() as connection:
        answer = connection.execute(text(question))
        rows = [tuple(row) for row in answer] if answer.returns_rows else []
    engine.dispose()
    return rows


def psycopg_url(url: str) -> str:
    """Return *url* by psycopg."""
    return make_url(url).set(drivername="postgresql+psycopg").render_as_string(hide_password=False)


def moved_gate(folder: Path, server: str, url: str, reading: str, *, change: str = "", settings: str = "") -> Outcome:
    """Capture, then gate by two workers while deals move; both workers judge some, and no session is left."""
    statement(server, TABLE)
    statement(server, ROWS)
    source = REASONER.format(application=conninfo(url), reading=reading, change=change)
    config = CONFIG.replace("sqlite:///book.db", psycopg_url(url))
    project = Project(folder, config=config).with_reasoner(source).with_settings(settings, section="deals").captured()
    outcome = project.with_environment(MOVE="1").gate("-n", "2")
    assert len(set((folder / "workers").read_text().split())) == 2
    return outcome


def unmoved(server: str) -> dict[str, str]:
    """Return the deals that are what they were, as the gate must have judged them."""
    rows = statement(server, "SELECT deal_no FROM transactions WHERE kind = 'acquisition'")
    return {str(deal_no): "matched" for (deal_no,) in rows}


def test_two_workers_judge_the_state_of_the_beginning(tmp_path: Path, postgresql: str) -> None:
    """Deals deleted, retyped and changed by others in the first moment: every row is the listed one."""
    outcome = moved_gate(
        tmp_path, postgresql, postgresql, OF_THE_DEAL, change="UPDATE transactions SET amount = amount * 10"
    )
    assert outcome.code == 0, outcome.text
    assert outcome.action == "proceed"
    assert outcome.statuses == {f"d{number}": "matched" for number in range(1, 41)}
    assert len(unmoved(postgresql)) in (20, 21)  # it did move: the mover's own deal stays
    question = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    assert statement(postgresql, question) == [(0,)]


def test_what_a_reasoner_sees_for_itself_is_told_as_moved(tmp_path: Path, postgresql: str) -> None:
    """It reads the database at its own moment: neither its failures nor its other answers count."""
    outcome = moved_gate(tmp_path, postgresql, postgresql, LIVE)
    told_as_moved(outcome, postgresql)


def test_a_state_that_is_not_kept_judges_no_deal_that_moved(tmp_path: Path, postgresql: str) -> None:
    """``deals.snapshot_seconds = 0``."""
    outcome = moved_gate(tmp_path, postgresql, postgresql, OF_THE_DEAL, settings="snapshot_seconds = 0")
    told_as_moved(outcome, postgresql)


@pytest.mark.parametrize("reading", [OF_THE_DEAL, LIVE])
def test_through_a_pooler_no_state_is_kept_and_no_deal_that_moved_is_judged(
    tmp_path: Path, postgresql: str, pgbouncer: str, reading: str
) -> None:
    """Two workers and the application share the pool's one session, and the application writes during the run."""
    outcome = moved_gate(tmp_path, postgresql, pgbouncer, reading)
    told_as_moved(outcome, postgresql)


def told_as_moved(outcome: Outcome, server: str) -> None:
    """Check that exactly the deals that are as they were are judged, and the others are said to have moved."""
    assert outcome.action == "inconclusive", outcome.text
    assert outcome.code == 1
    assert outcome.statuses == unmoved(server)
    gone = {f"d{number}" for number in range(1, 41)} - outcome.statuses.keys()
    assert len(gone) in (19, 20)
    there = {deal_no for (deal_no,) in statement(server, "SELECT deal_no FROM transactions")}
    for deal_id in gone:
        words = "was deleted, or is no longer selected" if deal_id not in there else "changed from 'acquisition' to"
        assert any(deal_id in line.split() and words in line for line in outcome.text.splitlines()), deal_id
