"""MariaDB and MySQL: dealsnap copies by itself, says what the server locks and commits, and knows its collations."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import create_engine, inspect
from sqlalchemy.engine import make_url

from pytest_dealsnap.config import DealsConfig
from pytest_dealsnap.deals.dialects import dialect_of
from pytest_dealsnap.deals.open_source import open_source
from pytest_dealsnap.errors import SourceError
from pytest_dealsnap.rehearsal.constraint_probe import probe_types
from pytest_dealsnap.rehearsal.locks import watch_locks
from pytest_dealsnap.rehearsal.owners import this_process
from pytest_dealsnap.rehearsal.scratch import scratch_copy
from pytest_dealsnap.rehearsal.scratch_databases import drop_scratch, scratch_databases
from pytest_dealsnap.rehearsal.states import connected
from tests.builders import configure
from tests.mariadb import as_root
from tests.rehearsal.sample_project import Firm, run_statements
from tests.rehearsal.test_rehearse import codes
from tests.rehearsal.test_scratch import query

pytestmark = pytest.mark.slow
DEALS = 'database = "sqlite:///x.db"\n[deals]\ntable = "engagements"\nid = "ref"\ntype = "kind"\n'
TABLE = (
    "CREATE TABLE engagements (ref INT PRIMARY KEY, kind VARCHAR(30) NOT NULL{collate}, {check})",
    "INSERT INTO engagements VALUES (1, 'acquisition')",
)
CHECK = "CONSTRAINT valid_kind CHECK (kind IN ('acquisition', 'carveout', 'divestiture'))"
REST = (
    "CREATE TABLE log (id INT PRIMARY KEY AUTO_INCREMENT, body BLOB)",
    "CREATE TRIGGER noted AFTER INSERT ON engagements FOR EACH ROW INSERT INTO log (body) VALUES (x'00ff')",
    "CREATE VIEW first_ones AS SELECT ref FROM engagements WHERE ref < 10",
    "INSERT INTO engagements VALUES (2, 'carveout')",
)


def statements(check: str = CHECK, collate: str = "") -> list[str]:
    """Return what makes the table of engagements."""
    return [statement.format(check=check, collate=collate) for statement in TABLE]


def deals_of(folder: Path) -> DealsConfig:
    """Return the configuration of the engagements."""
    return configure(folder, DEALS).deals


def databases(url: str) -> list[object]:
    """Return the scratch databases on the server."""
    return query(url, "SELECT schema_name FROM information_schema.schemata WHERE schema_name LIKE 'dealsnap%'")


def test_a_copy_is_made_by_dump_and_client(mariadb: str) -> None:
    """Tables, rows, views and triggers are there; it is gone at the end, whoever is connected to it."""
    run_statements(mariadb, *statements(), *REST)
    with scratch_copy(mariadb) as copy:
        assert copy.means.endswith("dump and mariadb")
        assert make_url(copy.url).database in databases(mariadb)
        with connected(copy.url) as connection:
            assert inspect(connection).get_view_names() == ["first_ones"]
            assert connection.exec_driver_sql("SELECT body FROM log").scalars().all() == [b"\x00\xff"]
            triggers = dialect_of("mariadb").triggers
            assert connection.exec_driver_sql(triggers).scalars().all() == ["noted"]
        left_open = create_engine(copy.url)
        left_open.connect()
    left_open.dispose()
    assert databases(mariadb) == []


def test_a_trigger_that_names_the_original_ends_the_copying(mariadb: str) -> None:
    """Its copy would write there."""
    name = make_url(mariadb).database
    run_statements(mariadb, *statements(), REST[0], REST[1].replace("INTO log", f"INTO {name}.log"))
    with pytest.raises(SourceError, match="trigger noted names the database deals itself"), scratch_copy(mariadb):
        pass
    assert databases(mariadb) == []


def test_the_right_that_is_missing_is_named(mariadb: str) -> None:
    """A user who may read, and make no database."""
    run_statements(mariadb, *statements())
    user = "'reader'@'127.0.0.1'"
    as_root(mariadb, f"CREATE OR REPLACE USER {user} IDENTIFIED BY 'se cret'", f"GRANT SELECT ON deals.* TO {user}")
    url = make_url(mariadb).set(username="reader", password="se cret").render_as_string(hide_password=False)
    with pytest.raises(SourceError) as caught, scratch_copy(url):
        pass
    assert r"GRANT ALL ON `dealsnap\_scratch\_%`.* TO 'reader'" in str(caught.value)
    assert "se cret" not in str(caught.value)
    as_root(
        mariadb, rf"GRANT ALL ON `dealsnap\_scratch\_%`.* TO {user}", f"GRANT SHOW VIEW, TRIGGER ON deals.* TO {user}"
    )
    with scratch_copy(url) as copy:
        assert query(copy.url, "SELECT count(*) FROM engagements") == [1]


@pytest.mark.parametrize(
    ("check", "collate", "accepted", "folded"),
    [
        (CHECK, "", (), ("ACQUISITION",)),
        (CHECK, " COLLATE utf8mb4_bin", (), ()),
        ("UNIQUE (kind)", "", ("no such type", "", "ACQUISITION"), ()),
    ],
)
def test_a_collation_is_no_missing_constraint(
    mariadb: str, tmp_path: Path, check: str, collate: str, accepted: tuple[str, ...], folded: tuple[str, ...]
) -> None:
    """MariaDB's default collation holds ``ACQUISITION`` equal to ``acquisition``: the CHECK is there all the same."""
    run_statements(mariadb, *statements(check, collate))
    with connected(mariadb) as connection:
        probes = probe_types(connection, deals_of(tmp_path))
    assert (probes.accepted, probes.folded, probes.refused) == (accepted, folded, ())
    audited = replace(configure(tmp_path, DEALS + 'name = ""\n'), database=mariadb)
    source = open_source(audited)
    try:
        constraints = source.type_constraints()
    finally:
        source.close()
    assert constraints is not None
    assert bool(constraints.accepted) is bool(accepted)


