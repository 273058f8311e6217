"""A disk without room or permission: one sentence, exit 4 (2 of a command), no traceback, and nothing is changed."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from tests.fork import run_module
from tests.plugin.project import ALIKE, BASE_ARGUMENTS, Project, clean_environment, deals

# A process that may not write where its user's permissions forbid it: root may, unless it gives that up.
BOUND = ("setpriv", "--bounding-set=-dac_override,-dac_read_search", "--") if os.geteuid() == 0 else ()
WITHOUT_ROOM = ("prlimit", "--fsize=0", "--")
WITH_ROOM_FOR_A_MANIFEST = ("prlimit", "--fsize=8192", "--")
PYTEST = ("pytest", *BASE_ARGUMENTS, "-p", "no:cacheprovider", "-s")
GATE = (*PYTEST, "--dealsnap", "--dealsnap-report", "json:r.json", "--dealsnap-report", "html:r.html")
CAPTURE = (*PYTEST, "--dealsnap-update", ALIKE, "--dealsnap-report", "json:r.json")
ACCEPT = ("pytest_dealsnap", "accept", "gate.json", "--deal", "d1", "--yes")
LEDGER = (*ACCEPT, "--into", "ledger", "--reason", "as agreed", "--who", "Ana")
PRUNE = ("pytest_dealsnap", "prune", "--yes")
COMPARE = ("pytest_dealsnap", "compare", "snapshots", "snapshots", "--report", "json:r.json")
MERGE = ("pytest_dealsnap", "merge", "s1.json", "s2.json", "--report", "json:r.json", "--report", "html:r.html")
REPORT = ("pytest_dealsnap", "report", "gate.json", "--format", "html", "--output", "r.html")
REHEARSE = ("pytest_dealsnap", "rehearse", "--report", "json:r.json")
REVIEW = ("pytest_dealsnap", "review", "gate.json")
INIT = ("pytest_dealsnap", "init", "sqlite:///book.db", "--output", "pyproject.toml", "--force")
WRITING = {"accept": ACCEPT, "ledger": LEDGER, "prune": PRUNE}
REPORTING = {"gate": GATE, "compare": COMPARE, "merge": MERGE, "report": REPORT, "rehearse": REHEARSE}
ALL = {"capture": CAPTURE, **WRITING, **REPORTING}

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="setpriv and prlimit are Linux's")


@pytest.fixture(scope="module")
def gated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project of four deals, gated after each of them changed, whole and in two shards; one deal has gone since."""
    folder = tmp_path_factory.mktemp("gated")
    project = Project(folder).with_deals(*deals(4)).captured().with_deals(*deals(4, amount=200))
    for name, flags in {"s1": ("--dealsnap-shard", "1/2"), "s2": ("--dealsnap-shard", "2/2"), "gate": ()}.items():
        project.gate(*flags)
        shutil.copy(folder / "report.json", folder / f"{name}.json")
    with sqlite3.connect(folder / "book.db") as connection:
        connection.execute("DELETE FROM transactions WHERE deal_no = 'd3'")
    connection.close()
    return folder


@pytest.fixture
def folder(gated: Path, tmp_path: Path) -> Path:
    """A copy of that project."""
    return Path(shutil.copytree(gated, tmp_path / "project"))


