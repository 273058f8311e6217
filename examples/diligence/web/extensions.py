"""The Flask extensions, made once and bound to an application by `build_app`."""

from __future__ import annotations

from typing import Any

from flask_migrate import Migrate
from flask_sqlalchemy import SQLAlchemy
from flask_wtf import CSRFProtect  # type: ignore[import-untyped]  # ships no types

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
