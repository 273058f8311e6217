"""What is not the reasoner's failure is not a result: the source away, dealsnap's own errors, the environment's."""

from __future__ import annotations

import pytest
from sqlalchemy import create_engine

from tests.plugin.project import CONFIG, SCHEMA, Project, deal, deals
from tests.postgresql import as_owner

CUT = """
import os
from sqlalchemy import create_engine, text

def value(transaction):
    if transaction.id == "d2":
        engine = create_engine(os.environ["ADMIN"], isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.execute(text(os.environ["STATEMENT"]))
        engine.dispose()
    return {"offer": {"price": transaction["amount"]}, "risks": []}
"""

ENDED = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
    "WHERE datname = current_database() AND pid <> pg_backend_pid()"
)


def on_server(project: Project, url: str, *, count: int = 4) -> Project:
    """Return *project* with its deals on a server."""
    rows = ", ".join(f"('d{number}', 'Orion', 'acquisition', {100 + number})" for number in range(1, count + 1))
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.exec_driver_sql("DROP TABLE IF EXISTS transactions")
        connection.exec_driver_sql(SCHEMA.replace("TEXT", "VARCHAR(40)"))
        connection.exec_driver_sql(f"INSERT INTO transactions VALUES {rows}")
    engine.dispose()
    config = CONFIG.replace("sqlite:///book.db", url)
    return project.with_config(config).with_deals(*deals(count)).with_reasoner(CUT).with_environment(ADMIN=url)


def test_a_connection_cut_once_changes_nothing(project: Project, postgresql: str) -> None:
    """The read is tried once more on a fresh connection, in a capture and in a gate: no deal becomes an error."""
    project = on_server(project, postgresql).with_environment(STATEMENT=ENDED)
    captured = project.capture()
    assert captured.code == 0, captured.text
    assert project.snapshot("d2")["metrics"]["price"] == 102
    gate = project.gate()
    assert (gate.code, gate.action) == (0, "proceed"), gate.text


def test_a_connection_killed_on_mariadb_changes_nothing(project: Project, mariadb: str) -> None:
    """MariaDB's KILL is answered by a fresh connection, too."""
    kill = (
        "BEGIN NOT ATOMIC DECLARE one BIGINT; "
        "FOR row IN (SELECT id FROM information_schema.processlist WHERE db = database() AND id <> connection_id()) "
        "DO SET one = row.id; KILL one; END FOR; END"
    )
    project = on_server(project, mariadb).with_environment(STATEMENT=kill)
    captured = project.capture()
    assert captured.code == 0, captured.text
    assert project.snapshot("d2")["metrics"]["price"] == 102


@pytest.mark.parametrize("flags", [(), ("-n", "2"), ("--dealsnap-workers", "2")], ids=["alone", "xdist", "workers"])
def test_a_source_that_stays_away_ends_the_run_without_a_verdict(
    project: Project, postgresql: str, flags: tuple[str, ...]
) -> None:
    """Nothing is recorded, nothing is judged, no deal counts as errored: inconclusive, exit 1."""
    project = on_server(project, postgresql, count=40).with_environment(STATEMENT="SELECT 1").captured()
    before = project.snapshots()
    away = project.with_environment(STATEMENT=f"ALTER ROLE limited CONNECTION LIMIT 0; {ENDED}")
    as_owner(postgresql, "DROP ROLE IF EXISTS limited", "CREATE ROLE limited LOGIN")
    as_owner(postgresql, "GRANT SELECT ON transactions TO limited")
    as_owner(postgresql, "GRANT USAGE ON SCHEMA public TO limited")
    try:
        away = away.with_config(away.config.replace("postgres:", "limited:", 1))
        gate = away.gate(*flags)
        assert (gate.code, gate.action) == (1, "inconclusive"), gate.text
        assert gate.report["summary"]["errored"] == gate.report["summary"]["regressed"] == 0
        assert "gave no answer" in gate.report["verdict"]["reason"]
        assert gate.report["run"]["not_judged"], "what was not judged is named"
        as_owner(postgresql, "ALTER ROLE limited CONNECTION LIMIT -1")
        capture = away.capture(*flags)
        assert capture.code == 1, capture.text
        assert project.snapshots() == before
    finally:
        as_owner(postgresql, "DROP OWNED BY limited", "DROP ROLE limited")


LOST = """
def value(transaction):
    try:
        amount = transaction["amount"]
    except Exception as error:
        HANDLED
    return {"offer": {"price": amount}, "risks": []}
"""

SOURCE = """
import os
from pytest_dealsnap.deals import sql
from pytest_dealsnap.errors import SourceError

whole = sql.SQLSource._fields

def fields(self, ref):
    if ref.id == os.environ.get("UNREADABLE"):
        raise SourceError("a value of column amount cannot be read")
    return whole(self, ref)

sql.SQLSource._fields = fields
"""