def ran(folder: Path, command: tuple[str, ...], *, under: tuple[str, ...] = (), **environment: str) -> tuple[int, str]:
    """Run ``python -m command`` *under* another one; return its status and what it said."""
    variables: Mapping[str, str] = clean_environment(**environment)
    if not under:
        forked = run_module(*command, folder=folder, environment=variables)
        return checked(forked.code, (forked.stdout + forked.stderr).decode())
    # Where coverage is measured, its file has no room either, and it says so in a traceback.
    variables = {name: value for name, value in variables.items() if not name.startswith("COVERAGE_")}
    done = subprocess.run(
        [*under, sys.executable, "-m", *command],
        cwd=folder,
        env={**variables, "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        timeout=100,
    )
    return checked(done.returncode, done.stdout + done.stderr)


def checked(code: int, text: str) -> tuple[int, str]:
    """Return both: no command ends in a traceback."""
    assert "Traceback" not in text, text
    assert "INTERNALERROR" not in text, text
    return code, text


def contents(folder: Path) -> dict[str, bytes | None]:
    """Return every file, link and folder below *folder*, but for caches."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() if path.is_file() else None
        for path in sorted(folder.rglob("*"))
        if not {"__pycache__", ".pytest_cache"}.intersection(path.parts)
    }


def refused(folder: Path, command: tuple[str, ...], words: str, **more: object) -> str:
    """Run *command*, and show that it refuses in a sentence with *words*, and changes nothing."""
    before = contents(folder)
    code, text = ran(folder, command, **more)  # type: ignore[arg-type]  # as ran has them
    assert code == (4 if command[0] == "pytest" else 2), text
    assert words in text
    assert contents(folder) == before
    return text


@pytest.mark.parametrize("command", [*WRITING.values(), COMPARE, MERGE, REPORT, INIT], ids=lambda one: one[1])
def test_a_full_disk_changes_nothing(folder: Path, command: tuple[str, ...]) -> None:
    """Not half of what was to be written, either."""
    refused(folder, command, "cannot be written", under=WITHOUT_ROOM)


def test_a_review_on_a_full_disk_decides_nothing(folder: Path) -> None:
    """It has no terminal here, and says so; the file of decisions is not begun."""
    before = contents(folder)
    ran(folder, REVIEW, under=WITHOUT_ROOM)
    assert contents(folder) == before


def test_a_capture_without_room_for_its_manifest_reasons_no_deal(folder: Path) -> None:
    """There is no report of it, no advice to commit, and the manifest is as it was."""
    (folder / "other").mkdir()
    text = refused(folder, CAPTURE, "manifest.json cannot be written", under=("prlimit", "--fsize=600", "--"))
    assert "git add" not in text
    assert "verdict" not in text


def test_a_disk_that_fills_during_a_capture_ends_it(folder: Path) -> None:
    """The deals after it are not reasoned; the baseline says that it is unfinished, and nobody is to commit it."""
    (folder / "valuation.py").write_text(
        "def value(t):\n    open('asked', 'a').write(t.id + ' ')\n"
        "    return {'offer': {'price': 1}, 'memo': 'x' * (20_000 if t.id == 'd1' else 1)}\n"
    )
    with sqlite3.connect(folder / "book.db") as connection:
        connection.executemany("INSERT INTO transactions VALUES (?, 'A', 'acquisition', 1)", [("d5",), ("d6",)])
    connection.close()
    before = contents(folder)
    code, text = ran(folder, CAPTURE[:-2], under=WITH_ROOM_FOR_A_MANIFEST)
    assert code == 4, text
    assert "d1.json cannot be written: File too large" in text
    assert "the run ends here, because no deal can be recorded" in text
    assert "git add" not in text
    assert (folder / "asked").read_text() == "d1 "
    after = contents(folder)
    assert {name for name in {*before, *after} if before.get(name) != after.get(name)} == {
        "asked", "snapshots/manifest.json",
    }  # fmt: skip
    assert b'"complete": false' in (after["snapshots/manifest.json"] or b"")


@pytest.mark.parametrize("command", ALL.values(), ids=ALL.keys())
def test_a_project_without_permission_to_write_is_left_as_it_is(folder: Path, command: tuple[str, ...]) -> None:
    """Whatever command it is."""
    places = [folder, *(path for path in folder.rglob("*") if path.is_dir())]
    for path in places:
        path.chmod(0o555)
    try:
        refused(folder, command, "ermission", under=BOUND)
    finally:
        for path in places:
            path.chmod(0o755)


@pytest.mark.parametrize("command", [GATE, CAPTURE, ACCEPT, PRUNE, COMPARE], ids=lambda one: one[1])
def test_a_baseline_without_permission_to_read_is_one_sentence(folder: Path, command: tuple[str, ...]) -> None:
    """A folder of snapshots that nobody lists is not an empty one."""
    (folder / "snapshots" / "deals").chmod(0)
    before = {name: data for name, data in contents(folder).items() if "deals" not in name}
    try:
        code, text = ran(folder, command, under=BOUND)
        assert code == (4 if command[0] == "pytest" else 1 if command is ACCEPT else 2), text
        assert "cannot be" in text
    finally:
        (folder / "snapshots" / "deals").chmod(0o755)
    after = contents(folder)
    assert {name: data for name, data in after.items() if "deals" not in name} == before


def a_folder(path: Path) -> None:
    """Have a folder in the place of *path*."""
    path.unlink(missing_ok=True)
    path.mkdir()


def a_link(path: Path) -> None:
    """Have a link to nowhere in the place of *path*."""
    path.unlink(missing_ok=True)
    path.symlink_to("no/where")


@pytest.mark.parametrize("spoil", [a_folder, a_link])
@pytest.mark.parametrize(
    ("name", "commands"),
    [("manifest.json", (GATE, CAPTURE, ACCEPT, PRUNE, COMPARE)), ("accepted.toml", (GATE, CAPTURE, LEDGER, COMPARE))],
)
def test_something_else_in_the_place_of_a_file_of_the_baseline_is_refused(
    folder: Path, name: str, commands: tuple[tuple[str, ...], ...], spoil: Callable[[Path], None]
) -> None:
    """It is not taken for a baseline without that file, and not replaced; no report is written of it."""
    spoil(folder / "snapshots" / name)
    for command in commands:
        refused(folder, command, f"{name} cannot be")


@pytest.mark.parametrize("spoil", [a_folder, a_link])
@pytest.mark.parametrize("command", REPORTING.values(), ids=REPORTING.keys())
def test_something_else_in_the_place_of_a_report_is_refused_at_once(
    folder: Path, command: tuple[str, ...], spoil: Callable[[Path], None]
) -> None:
    """Before the first deal, and before the other report is written."""
    for name in ("r.json", "r.html"):
        if f"json:{name}" in command or f"html:{name}" in command or name in command:
            spoil(folder / name)
            break
    refused(folder, command, "is in its place")


@pytest.mark.parametrize("command", [GATE, CAPTURE, REHEARSE], ids=["gate", "capture", "rehearse"])
def test_a_report_below_a_file_is_refused_at_once(folder: Path, command: tuple[str, ...]) -> None:
    """A folder of reports is made where there is none, but not in a file's place."""
    (folder / "out").write_text("mine")
    command = tuple(one.replace(":r.", ":out/r.") for one in command)
    refused(folder, command, "out is no folder")


@pytest.mark.parametrize("options", [(), ("-s",), ("-n", "1")])
def test_a_run_of_deals_without_any_temporary_folder_is_one_sentence(folder: Path, options: tuple[str, ...]) -> None:
    """Pytest itself keeps what a test prints in such a file."""
    command = ("pytest", *BASE_ARGUMENTS, *options, "--dealsnap", "--dealsnap-report", "json:r.json")
    refused(folder, command, "No usable temporary directory", under=WITHOUT_ROOM)


def test_a_rehearsal_without_any_temporary_folder_is_one_sentence(folder: Path) -> None:
    """It copies the database there."""
    settings = '\n[tool.dealsnap.rehearsal]\nupgrade = "true"\ndowngrade = "true"\n'
    with (folder / "pyproject.toml").open("a") as file:
        file.write(settings)
    refused(folder, REHEARSE, "No usable temporary directory", under=WITHOUT_ROOM)


def test_a_temporary_folder_that_is_not_there_is_no_hindrance(folder: Path) -> None:
    """Another one is used, as Python does."""
    code, text = ran(folder, GATE, TMPDIR=str(folder / "gone"))
    assert code == 1
    assert "verdict: ROLL BACK" in text
