"""Settings whose database comes from the environment, so that a rehearsal can name its copy there."""

import os

from sqlalchemy.engine import make_url

ENGINES = {"sqlite": "sqlite3", "postgresql": "postgresql", "mysql": "mysql", "mariadb": "mysql"}
_URL = make_url(os.environ.get("DATABASE_URL", "sqlite:///book.db"))

SECRET_KEY = "an example has no secret"  # noqa: S105
INSTALLED_APPS = ["book"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
DEAL_TYPES_COUNT = os.environ.get("DEAL_TYPES_COUNT") == "true"
DATABASES = {
    "default": {
        "ENGINE": f"django.db.backends.{ENGINES[_URL.get_backend_name()]}",
        "NAME": _URL.database,
        "USER": _URL.username or "",
        "PASSWORD": _URL.password or "",
        "HOST": _URL.host or "",
        "PORT": _URL.port or "",
    }
}
