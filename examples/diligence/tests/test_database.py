"""Building databases and reasoning from them."""

from __future__ import annotations

import json
import multiprocessing
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import event

from examples.diligence import __main__ as command_line
from examples.diligence import database
from examples.diligence.analysis_runner import DealNotFoundError, run_reasoning_phase
from examples.diligence.web import build_app
from examples.diligence.web.extensions import absolute_url

from .conftest import stored_types

ROOT = Path(database.__file__).parents[2]


@pytest.fixture
def var(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of the test's own for embedded databases."""
    monkeypatch.setattr(database, "VAR", tmp_path)
    return tmp_path


def test_ensure_builds_once_and_quietly(var: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """The second call finds what the first built; neither prints."""
    path = database.ensure("before")
    built = path.stat().st_mtime_ns
    assert database.ensure("before") == path == var / "before.db"
    assert path.stat().st_mtime_ns == built
    assert capfd.readouterr() == ("", "")


def test_a_fault_has_a_database_of_its_own(var: Path) -> None:
    """The sound database stays sound."""
    assert database.ensure("after", fault="dropped_deal") == var / "after-dropped_deal.db"
    with pytest.raises(ValueError, match="fault of the code"):
        database.ensure("after", fault="rounding")
    assert not (var / "after.db").exists()


def test_threads_may_ask_at_once(var: Path) -> None:
    """All get the same whole database, and nothing unfinished stays behind."""
    with ThreadPoolExecutor(4) as pool:
        paths = set(pool.map(lambda _: database.ensure("after"), range(4)))
    assert paths == {var / "after.db"}
    assert [path.name for path in var.iterdir()] == ["after.db"]
    assert len(stored_types(f"sqlite:///{var / 'after.db'}")) == 329


def test_processes_may_ask_at_once(var: Path) -> None:
    """Two processes that build the same database both find a whole one."""
    context = multiprocessing.get_context("spawn")
    builders = [context.Process(target=_ensure_after, args=(var,)) for _ in range(2)]
    for builder in builders:
        builder.start()
    for builder in builders:
        builder.join()
    assert [builder.exitcode for builder in builders] == [0, 0]
    assert [path.name for path in var.iterdir()] == ["after.db"]


def _ensure_after(var: Path) -> None:
    database.VAR = var
    assert len(stored_types(f"sqlite:///{database.ensure('after')}")) == 329


def test_the_embedded_database_is_the_default(var: Path) -> None:
    """With nothing built and no DATABASE_URL, a deal can be reasoned about."""
    assert run_reasoning_phase(2)["deal_id"] == 2
    assert (var / "after.db").exists()


def test_the_web_side_changes_a_database_of_its_own(var: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What people edit on the page is not what the gate judges, unless DATABASE_URL names both."""
    assert database.web_url() == f"sqlite:///{var / 'web.db'}"
    assert not database.fill_if_empty(database.web_url())
    assert not (var / "after.db").exists()
    monkeypatch.setenv(database.VARIABLE, "sqlite:///named.db")
    assert database.web_url() == database.url() == "sqlite:///named.db"


def test_a_relative_path_means_the_folder_one_is_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The web side opens the file that was filled, and not one of that name somewhere else."""
    monkeypatch.chdir(tmp_path)
    database.build("sqlite:///my deals.db", "after")
    deals = build_app("sqlite:///my deals.db").test_client().get("/api/v1/deals").json
    assert deals is not None
    assert deals["total"] == 321
    assert [path.name for path in tmp_path.iterdir()] == ["my deals.db"]


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:", "postgresql+psycopg://a:b@host/deals"])
def test_what_is_no_file_keeps_its_url(url: str) -> None:
    """Only a file's path is made absolute; a password survives."""
    assert absolute_url(url) == url


def test_a_population_wants_an_empty_database(tmp_path: Path) -> None:
    """Nothing is built on top of deals that are there already."""
    url = f"sqlite:///{tmp_path / 'deals.db'}"
    database.build(url, "before")
    with pytest.raises(database.DatabaseNotEmptyError, match="already holds deals"):
        database.build(url, "before")


def test_a_deal_that_is_not_there_is_an_error(after_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error names the deal and the database."""
    monkeypatch.setenv(database.VARIABLE, after_url)
    with pytest.raises(DealNotFoundError, match=r"no deal with id 100000 in sqlite://"):
        run_reasoning_phase(100_000)


def test_two_runs_differ_in_time_only(after_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything but `generated_at` is the same, and all of it is plain JSON."""
    monkeypatch.setenv(database.VARIABLE, after_url)
    one, other = run_reasoning_phase(3), run_reasoning_phase(3)
    assert json.loads(json.dumps(one)) == one
    assert one.pop("generated_at") != other.pop("generated_at")
    assert one == other
    assert one.keys() == {
        "deal_id", "cost_estimate", "synergies", "separation_costs", "findings", "narrative"
    }  # fmt: skip


def test_a_deal_takes_three_questions(after_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The deal, its inventory, its work: however large a deal is, the database is asked three times."""
    monkeypatch.setenv(database.VARIABLE, after_url)
    asked: list[str] = []
    listener = lambda *arguments: asked.append(arguments[2])  # noqa: E731  # removed by its identity
    event.listen(database.engine(), "before_cursor_execute", listener)
    try:
        run_reasoning_phase(328)
    finally:
        event.remove(database.engine(), "before_cursor_execute", listener)
    assert [statement.partition("FROM ")[2].split()[0] for statement in asked] == [
        "deals", "inventory_items", "work_items",
    ]  # fmt: skip


def test_the_command_line_builds_and_reasons(var: Path, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    """`build after` tells what the migration did, `reason` prints JSON, an unknown deal is exit 1."""
    assert command_line.main(["build", "after"]) == 0
    assert b"15 deals without a valid type" in capsysbinary.readouterr().out
    assert command_line.main(["reason", "7"]) == 0
    assert json.loads(capsysbinary.readouterr().out)["deal_id"] == 7
    assert command_line.main(["reason", "100000"]) == 1


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("deals.db", "Could not parse SQLAlchemy URL"),
        ("sqlite:///{}/no/such/folder/deals.db", "unable to open database file"),
        ("postgresql+psycopg://nobody:secret@127.0.0.1:1/deals", "connection"),
        ("oracle+nodriver://x/y", "Can't load plugin"),
    ],
)
def test_a_database_that_cannot_be_used_is_one_line(
    url: str, reason: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whatever keeps the system from its database is exit 1 and one line, without the password."""
    monkeypatch.setenv(database.VARIABLE, url.format(tmp_path))
    assert command_line.main(["serve", "--port", "0"]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert reason in line
    assert line.endswith("look at DATABASE_URL")
    assert "secret" not in line


def test_a_driver_that_is_not_installed_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The message says which module is missing."""
    monkeypatch.setenv(database.VARIABLE, "mysql+asyncmy://x/y")
    assert command_line.main(["serve", "--port", "0"]) == 1
    assert capsys.readouterr().err == "No module named 'asyncmy'\n"


@pytest.mark.parametrize("port", ["-1", "65536", "http"])
def test_a_port_that_is_none_is_a_usage_error(port: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit 2, with the option named."""
    with pytest.raises(SystemExit) as ended:
        command_line.main(["serve", f"--port={port}"])
    assert ended.value.code == 2
    assert "is no number from 0 to 65535" in capsys.readouterr().err


def test_the_package_runs_as_a_program(tmp_path: Path) -> None:
    """`python -m examples.diligence build before --database URL` fills that database."""
    url = f"sqlite:///{tmp_path / 'deals.db'}"
    program = [sys.executable, "-m", "examples.diligence", "build", "before", "--database", url]
    subprocess.run(program, cwd=ROOT, env=dict(os.environ), check=True)
    assert len(stored_types(url)) == 329
