"""What is kept away, counted and told apart: the guard, row digests, test suites, the user's own callables."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import make_url

from pytest_dealsnap.rehearsal.guard import ORDERS
from pytest_dealsnap.rehearsal.protection import target_of
from pytest_dealsnap.rehearsal.rollout import Rollout
from pytest_dealsnap.rehearsal.row_digests import digest, said
from pytest_dealsnap.rehearsal.step_environment import StepEnvironment
from pytest_dealsnap.rehearsal.steps import OriginalReachedError
from pytest_dealsnap.rehearsal.suites import SuiteError, compare_suites, read_junit
from tests.plugin.project import clean_environment
from tests.rehearsal.sample_project import Firm, run_statements
from tests.rehearsal.test_scratch import query


def guarded(original: str, code: str) -> str:
    """Run code under the guard, and return what it says last."""
    orders = json.dumps({"original": target_of(original), "copy": target_of("sqlite:///nowhere.db"), "record": None})
    source = f"import pytest_dealsnap.rehearsal.guarded\n{code}"
    done = subprocess.run(
        [sys.executable, "-c", source], env=clean_environment(**{ORDERS: orders}), capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    return (done.stdout + done.stderr).strip().splitlines()[-1]


@pytest.mark.parametrize("name", ["deals.db", "file:{}?mode=ro"])
def test_the_original_file_cannot_be_opened(tmp_path: Path, name: str) -> None:
    """By whatever name; another file can."""
    path = tmp_path / "deals.db"
    path.touch()
    target = str(path) if name == "deals.db" else name.format(path)
    code = f"import sqlite3; sqlite3.connect({target!r}, uri=True); print('opened')"
    assert "OriginalDatabaseError" in guarded(f"sqlite:///{path}", code)
    assert guarded(f"sqlite:///{tmp_path / 'other.db'}", code) == "opened"
    statement = f"ATTACH '{target}' AS o"
    attach = f"import sqlite3; sqlite3.connect(':memory:', uri=True).execute({statement!r})"
    assert "not authorized" in guarded(f"sqlite:///{path}", attach)


def test_the_original_server_database_cannot_be_opened(postgresql: str) -> None:
    """Through SQLAlchemy; another database of the same server can."""
    code = f"import sqlalchemy; sqlalchemy.create_engine({postgresql!r}).connect(); print('opened')"
    assert "OriginalDatabaseError" in guarded(postgresql, code)
    other = make_url(postgresql).set(database="another").render_as_string(hide_password=False)
    assert guarded(other, code) == "opened"


@given(st.integers(-(10**18), 10**18) | st.decimals(-(10**9), 10**9, places=6))
def test_equal_numbers_say_the_same(number: int | Decimal) -> None:
    """A column that becomes NUMERIC, or an INTEGER again, keeps its digests."""
    assert said(number) == said(Decimal(number)) == said(Decimal(number) * Decimal("1.000"))
    if isinstance(number, int) and abs(number) < 2**53:
        assert said(float(number)) == said(number)


def test_different_values_say_different_things() -> None:
    """Types are told apart where their values are."""
    values = [
        None,
        "",
        "None",
        0,
        1,
        -1,
        "1",
        b"1",
        0.5,
        Decimal("0.25"),
        float("inf"),
        datetime(2026, 1, 1),
        [1],
        {"a": 1},
    ]
    assert len({digest(value) for value in values}) == len(values)
    assert digest(datetime(2026, 1, 1)) == digest("2026-01-01 00:00:00")  # SQLite has texts


def junit(path: Path, **cases: str) -> Path:
    """Write JUnit XML: each test's name with the element inside of it."""
    inner = "".join(
        f'<testcase classname="t" name="{name}">{f"<{kind}/>" if kind else ""}</testcase>'
        for name, kind in cases.items()
    )
    path.write_text(f"<testsuites><testsuite>{inner}</testsuite></testsuites>")
    return path


