"""``dealsnap rehearse`` from end to end, as a user runs it."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.console import dealsnap
from tests.plugin.project import clean_environment
from tests.rehearsal.sample_project import BACK, BATCH, QUICK, REASONER, Firm, run_statements
from tests.rehearsal.test_scratch import files, query, scratch_databases

OWN_TESTS = """
import os
import sqlite3

FIRM = os.environ["FIRM_DB"].removeprefix("sqlite:///")

def ask(question):
    connection = sqlite3.connect(FIRM)
    answer = connection.execute(question).fetchone()
    connection.execute("DELETE FROM engagements")  # tests may do what they like with their copy
    connection.commit()
    connection.close()
    return answer

def test_fees(): assert ask("SELECT min(fee) FROM engagements") == (1000,)
def test_known(): assert not "known to fail"
"""
MORE_TESTS = """
import pytest

def test_kinds(): assert ask("SELECT count(*) FROM engagements WHERE kind IS NULL") == (2,)

@pytest.mark.skipif(os.environ["KINDS_COUNT"] == "yes", reason="not any more")
def test_old(): pass
"""
WIPE = 'connection.execute("DELETE FROM engagements")'
TESTS = f'tests = "{sys.executable} -m pytest own -q -p no:cacheprovider -p no:dealsnap --junitxml={{junit}}"'
FINDINGS = "findings"


def codes(report: dict[str, object]) -> dict[str, str]:
    """Return the findings of a report with their weight; how many requests failed is the machine's pace."""
    found = report[FINDINGS]
    assert isinstance(found, list)
    return {finding["code"]: finding["weight"] for finding in found if finding["code"] != "requests_failed"}


def headlines(report: dict[str, object]) -> dict[str, str]:
    """Return what each phase showed."""
    phases = report["phases"]
    assert isinstance(phases, list)
    return {phase["name"]: phase["headline"] for phase in phases}


def test_a_sound_rollout_is_green(tmp_path: Path) -> None:
    """Every phase passes, known failures of the own tests are carried, and nothing of the user's is touched."""
    firm = Firm.found(tmp_path, rehearsal=TESTS)
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "test_own.py").write_text(OWN_TESTS)
    (tmp_path / "tmp").mkdir()
    before = files_of(tmp_path)
    answer, report = firm.rehearse("--report", "json:-", TMPDIR=str(tmp_path / "tmp"))
    assert answer.code == 0, answer.out + answer.err
    assert answer.verdict == "PROCEED - none of 12 compared deals is affected"
    assert codes(report) == {}
    assert {phase["status"] for phase in report["phases"]} == {"passed", "skipped"}
    shown = headlines(report)
    assert shown["tests_before"] == "2 tests, 1 of them fail already"
    assert shown["tests_after"] == "2 tests, 1 known failure carried"
    assert shown["after_off"] == "12 deals, 0 with another answer than before"
    assert shown["flag"] == "turning it on changes 4 deals before the upgrade and 4 deals after the upgrade"
    assert shown["type_reach"] == "8 of 8 deals give a different answer under another type: price in 8"
    assert shown["restored_off"] == "12 deals, 0 of them changed"
    assert report["attribution"]["code"] == 4
    assert report["load"]["reads"] > 0
    assert report["gate"]["summary"]["compared"] == 12
    assert "alembic upgrade head   # on the real database, after a backup" in answer.out
    assert "upgrade …" in answer.err
    assert shown["original"].startswith("unchanged to the byte, SHA-256 ")
    assert files_of(tmp_path) == before
    assert [*(tmp_path / "tmp").glob("dealsnap*")] == []


def files_of(folder: Path) -> dict[str, str]:
    """Return the project's own files, the database's among them, with their checksums."""
    return {name: digest for name, digest in files(folder).items() if name != "rehearsal.json"}


def test_dead_flag_dead_type_and_broken_tests(tmp_path: Path) -> None:
    """A flag that nothing reads, a type that never arrives, own tests that break; by a shell command, no way back."""
    command = f"""
upgrade = "{sys.executable} migrate.py"
{TESTS}
"""
    firm = Firm.found(tmp_path, rehearsal=command, reasoner=REASONER.replace('== "yes"', '== "on"'))
    (tmp_path / "migrate.py").write_text(MIGRATE)
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "test_own.py").write_text(OWN_TESTS.replace(WIPE, "") + MORE_TESTS)
    answer, report = firm.rehearse()
    assert answer.code == 1
    dead = dict.fromkeys(("flag_unread", "type_unread", "tests_regressed"), "fails")
    assert codes(report) == {**dead, "deals_regressed": "fails"}  # a carve-out's price was to double
    assert answer.verdict.startswith("ROLL BACK - 2 of 12 compared deals are affected (16.7 %)")
    assert "turning the flag off would not help: the flag KINDS_COUNT changes nothing" in answer.verdict
    assert "restore from the backup" in answer.out
    assert "fails: own.test_own::test_kinds" in answer.out
    assert "is skipped: own.test_own::test_old" in answer.out
    assert headlines(report)["downgrade"] == "rehearsal.downgrade names none: the way back is the backup"
    assert query(firm.url, "SELECT count(*) FROM engagements WHERE kind IS NULL") == [2]


