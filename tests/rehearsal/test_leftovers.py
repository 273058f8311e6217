"""What a killed command left is found by the next one, told in a line, and removed by ``dealsnap clean``."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from pytest_dealsnap.baseline.files import write_atomic
from pytest_dealsnap.rehearsal.leftovers import local_leftovers
from pytest_dealsnap.rehearsal.owners import OWNER_FILE, is_alive, is_running, mark, this_process
from tests.cli.console import dealsnap
from tests.plugin.project import Project, clean_environment, deal
from tests.rehearsal.sample_project import QUICK, Firm

STEP = 'upgrade = "echo $$ > pipe && exec sleep 600"'
needs_proc = pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="a step is found by Linux's /proc")


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A temporary folder of the test's own, for its commands, too."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    monkeypatch.setattr("tempfile.tempdir", None)
    return folder


def started(firm: Firm) -> tuple[subprocess.Popen[bytes], int]:
    """Begin a rehearsal, and return it, and the number of its step, when that runs."""
    os.mkfifo(firm.folder / "pipe")
    process = subprocess.Popen(
        [sys.executable, "-m", "pytest_dealsnap", "rehearse", "--no-load"],
        cwd=firm.folder,
        env=clean_environment(**QUICK),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    with (firm.folder / "pipe").open() as pipe:
        return process, int(pipe.read())


def killed(firm: Firm) -> int:
    """Kill a rehearsal amid its step, and return the number of the step, which runs on."""
    process, step = started(firm)
    process.kill()
    process.wait()
    assert is_running(step)
    return step


@needs_proc
def test_what_a_killed_rehearsal_left_is_told_and_cleaned(tmp_path: Path, temporary: Path) -> None:
    """Its folders and the step that still runs; the next command says so, ``clean`` lists, ``clean --yes`` removes."""
    firm = Firm.found(tmp_path / "firm", rehearsal=STEP)
    step = killed(firm)
    assert "a killed command left 1 process and 2 folders: dealsnap clean lists" in dealsnap(firm.folder, "audit").err
    listed = dealsnap(firm.folder, "clean")
    assert listed.code == 1
    assert f"process {step}: a step of a rehearsal: sleep 600" in listed.out
    assert "nothing was removed" in listed.out
    assert is_running(step)
    assert len(list(temporary.glob("dealsnap-*"))) == 2
    cleaned = dealsnap(firm.folder, "clean", "--yes")
    assert (cleaned.code, cleaned.err) == (0, "")
    assert not is_running(step)
    assert list(temporary.glob("dealsnap-*")) == []
    assert "nothing is left" in dealsnap(firm.folder, "clean").out


@needs_proc
def test_the_order_of_a_killed_gate_is_cleaned(tmp_path: Path, temporary: Path) -> None:
    """The file that tells a gate's processes which deals began stands in a folder of the run's."""
    project = Project(tmp_path / "firm").with_deals(deal("d1")).captured()
    dies = "import os, signal\n\n\ndef value(transaction):\n    os.kill(os.getpid(), signal.SIGKILL)\n"
    (project.folder / "valuation.py").write_text(dies, encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "--dealsnap", "--dealsnap-until", "decided", "-p", "no:randomly"]
    done = subprocess.run(command, cwd=project.folder, env=clean_environment(), capture_output=True, check=False)
    assert done.returncode == -signal.SIGKILL
    [left] = temporary.glob("dealsnap-order-*")
    assert f"folder {left}: a killed run's files" in dealsnap(project.folder, "clean").out
    assert dealsnap(project.folder, "clean", "--yes").code == 0
    assert not left.exists()


@needs_proc
def test_what_a_living_rehearsal_owns_is_not_touched(tmp_path: Path, temporary: Path) -> None:
    """Neither its step nor its folders; it ends as if nobody had cleaned."""
    firm = Firm.found(tmp_path / "firm", rehearsal=STEP)
    process, step = started(firm)
    try:
        assert "nothing is left" in dealsnap(firm.folder, "clean", "--yes").out
        assert is_running(step)
        assert len(list(temporary.glob("dealsnap-*"))) == 2
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()
    assert list(temporary.glob("dealsnap-*")) == []


@needs_proc
def test_a_scratch_database_of_a_killed_rehearsal_is_dropped(tmp_path: Path, temporary: Path, postgresql: str) -> None:
    """On the server; that of a living one, of another host, or a user's own is left."""
    firm = Firm.found(tmp_path / "firm", postgresql, rehearsal=STEP)
    killed(firm)
    engine = create_engine(postgresql, isolation_level="AUTOCOMMIT")

    def scratch() -> set[str]:
        with engine.connect() as connection:
            return set(connection.scalars(text("SELECT datname FROM pg_database WHERE datname LIKE 'dealsnap_scr%'")))

    [name] = scratch()
    others = {
        "dealsnap_scratch_living": this_process(),
        "dealsnap_scratch_elsewhere": "other-host boot pid:[1] 12 34",
        "dealsnap_scratch_kept": "kept by dealsnap rehearse --keep",
        "dealsnap_scratch_own": None,
    }
    with engine.connect() as connection:
        for other, comment in others.items():
            connection.execute(text(f"CREATE DATABASE {other}"))
            if comment:
                connection.execute(text(f"COMMENT ON DATABASE {other} IS '{comment}'"))
    listed = dealsnap(firm.folder, "clean")
    assert f"database {name}: a rehearsal's scratch copy" in listed.out
    assert "database dealsnap_scratch_elsewhere stays: it was made on other-host" in listed.out
    assert "database dealsnap_scratch_own stays: it does not say who made it" in listed.out
    assert scratch() == {name, *others}
    cleaned = dealsnap(firm.folder, "clean", "--yes")
    assert cleaned.code == 0, cleaned.err
    assert scratch() == set(others)
    with engine.connect() as connection:
        for other in others:
            connection.execute(text(f"DROP DATABASE {other}"))
    engine.dispose()


