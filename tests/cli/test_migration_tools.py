"""Which tool migrates a project is known by the files that it keeps."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_dealsnap.cli.migration_tools import recognize
from pytest_dealsnap.errors import ConfigError
from pytest_dealsnap.rehearsal.rollout import Rollout
from tests.builders import configure

POSTGRESQL, SQLITE, MARIADB = "postgresql+psycopg://db/x", "sqlite:///x.db", "mariadb+pymysql://db/x"


@pytest.mark.parametrize(
    ("files", "url", "name", "settings"),
    [
        (
            {"manage.py": "os.environ['DJANGO_SETTINGS_MODULE']", "alembic.ini": "[alembic]\nscript_location = x"},
            SQLITE,
            "Django",
            {"upgrade": "python manage.py migrate", "check": "python manage.py showmigrations"},
        ),
        (
            {"migrations/alembic.ini": "[alembic]\n", "migrations/env.py": "from flask import current_app"},
            SQLITE,
            "Flask-Migrate",
            {"upgrade": "flask db upgrade", "downgrade": "flask db downgrade", "check": "flask db current"},
        ),
        (
            {"db/alembic.ini": "[alembic]\nscript_location = %(here)s/m"}, SQLITE, "Alembic",
            {"alembic": "db/alembic.ini"},
        ),
        (
            {"migrations/0001.py": "from yoyo import step"},
            POSTGRESQL,
            "yoyo-migrations",
            {"upgrade": "yoyo apply --batch --no-config-file --database {plain_url} migrations"},
        ),
        (
            {"sql/V2__kinds.sql": ""},
            MARIADB,
            "Flyway",
            {"upgrade": "flyway -url=jdbc:mariadb://{host}:{port}/{name} -user={user} migrate"},
        ),
        ({"flyway.toml": ""}, SQLITE, "Flyway", {"upgrade": "flyway -url=jdbc:sqlite:{path} migrate"}),
        (
            {"migrations/1.up.sql": "", "migrations/2.up.sql": "", "migrations/2.down.sql": ""},
            SQLITE,
            "SQL files",
            {
                "upgrade": "sqlite3 -bail {path} < migrations/2.up.sql",
                "downgrade": "sqlite3 -bail {path} < migrations/2.down.sql",
            },
        ),
        (
            {"db/migrations/007_kinds.sql": ""},
            POSTGRESQL,
            "SQL files",
            {"upgrade": "psql {plain_url} -v ON_ERROR_STOP=1 -f db/migrations/007_kinds.sql"},
        ),
        ({"sql/1.sql": ""}, MARIADB, "SQL files", {"upgrade": "mariadb {name} < sql/1.sql"}),
    ],
)  # fmt: skip
def test_a_tool_is_recognized(
    tmp_path: Path, files: dict[str, str], url: str, name: str, settings: dict[str, str]
) -> None:
    """With the settings by which a rehearsal calls it, of the root folder and the database."""
    for path, text in files.items():
        (tmp_path / path).parent.mkdir(exist_ok=True, parents=True)
        (tmp_path / path).write_text(text)
    found = recognize(tmp_path, url)
    assert found is not None
    assert (found.name, found.settings) == (name, settings)
    assert found.remarks


@pytest.mark.parametrize(
    "files", [{}, {"manage.py": "print('no Django')"}, {"alembic.ini": "[alembic]\n"}, {"sql/x.txt": ""}]
)
def test_a_project_without_a_tool_has_none(tmp_path: Path, files: dict[str, str]) -> None:
    """A file of the same name is not enough."""
    for path, text in files.items():
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_text(text)
    assert recognize(tmp_path, "oracle://x") is None


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ('alembic = "alembic.ini"\nupgrade = "make migrate"', "both say how to upgrade"),
        ('alembic = "flask.ini"', 'set upgrade = "flask db upgrade"'),
        ('alembic = "other.ini"', "no such file"),
        ("", "there is nothing to rehearse"),
    ],
)
def test_settings_that_contradict_are_a_usage_error(tmp_path: Path, settings: str, words: str) -> None:
    """Two ways up, or a file that Alembic alone cannot use."""
    (tmp_path / "flask.ini").write_text("[alembic]\n")
    if "upgrade" in settings:
        (tmp_path / "alembic.ini").write_text("[alembic]\nscript_location = m\n")
    config = configure(tmp_path, f'database = "sqlite:///x.db"\n[rehearsal]\n{settings}\n')
    with pytest.raises(ConfigError, match=words):
        Rollout.of(config)