def test_suites_are_compared_test_by_test(tmp_path: Path) -> None:
    """Only what passed before can regress; what failed before is known, or mended."""
    before = read_junit(junit(tmp_path / "a.xml", a="", b="", c="", d="failure", e="error", f="skipped"))
    after = read_junit(junit(tmp_path / "b.xml", a="", b="error", d="failure", e="", f="failure", c="skipped"))
    changes = compare_suites(before, after)
    assert changes.regressions == ("t::b", "t::c")
    assert changes.known == ("t::d",)
    assert changes.mended == ("t::e",)
    assert compare_suites(before, {}).gone == ("t::a", "t::b", "t::c")


@pytest.mark.parametrize(
    ("text", "words"), [(None, "{junit}"), ("<oops", "no JUnit XML"), ("<testsuites/>", "no test")]
)
def test_a_suite_that_left_no_results_is_an_error(tmp_path: Path, text: str | None, words: str) -> None:
    """Never an empty success."""
    path = tmp_path / "x.xml"
    if text is not None:
        path.write_text(text)
    with pytest.raises(SuiteError, match=words):
        read_junit(path)


def test_callables_go_up_and_down(tmp_path: Path) -> None:
    """``module:callable``, with or without the URL as its argument; what it forgets is found without Alembic's help."""
    firm = Firm.found(tmp_path, rehearsal='upgrade = "moves:up"\ndowngrade = "moves:down"')
    (tmp_path / "moves.py").write_text(
        "import os, sqlite3\n"
        "def run(url, sql): sqlite3.connect(url.removeprefix('sqlite:///'), isolation_level=None).execute(sql)\n"
        "def up(url): run(url, \"UPDATE engagements SET kind = 'acquisition' WHERE kind IS NULL\")\n"
        "def down(): run(os.environ['FIRM_DB'], 'DELETE FROM notes')\n"
    )
    migration, timeline = firm.migration()
    start = migration.state("start")
    assert migration.upgrade()
    migration.verify(start, finished=True)
    assert migration.downgrade(start)
    found = {problem.code: problem for problem in timeline.problems}
    assert found.keys() == {"types_invalid", "invalid_types_accepted", "downgrade_loses_data"}
    assert "notes: 2 rows lost" in found["downgrade_loses_data"].evidence
    assert query(firm.url, "SELECT count(*) FROM notes") == [0]


def test_a_shell_command_cannot_migrate_the_original(tmp_path: Path) -> None:
    """A command that knows its database by itself is stopped before it writes."""
    firm = Firm.found(tmp_path, rehearsal=f'upgrade = "{sys.executable} stray.py"')
    (tmp_path / "stray.py").write_text(
        f"import sqlite3\nc = sqlite3.connect({str(tmp_path / 'firm.db')!r})\nc.execute('DROP TABLE notes')\n"
    )
    step_environment = StepEnvironment(
        firm.config(), firm.url, f"sqlite:///{tmp_path}/copy.db", tmp_path, 60, lambda line: None
    )
    with pytest.raises(OriginalReachedError) as raised:
        Rollout.of(firm.config()).up(step_environment)
    assert "opened by sqlite3" in raised.value.evidence
    assert "FIRM_DB" in raised.value.advice
    assert query(firm.url, "SELECT count(*) FROM notes") == [2]


def test_a_table_without_a_key_is_compared_as_a_bag(tmp_path: Path) -> None:
    """Rows that say the same are counted, so that a doubled one is seen; the deals' own go by their id."""
    firm = Firm.found(tmp_path)
    run_statements(
        firm.url, "CREATE TABLE bag (x INTEGER, y TEXT)", "INSERT INTO bag VALUES (1, 'a'), (1, 'a'), (2, 'b')"
    )
    firm.revision("r2", "r1", 'op.execute("INSERT INTO bag SELECT * FROM bag WHERE x = 2")')
    problems = firm.upgraded(chain=False)
    assert problems["rows_duplicated"].title == "1 row of bag is duplicated"
