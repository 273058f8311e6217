"""Which tool migrates a project's database, known by the files that it keeps, and how a rehearsal calls it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pytest_dealsnap.rehearsal.alembic_ini import has_scripts

__all__ = ["MigrationTool", "recognize"]

_ALEMBIC = ("alembic.ini", "migrations/alembic.ini", "db/alembic.ini")
_SQL = ("migrations", "db/migrations", "sql", "db/migrate")
# How a script is run on the copy, by the database's name in a URL; each ends at the first error.
_CLIENTS = {
    "sqlite": "sqlite3 -bail {{path}} < {file}",
    "postgresql": "psql {{plain_url}} -v ON_ERROR_STOP=1 -f {file}",
    "mysql": "mariadb {{name}} < {file}",
    "mariadb": "mariadb {{name}} < {file}",
    "duckdb": "duckdb -bail {{path}} < {file}",
}
_JDBC = {"postgresql": "postgresql", "mysql": "mariadb", "mariadb": "mariadb"}
_DOWN = re.compile(r"(?i)(?:^|[._-])(?:down|rollback|undo)(?=[._-]|$)|^U\d")


@dataclass(frozen=True, slots=True)
class MigrationTool:
    """A tool's name, the settings of ``[tool.dealsnap.rehearsal]`` for it, and what a person has to know or decide."""

    name: str
    settings: Mapping[str, str] = field(default_factory=dict)
    remarks: tuple[str, ...] = ()


def recognize(folder: Path, database: str) -> MigrationTool | None:
    """Return the tool that migrates the project in *folder*; ``None`` where no file tells.

    Args:
        folder: the project's root folder.
        database: the database's name, as a URL begins, such as ``postgresql``.
    """
    kind = re.split(r"[+:]", database, maxsplit=1)[0]
    looks: tuple[Callable[[], MigrationTool | None], ...] = (
        lambda: _django(folder),
        lambda: _flask(folder),
        lambda: _alembic(folder),
        lambda: _yoyo(folder),
        lambda: _flyway(folder, kind),
        lambda: _scripts(folder, kind),
    )
    return next((tool for look in looks if (tool := look()) is not None), None)


def _django(folder: Path) -> MigrationTool | None:
    if "DJANGO_SETTINGS_MODULE" not in _text(folder / "manage.py"):
        return None
    return MigrationTool(
        "Django",
        {"upgrade": "python manage.py migrate", "check": "python manage.py showmigrations"},
        (
            "settings.DATABASES has to be read from the variable of database_env, as dj-database-url does",
            'The way back: downgrade = "python manage.py migrate APP NUMBER", with the migration that is applied now',
            "A reasoner that uses models: override the fixture deal_reasoner, with pytest-django",
        ),
    )


def _flask(folder: Path) -> MigrationTool | None:
    if "current_app" not in _text(folder / "migrations" / "env.py"):
        return None
    return MigrationTool(
        "Flask-Migrate",
        {"upgrade": "flask db upgrade", "downgrade": "flask db downgrade", "check": "flask db current"},
        (
            "FLASK_APP names the application, unless it is app.py or wsgi.py",
            "SQLALCHEMY_DATABASE_URI has to be read from the variable of database_env",
            "flask db downgrade goes back one revision: name one to go back further",
        ),
    )


def _alembic(folder: Path) -> MigrationTool | None:
    name = next((name for name in _ALEMBIC if (folder / name).is_file() and has_scripts(folder / name)), None)
    if name is None:
        return None
    remarks = ("env.py has to connect to what the variable of database_env names, or to sqlalchemy.url",)
    return MigrationTool("Alembic", {"alembic": name}, remarks)


def _yoyo(folder: Path) -> MigrationTool | None:
    scripts = sorted((folder / "migrations").glob("*.py"))
    if not (folder / "yoyo.ini").is_file() and not any("yoyo" in _text(script) for script in scripts):
        return None
    return MigrationTool(
        "yoyo-migrations",
        {"upgrade": "yoyo apply --batch --no-config-file --database {plain_url} migrations"},
        ('The way back: downgrade = "yoyo rollback --batch --revision ID …", from the first that the upgrade applies',),
    )


def _flyway(folder: Path, kind: str) -> MigrationTool | None:
    named = any((folder / name).is_file() for name in ("flyway.toml", "flyway.conf", "conf/flyway.conf"))
    if not named and not any(True for name in _SQL for _ in (folder / name).glob("V[0-9]*__*.sql")):
        return None
    url = "jdbc:sqlite:{path}" if kind == "sqlite" else f"jdbc:{_JDBC.get(kind, kind)}://{{host}}:{{port}}/{{name}}"
    user = "" if kind == "sqlite" else " -user={user}"
    return MigrationTool(
        "Flyway",
        {"upgrade": f"flyway -url={url}{user} migrate"},
        ("The password: FLYWAY_PASSWORD in the environment. No guard stands in a Java program; it is only watched",),
    )


def _scripts(folder: Path, kind: str) -> MigrationTool | None:
    client = _CLIENTS.get(kind)
    found = [path for name in _SQL for path in sorted((folder / name).glob("*.sql"))]
    ups = [path for path in found if not _DOWN.search(path.stem)]
    if client is None or not ups:
        return None
    newest = ups[-1]
    settings = {"upgrade": client.format(file=_relative(newest, folder))}
    number = re.match(r"\d+", newest.name)
    back = [path for path in found if path not in ups and number and path.name.startswith(number[0])]
    if back:
        settings["downgrade"] = client.format(file=_relative(back[-1], folder))
    return MigrationTool("SQL files", settings, ("The newest script: name those that the database has not had yet",))


def _relative(path: Path, folder: Path) -> str:
    return path.relative_to(folder).as_posix()


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