MIGRATE = """
import os
import sqlite3

with sqlite3.connect(os.environ["FIRM_DB"].removeprefix("sqlite:///")) as connection:
    connection.executescript('''
        UPDATE engagements SET kind = 'acquisition' WHERE kind IS NULL OR kind = 'merger';
        CREATE TABLE n (ref VARCHAR(10) PRIMARY KEY, label VARCHAR(80), fee INTEGER NOT NULL,
            kind VARCHAR(30) NOT NULL CHECK (kind IN ('acquisition', 'carveout', 'divestiture')));
        INSERT INTO n SELECT * FROM engagements;
        DROP TABLE engagements;
        ALTER TABLE n RENAME TO engagements;
    ''')
"""

NOT_OFF = """
import os
from sqlalchemy import create_engine, text

AWARE = os.environ.get("KINDS_COUNT") == "yes"


def answer(deal_id):
    with create_engine(os.environ["FIRM_DB"]).connect() as connection:
        fee, kind = connection.execute(text("SELECT fee, kind FROM engagements WHERE ref = :r"), {"r": deal_id}).one()
    discount = 0.5 if kind is None else 1  # in the off branch too
    factor = {"carveout": 4}.get(kind, 1) if AWARE else 1
    return {"offer": {"price": fee * factor * discount, "lines": [{"kind": kind or "none"}]}}
"""


def test_a_flag_whose_off_is_not_the_old_behaviour(tmp_path: Path) -> None:
    """It is told for which deals and in which lines; each change is put down to data or code; money is counted."""
    firm = Firm.found(tmp_path, reasoner=NOT_OFF)
    answer, report = firm.rehearse("--no-load", "--keep", TMPDIR=str(tmp_path))
    assert answer.code == 1
    assert codes(report) == {"flag_off_differs": "fails", "deals_regressed": "fails"}
    [off] = [finding for finding in report[FINDINGS] if finding["code"] == "flag_off_differs"]
    assert off["deals"] == ["E-04", "E-06", "E-10", "E-12"]
    assert off["evidence"][:2] == ["offer.lines[].kind: in 4 deals", "offer.price: in 2 deals"]
    assert "offer.price 2,000 → 4,000" in off["evidence"][2]
    origins = {deal["id"]: deal["origin"] for deal in report["attribution"]["deals"]}
    assert origins == {
        **dict.fromkeys(("E-02", "E-08"), "code"),
        **dict.fromkeys(("E-04", "E-06", "E-10", "E-12"), "data"),
    }
    assert report["exposure"][0] | {"deal_name": ""} == {
        "metric": "price", "largest": "24000", "deal_id": "E-08", "deal_name": "", "total": "37000", "deals": 4,
    }  # fmt: skip
    assert report["verdict"]["action"] == "roll_back"
    assert "turning the flag off would not help" in report["verdict"]["reason"]
    assert "alembic downgrade r1" in answer.out
    [kept] = tmp_path.glob("dealsnap-scratch-*/scratch.db")
    assert str(kept) in answer.err


def test_a_sound_rollout_on_postgresql(tmp_path: Path, postgresql: str) -> None:
    """Locks are seen while the migration holds them; requests run beside it; the scratch database is dropped."""
    firm = Firm.found(tmp_path, postgresql)
    firm.revision("r2", "r1", BATCH + '\nop.execute("SELECT pg_sleep(0.3)")', BACK)
    before = query(postgresql, "SELECT e::text FROM engagements e ORDER BY ref")
    answer, report = firm.rehearse()
    assert answer.code == 0, answer.out + answer.err
    assert codes(report).keys() <= {"upgrade_failed_under_load"}
    strongest = report["locks"][0]
    assert (strongest["relation"], strongest["mode"]) == ("engagements", "AccessExclusiveLock")
    assert report["load"]["longest_read"] > 0
    assert "AccessExclusiveLock on engagements for" in answer.out
    assert scratch_databases(postgresql) == []
    assert query(postgresql, "SELECT e::text FROM engagements e ORDER BY ref") == before