def test_a_kept_scratch_copy_is_the_users(tmp_path: Path, temporary: Path) -> None:
    """``--keep`` says so in its folder."""
    firm = Firm.found(tmp_path / "firm", rehearsal='upgrade = "false"')
    firm.rehearse("--keep", "--no-load")
    assert len(list(temporary.glob("dealsnap-scratch-*"))) == 1
    assert "nothing is left" in dealsnap(firm.folder, "clean", "--yes").out
    assert len(list(temporary.glob("dealsnap-scratch-*"))) == 1


WRITER = """
import os, sys
from pytest_dealsnap.baseline import files
def replace(*paths):
    print("amid", flush=True)
    sys.stdin.read()
files.os.replace = replace
files.write_atomic(sys.argv[1], b"{}")
"""


def test_a_half_written_file_is_left_to_its_writer_and_cleaned_when_that_is_killed(
    tmp_path: Path, temporary: Path
) -> None:
    """Beside ledger, report or snapshot."""
    project = Project(tmp_path / "firm").with_deals(deal("1")).captured()
    folders = (project.baseline.parent, project.folder, project.baseline)
    for folder in folders:
        command = [sys.executable, "-c", WRITER, str(folder / "x.json")]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == b"amid\n"
            [half] = folder.glob(".dealsnap-*.tmp")
            assert half.name not in dealsnap(project.folder, "clean").out
            process.kill()
    assert "a killed command left 2 files" in project.gate().text
    listed = dealsnap(project.folder, "clean")
    assert (listed.code, listed.out.count("not written to its end")) == (1, 3)
    cleaned = dealsnap(project.folder, "clean", "--yes")
    assert (cleaned.code, cleaned.err) == (0, "")
    assert [path for folder in folders for path in folder.glob(".dealsnap-*.tmp")] == []
    assert project.gate().code == 0


def test_an_owner_is_a_process_and_its_start_not_a_number(tmp_path: Path) -> None:
    """A number is used again; what another host or container made cannot be seen from here."""
    host, boot, namespace, number, start = this_process().split()
    assert is_alive(this_process()) is True
    assert is_alive(f"{host} {boot} {namespace} {number} {start}0") is False
    assert is_alive(f"{host} other-boot {namespace} {number} {start}") is False
    assert is_alive(f"other {boot} {namespace} {number} {start}") is None
    assert is_alive(f"{host} {boot} pid:[0] {number} {start}") is None
    assert is_alive("nonsense") is None
    mark(tmp_path)
    assert (tmp_path / OWNER_FILE).read_text() == this_process()


def test_folders_of_strangers_and_links_are_left(temporary: Path, tmp_path: Path) -> None:
    """A folder that says nothing is left for a day; a link is never followed."""
    (temporary / "dealsnap-new").mkdir()
    (temporary / "dealsnap-old").mkdir()
    (temporary / "other").mkdir()
    (temporary / "dealsnap-link").symlink_to(tmp_path)
    long_ago = time.time() - 200_000
    os.utime(temporary / "dealsnap-old", (long_ago, long_ago))
    left = local_leftovers([], deep=False)
    assert [one.name for one in left if one.kind == "folder"] == [str(temporary / "dealsnap-old")]


def test_a_temporary_file_of_another_name_is_no_leftover(tmp_path: Path) -> None:
    """Only what dealsnap names so."""
    write_atomic(str(tmp_path / "x"), b"1")
    (tmp_path / ".dealsnap-notes.tmp").write_text("mine")
    assert [one for one in local_leftovers([tmp_path], deep=True) if one.kind == "file"] == []