HANDLED = ("raise", "raise ValueError('no amount') from error", "raise KeyError('x') from None", "amount = 0")
POOL = ("--dealsnap-executor", "pools:make")


@pytest.mark.parametrize(
    ("handled", "flags"),
    [*((handled, ()) for handled in HANDLED), ("amount = 0", ("--dealsnap-workers", "2")), ("raise", POOL)],
)
def test_an_error_of_dealsnaps_own_is_never_the_reasoners(
    project: Project, handled: str, flags: tuple[str, ...]
) -> None:
    """Raised inside ``deal["amount"]``, wrapped or swallowed: the deal is not judged, its snapshot stays."""
    pools = "from concurrent.futures import ThreadPoolExecutor\n\ndef make():\n    return ThreadPoolExecutor(2)\n"
    project = project.with_file("conftest.py", SOURCE).with_file("pools.py", pools)
    project = project.with_deals(*deals(3)).with_reasoner(LOST.replace("HANDLED", handled)).captured()
    before = project.snapshots()
    broken = project.with_environment(UNREADABLE="d2")
    capture = broken.capture(*flags)
    assert capture.code == 1, capture.text
    assert project.snapshots() == before
    assert set(capture.statuses) == {"d1", "d3"}
    gate = broken.gate(*flags)
    assert (gate.code, gate.action) == (1, "inconclusive"), gate.text
    assert gate.statuses == {"d1": "matched", "d3": "matched"}
    assert gate.report["run"]["not_judged"] == ["d2"]
    assert "no failure of the reasoner: SourceError: a value of column amount" in gate.text


SERVICE = """
import socket

class RateServiceDown(Exception):
    pass

class Closed(RateServiceDown):
    pass

KIND value(transaction):
    if transaction.id == "d2":
        RAISED
    return {"offer": {"price": transaction["amount"]}, "risks": []}
"""


REFUSED, NAMED = "socket.create_connection(('127.0.0.1', 1))", "raise Closed('for the night')"


@pytest.mark.parametrize(
    ("kind", "flags", "raised"),
    [
        ("def", (), REFUSED),
        ("async def", (), NAMED),
        ("async def", ("--dealsnap-workers", "2"), REFUSED),
        ("def", ("--dealsnap-workers", "2"), NAMED),
        ("def", ("-n", "1"), NAMED),
    ],
)
def test_an_exception_of_the_environment_is_not_judged_and_not_recorded(
    project: Project, kind: str, flags: tuple[str, ...], raised: str
) -> None:
    """A refused connection, and what ``errors.environment`` names: exit 1, and no result for the deal."""
    project = project.with_settings('environment = ["valuation.RateServiceDown"]', section="errors")
    project = project.with_deals(*deals(3)).captured()
    before = project.snapshots()
    project = project.with_reasoner(SERVICE.replace("KIND", kind).replace("RAISED", raised))
    gate = project.gate(*flags)
    assert (gate.code, gate.action) == (1, "inconclusive"), gate.text
    assert gate.report["run"]["not_judged"] == ["d2"]
    assert set(gate.statuses.values()) == {"changed"}
    capture = project.capture(*flags)
    assert capture.code == 1, capture.text
    assert project.snapshots()["d2.json"] == before["d2.json"]


def test_a_matrix_does_not_judge_what_the_environment_failed(project: Project) -> None:
    """Under one type is enough: the deal has no result."""
    project = project.with_deals(deal("d1"), deal("d2"))
    outcome = project.with_reasoner(
        "def value(t):\n    if (t.id, t.deal_type) == ('d2', 'carveout'):\n        raise ConnectionResetError('gone')\n"
        "    return {'offer': {'price': len(t.deal_type)}, 'risks': []}\n"
    ).gate("--dealsnap-matrix")
    assert (outcome.code, outcome.action) == (1, "inconclusive"), outcome.text
    assert set(outcome.statuses) == {"d1"}


def test_a_name_of_an_exception_is_checked(project: Project) -> None:
    """What cannot be a name is a usage error that shows it."""
    outcome = project.with_deals(deal("a")).with_settings('environment = ["no name"]', section="errors").capture()
    assert outcome.code == 4
    assert "'no name' names no exception" in outcome.text


def test_a_user_test_over_deals_tells_why_there_is_no_output(project: Project) -> None:
    """``deal_output`` fails with the reason, not with a failure of the reasoner."""
    project = project.with_deals(*deals(2)).captured()
    down = SERVICE.replace("KIND", "def").replace("RAISED", "raise ConnectionRefusedError(111)")
    project = project.with_file("test_own.py", "def test_own(deal_output):\n    assert deal_output\n")
    outcome = project.with_reasoner(down).gate("test_own.py")
    assert "deal d2 has no output: ConnectionRefusedError" in outcome.text