def test_ctrl_c_drops_the_scratch_database(tmp_path: Path, postgresql: str) -> None:
    """In the middle of a step: the step ends, the copy goes, and the exit status says interrupted."""
    firm = Firm.found(tmp_path, postgresql, rehearsal='upgrade = "echo $$ > pipe && exec sleep 600"')
    os.mkfifo(tmp_path / "pipe")
    process = subprocess.Popen(
        [sys.executable, "-m", "pytest_dealsnap", "rehearse"],
        cwd=firm.folder, env=clean_environment(), stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    step = int((tmp_path / "pipe").read_text())  # waits until the upgrade runs
    assert len(scratch_databases(postgresql)) == 1
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=120)
    assert process.returncode == 130, said
    assert "interrupted: the original was only read, the scratch copy is gone" in said
    assert scratch_databases(postgresql) == []
    with pytest.raises(ProcessLookupError):
        os.kill(step, 0)


def test_sigterm_leaves_the_copy_that_was_to_be_kept(tmp_path: Path) -> None:
    """And nothing else: neither captures, which hold the deals' answers, nor the step."""
    firm = Firm.found(tmp_path, rehearsal='upgrade = "echo $$ > pipe && exec sleep 600"')
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "tmp").mkdir()
    process = subprocess.Popen(
        [sys.executable, "-m", "pytest_dealsnap", "rehearse", "--keep"],
        cwd=firm.folder, env=clean_environment(**QUICK, TMPDIR=str(tmp_path / "tmp")), stderr=subprocess.PIPE,
        text=True,
    )  # fmt: skip
    step = int((tmp_path / "pipe").read_text())
    process.send_signal(signal.SIGTERM)
    _, said = process.communicate(timeout=120)
    assert process.returncode == 128 + signal.SIGTERM
    [kept] = (tmp_path / "tmp").iterdir()
    assert f"the scratch database is kept: sqlite:///{kept}" in said
    assert "interrupted: the original was only read, the scratch copy is left as it was then" in said
    with pytest.raises(ProcessLookupError):
        os.kill(step, 0)


def test_a_copy_of_the_users_own_is_migrated_and_left(tmp_path: Path) -> None:
    """By ``--scratch-url``; without a way back, and with nothing to copy, the load is left out and says why."""
    firm = Firm.found(tmp_path, rehearsal=f'upgrade = "{sys.executable} migrate.py"')
    (tmp_path / "migrate.py").write_text(MIGRATE)
    shutil.copy(tmp_path / "firm.db", tmp_path / "mine.db")
    run_statements(firm.url, "UPDATE notes SET body = 'written since'")
    answer, report = firm.rehearse("--scratch-url", "sqlite:///mine.db")
    assert (answer.code, codes(report)) == (0, {})
    assert report["run"]["kept"] is True
    assert headlines(report)["copy"].endswith("mine.db, by the copy named by --scratch-url")
    assert headlines(report)["load"] == "the copy is upgraded already, and cannot be taken back"
    assert query(f"sqlite:///{tmp_path / 'mine.db'}", "SELECT count(*) FROM engagements WHERE kind IS NULL") == [0]
    assert query(firm.url, "SELECT count(*) FROM engagements WHERE kind IS NULL") == [2]


SOURCE = """

def deals():
    with ENGINE.connect() as connection:
        return [dict(row) for row in connection.execute(text("SELECT * FROM engagements")).mappings()]
"""


def test_deals_from_code_are_read_where_the_copy_is(tmp_path: Path) -> None:
    """In the steps only, whose environment leads to the copy; what needs a table is left out, and says so.

    Reports that the project's ``addopts`` ask for are a gate's, and stay.
    """
    firm = Firm.found(tmp_path, reasoner=REASONER + SOURCE)
    (tmp_path / "alembic.ini").unlink()
    settings = tmp_path / "dealsnap.toml"
    settings.write_text(settings.read_text().replace('table = "engagements"', 'source = "firm:deals"'))
    addopts = "--dealsnap-report json:gate.json --dealsnap-report=markdown:gate.md --junitxml=junit.xml -q"
    (tmp_path / "pytest.ini").write_text(f"[pytest]\naddopts = {addopts}\n")
    (tmp_path / "gate.json").write_text("the last gate's")
    answer, report = firm.rehearse()
    assert (tmp_path / "gate.json").read_text() == "the last gate's"
    assert not [*tmp_path.glob("*.md"), *tmp_path.glob("*.xml")]
    assert answer.code == 0, answer.out + answer.err
    assert headlines(report)["audit"] == "the deals come from firm:deals: dealsnap audit"
    assert report["gate"]["summary"]["compared"] == 12


ASTRAY = """
import sqlite3

with sqlite3.connect("firm.db") as connection:
    connection.execute("UPDATE notes SET body = 'oops'")
"""


