"""The Flask extensions, made once and bound to an application by `build_app`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from flask_migrate import Migrate
from flask_sqlalchemy import SQLAlchemy
from flask_wtf import CSRFProtect  # type: ignore[import-untyped]  # ships no types
from sqlalchemy import make_url

from examples.diligence import database
from examples.diligence.models import Base

db = SQLAlchemy(metadata=Base.metadata)
migrate = Migrate(directory=str(database.PACKAGE / "migrations"))
csrf = CSRFProtect()


@migrate.configure
def migrate_the_applications_database(config: Any) -> Any:
    """Have `flask db` migrate what the application runs on; the configuration is Alembic's."""
    config.attributes["url"] = db.engine.url
    return config


def absolute_url(database_url: str) -> str:
    """The same URL with the path of a SQLite file from the root: Flask-SQLAlchemy would look in a folder of its own."""
    parsed = make_url(database_url)
    path = parsed.database or ":memory:"
    if parsed.get_backend_name() != "sqlite" or path == ":memory:" or path.startswith("file:"):
        return database_url
    return parsed.set(database=str(Path(path).absolute())).render_as_string(hide_password=False)
