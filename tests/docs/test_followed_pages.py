"""Tutorials and how-to pages are followed word by word: each file is written, each command runs and ends as it says."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
from sqlalchemy.engine import make_url

from tests.deals.conftest import Fill, fill
from tests.docs.five_minutes import FIVE_MINUTES, by_shell, follow
from tests.docs.pages import page
from tests.fork import run_module
from tests.plugin.project import clean_environment

__all__ = ["fill"]  # a fixture that the page on pgbouncer takes

START = FIVE_MINUTES.split("Times, random ids")[0]
GIT = {f"GIT_{who}_{what}": f"{who}@example.org" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
QUIET = ("-p", "no:asyncio", "-p", "no:anyio", "-p", "no:django")
MODULES = {"pytest": "pytest", "dealsnap": "pytest_dealsnap"}

pytestmark = pytest.mark.slow


def run(command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a line of a page: pytest and dealsnap as forks, which start three times as fast, all else by the shell."""
    words = shlex.split(command, comments=True)
    inside = folder
    if words[0] == "cd":
        inside, words = folder / words[1], words[3:]
    given = {}
    while "=" in words[0]:
        name, _, given[name] = words.pop(0).partition("=")
    environment = clean_environment(PYTHONDONTWRITEBYTECODE="1", **GIT, **given)
    if (module := MODULES.get(words[0])) is None:
        return subprocess.run(
            command, shell=True, cwd=folder, env=environment, capture_output=True, text=True, check=False
        )
    plugins = QUIET if module == "pytest" and not (inside / "conftest.py").exists() else ()
    done = run_module(module, *plugins, *words[1:], folder=inside, environment=environment)
    return subprocess.CompletedProcess(command, done.code, done.stdout.decode(), done.stderr.decode())


@pytest.fixture(scope="module")
def start(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that Start leaves after ``dealsnap init``."""
    folder = tmp_path_factory.mktemp("start")
    follow(START, folder, run)
    return folder


@pytest.fixture
def folder(start: Path, tmp_path: Path) -> Path:
    """A copy of it, for one page."""
    return shutil.copytree(start, tmp_path / "start")


def test_the_tutorial_of_a_review(folder: Path) -> None:
    """The causes are those that the page shows, and the gate proceeds in the end."""
    _, first, listed, _, second, accepted, proceeds, _, _, last = follow(page("tutorials/review"), folder, run)
    [shown] = re.findall(r"```text\n(.*?)```", page("tutorials/review"), re.DOTALL)
    assert all(
        line.split(maxsplit=1)[1] in re.sub(" +", " ", first) for line in re.sub(" +", " ", shown).splitlines()[2:]
    )
    assert listed.count("dealsnap reject dealsnap.json --cause") == 2
    assert "narrative_excerpt" not in second
    assert "20 deals are accepted by it" in accepted
    assert "verdict: PROCEED" in proceeds
    assert "verdict: PROCEED" in last


def test_the_tutorial_of_the_matrix(tmp_path: Path) -> None:
    """As many tests as it says run, fail and pass."""
    _, plain, chosen, matrix, fails, again, last = follow(page("tutorials/matrix"), tmp_path, run)
    assert "11 passed" in plain
    assert "4 passed, 7 deselected" in chosen
    assert "verdict: PROCEED" in matrix
    assert "3 failed" in fails
    assert "KeyError: 'joint_venture'" in fails
    assert "14 passed" in again
    assert "verdict: PROCEED" in last


def test_the_page_on_baselines(folder: Path) -> None:
    """A baseline goes through a release, a deleted deal and a merge conflict."""
    said = follow(page("how-to/baselines"), folder, run)
    assert "31 files changed" in "".join(said)
    [conflict] = [text for text in said if "markers of a merge conflict" in text]
    assert "deals/12.json" in conflict
    assert "verdict: PROCEED" in said[-1]


def test_the_page_on_volatile_values(folder: Path) -> None:
    """All three kinds are found, and left out."""
    first, _, again, _, gate = follow(page("how-to/volatile-values"), folder, run)
    assert 'drop = ["generated_at", "order", "synergies[].id"]' in first
    assert "no difference" in again
    assert "verdict: PROCEED" in gate


def test_the_page_on_many_machines(folder: Path) -> None:
    """Shards merge into a verdict, and parts of a capture into a baseline."""
    said = follow(page("how-to/many-machines"), folder, run)
    assert "verdict: PROCEED" in said[4]
    assert "verdict: PROCEED" in said[-1]


def test_the_page_on_executors(folder: Path) -> None:
    """Every factory of the page computes all deals."""
    said = follow(page("how-to/executors"), folder, run)
    assert [text.count("verdict: PROCEED") for text in said] == [0, 1, 1, 1]


def test_the_page_on_monorepos(tmp_path: Path) -> None:
    """Each system has a root, a baseline and a verdict of its own."""
    said = follow(page("how-to/monorepo"), tmp_path, run)
    assert ["people" in text for text in said[-2:]] == [False, True]
    assert ["verdict: PROCEED" in text for text in said[-2:]] == [True, True]


def test_the_page_on_fastapi(tmp_path: Path) -> None:
    """The application's lifespan and the calls share one event loop, also with many calls under way."""
    said = follow(page("how-to/fastapi"), tmp_path, run)
    assert ["verdict: PROCEED" in text for text in said[-2:]] == [True, True]


def test_the_page_on_pgbouncer(pgbouncer: str, postgresql: str, fill: Fill, folder: Path) -> None:
    """Through a pooler with one connection; a rehearsal asks for the server's own address."""
    rows = "INSERT INTO deals SELECT n, 'Deal ' || n, 'acquisition', 10 + n FROM generate_series(1, 30) AS n"
    fill(postgresql, "CREATE TABLE deals (id INTEGER PRIMARY KEY, name TEXT, deal_type TEXT, servers INTEGER)", rows)
    text = page("how-to/pgbouncer")
    [written] = re.findall(r'database = "(.*?)"', text)
    url = make_url(pgbouncer).set(drivername=make_url(written).drivername).render_as_string(hide_password=False)
    captured, gated, audited, refused = follow(text.replace(written, url), folder, run)
    assert "30 passed" in captured
    assert "verdict: PROCEED" in gated
    assert "30 rows" in audited
    assert refused == ""


def test_what_the_shell_runs_is_run_by_it(tmp_path: Path) -> None:
    """A line that is neither pytest nor dealsnap is the shell's, with its redirections."""
    assert run("printf a > file", tmp_path).returncode == 0
    assert (tmp_path / "file").read_text() == "a"
    assert by_shell("exit 3", tmp_path).returncode == 3