def test_a_command_that_goes_round_the_copy_is_never_green(tmp_path: Path) -> None:
    """One that no guard holds back, and that may be over before the watch sees it: the checksum tells."""
    command = f"env -u PYTHONPATH {sys.executable} astray.py && {sys.executable} migrate.py"
    firm = Firm.found(tmp_path, rehearsal=f"upgrade = '{command}'")
    (tmp_path / "astray.py").write_text(ASTRAY)
    (tmp_path / "migrate.py").write_text(MIGRATE)
    answer, report = firm.rehearse()
    assert answer.code == 1
    assert codes(report).keys() & {"original_changed", "original_asked_for"}
    if "original_changed" not in codes(report):
        return  # the watch saw it, and ended the step before it wrote
    assert codes(report)["original_changed"] == "unfinished"
    assert "notes.body: other values in 2 rows" in answer.out
    assert answer.verdict.startswith("INCONCLUSIVE - ")
    assert "the ORIGINAL database's rows changed" in answer.verdict
    assert report["next_steps"][0] == "look at the ORIGINAL database before anything else: it changed"


def test_without_a_way_back_the_load_runs_beside_a_new_copys_upgrade(tmp_path: Path) -> None:
    """The copy itself stays upgraded."""
    firm = Firm.found(tmp_path, rehearsal=f"upgrade = '{sys.executable} migrate.py'")
    (tmp_path / "migrate.py").write_text(MIGRATE)
    answer, report = firm.rehearse()
    assert (answer.code, codes(report)) == (0, {})
    assert report["load"]["reads"] > 0
    assert headlines(report)["load"].endswith("s")


def test_an_application_that_opens_the_original_is_stopped(tmp_path: Path) -> None:
    """A reasoner with its own idea of the database would be judged on the wrong data: it is refused, and told."""
    firm = Firm.found(tmp_path, reasoner=REASONER.replace('os.environ["FIRM_DB"]', f'"sqlite:///{tmp_path}/firm.db"'))
    answer, report = firm.rehearse()
    assert answer.code == 1
    assert codes(report) == {"original_asked_for": "unfinished"}
    assert answer.verdict.endswith("flag off: the step opened the ORIGINAL database, and was stopped")
    assert "opened by sqlite3" in answer.out
    assert "rehearsal.database_env" in answer.out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--alembic", "nowhere.ini"), '--dealsnap-rehearsal-alembic = "nowhere.ini": no such file'),
        (("--database", "sqlite:///nowhere.db"), "no such SQLite file"),
        (("--report", "pdf:x"), "unknown format"),
        (("--timeout", "nan"), "--timeout: 'nan' is no number of seconds above 0"),
        (("--timeout", "-3"), "--timeout: '-3' is no number of seconds above 0"),
        (("--sample", "0"), "--sample: '0' is no whole number from 1 upwards"),
    ],
)
def test_what_cannot_begin_is_a_usage_error(tmp_path: Path, arguments: tuple[str, ...], words: str) -> None:
    """Exit status 2, before anything is copied or run."""
    answer, _ = Firm.found(tmp_path).rehearse(*arguments)
    assert answer.code == 2
    assert words in answer.err


def test_settings_come_from_the_environment_too(tmp_path: Path) -> None:
    """``DEALSNAP_REHEARSAL_…`` stands between flag and file."""
    firm = Firm.found(tmp_path)
    answer, _ = firm.rehearse(DEALSNAP_REHEARSAL_ALEMBIC="other.ini")
    assert answer.code == 2
    assert 'DEALSNAP_REHEARSAL_ALEMBIC = "other.ini": no such file' in answer.err


def test_nothing_to_rehearse_is_a_usage_error(tmp_path: Path) -> None:
    """Without an upgrade and without a flag."""
    firm = Firm.found(tmp_path)
    (tmp_path / "alembic.ini").unlink()
    toml = (tmp_path / "dealsnap.toml").read_text().replace('flag = "KINDS_COUNT"', "")
    (tmp_path / "dealsnap.toml").write_text(toml)
    answer, _ = firm.rehearse()
    assert answer.code == 2
    assert "there is nothing to rehearse: set alembic, or upgrade" in answer.err


def test_a_flag_alone_can_be_rehearsed(tmp_path: Path) -> None:
    """On the schema as it is; of a sample, with what that means for all deals."""
    firm = Firm.found(tmp_path)
    (tmp_path / "alembic.ini").unlink()
    run_statements(firm.url, "UPDATE engagements SET kind = 'acquisition' WHERE kind IS NULL OR kind = 'merger'")
    answer, report = firm.rehearse("--sample", "6", "--report", "openmetrics:rehearsal.txt")
    assert answer.code == 1, answer.out
    assert report["verdict"]["action"] == "inconclusive"
    assert report["run"]["partial"] is True
    again = dealsnap(tmp_path, "report", "rehearsal.json", "--format", "openmetrics")
    assert again.out == (tmp_path / "rehearsal.txt").read_text()
    assert report["affected"]["compared"] == 6
    assert 0 < report["affected"]["high"] <= 100
    assert "a sample: of all deals 0.0 % to" in answer.out