def test_what_a_killed_rehearsal_left_is_dropped(mariadb: str) -> None:
    """MariaDB keeps in the database's comment whose it is; one without a comment is left to a person."""
    as_root(mariadb, "CREATE DATABASE dealsnap_scratch_x COMMENT 'kept by dealsnap rehearse --keep'")
    as_root(mariadb, "CREATE DATABASE dealsnap_scratch_y")
    as_root(mariadb, f"CREATE DATABASE dealsnap_scratch_z COMMENT '{this_process()}'")
    found, unseen = scratch_databases(mariadb, place="database")
    assert (found, list(unseen)) == ([], ["dealsnap_scratch_y"])
    place = " ".join(this_process().split()[:3])
    as_root(mariadb, f"ALTER DATABASE dealsnap_scratch_z COMMENT '{place} 999999999 1'")
    found, _ = scratch_databases(mariadb, place="database")
    assert found == ["dealsnap_scratch_z"]
    for name in ("dealsnap_scratch_x", "dealsnap_scratch_y", "dealsnap_scratch_z"):
        drop_scratch(mariadb, name, place="database")
    assert databases(mariadb) == []


def test_the_statements_that_change_the_schema_are_timed(mariadb: str) -> None:
    """Where the server shows no metadata locks, it shows what runs."""
    run_statements(mariadb, *statements())
    with watch_locks(mariadb) as watch:
        run_statements(mariadb, "CREATE TABLE slow AS SELECT SLEEP(0.4) AS x")
    assert watch is not None
    [seen] = watch.seen()
    assert (seen.relation, seen.mode) == ("CREATE TABLE slow AS SELECT SLEEP(0.4) AS x", "statement")
    assert seen.seconds > 0


def test_a_failure_midway_is_said_to_stay(mariadb: str, tmp_path: Path) -> None:
    """MariaDB commits at each change of the schema, so that advice to use one transaction would be wrong."""
    firm = Firm.found(tmp_path, mariadb)
    firm.revision(
        "r2", "r1", "op.execute('CREATE TABLE kinds_before AS SELECT ref FROM engagements')\nop.execute('oops')"
    )
    problem = firm.upgraded(chain=False)["upgrade_half_done"]
    assert "commits at every change of the schema" in problem.advice


def test_a_sound_rollout_on_mariadb_may_proceed(mariadb: str, tmp_path: Path) -> None:
    """The whole rehearsal, on a copy that dealsnap made: CHECK and NOT NULL are there, and so is the way back."""
    firm = Firm.found(tmp_path, mariadb)
    answer, report = firm.rehearse()
    assert answer.code == 0, answer.out + answer.err
    assert answer.verdict.startswith("PROCEED")
    assert codes(report) == {"types_fold": "note"}
    assert databases(mariadb) == []
