"""Which database the reasoner reads: it ought to be the deals' own.

A reasoner that reads another one (a test database that a framework put in place, a default of its settings) answers
for deals that are not there. SQLAlchemy's engines and Django's connections can be seen while the reasoner runs;
what a driver opens by itself cannot.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, event
from sqlalchemy.engine import URL

from pytest_dealsnap.config import Config
from pytest_dealsnap.deals.database import OWN_ENGINE, parse_url, public_url
from pytest_dealsnap.deals.dialects import Dialect, dialect_of, dialect_of_django
from pytest_dealsnap.deals.identity import same_database
from pytest_dealsnap.errors import SourceError, WrongDatabaseError

__all__ = ["ReasonerDatabases"]


class ReasonerDatabases:
    """Watches which databases are asked in this process, but for dealsnap's own questions."""

    def __init__(self, config: Config) -> None:
        """Watch from now on; the deals are in ``config.database``."""
        self._source, self._folder = parse_url(str(config.database), config.place("database")), config.database_folder
        self._seen: dict[str, URL] = {}
        self._known: dict[str, bool] = {}
        self._right = False
        self._django = False
        event.listen(Engine, "before_cursor_execute", self._asked)

    @property
    def seen(self) -> bool:
        """Whether any database was seen to be asked by the reasoner."""
        return bool(self._seen)

    def watch(self) -> None:
        """Watch Django's connections too, once Django is there; to be called before each call of the reasoner."""
        if self._django or "django.db" not in sys.modules:
            return
        self._django = True
        connections, connection_created = _django_parts()
        connection_created.connect(self._created, weak=False)
        for connection in connections.all(initialized_only=True):
            self._wrap(connection)

    def check(self) -> None:
        """Raise :class:`WrongDatabaseError` where databases were seen, and none of them is the source.

        A database that cannot be asked which one it is counts as the right one.
        """
        if self._right or len(self._seen) == len(self._known):
            return
        for key, url in list(self._seen.items()):
            if key not in self._known:
                self._known[key] = self._is_source(url)
        self._right = any(self._known.values())
        if not self._right:
            others = ", ".join(sorted(public_url(url) for url in self._seen.values()))
            raise WrongDatabaseError(
                f"the reasoner reads another database than the deals': {others}, not {public_url(self._source)}. "
                "Point the application at the deals' database (under pytest-django, override its fixture "
                "django_db_setup: it puts an empty test database in place), or allow this with "
                "--dealsnap-allow-other-database"
            )

    def close(self) -> None:
        """Stop watching."""
        event.remove(Engine, "before_cursor_execute", self._asked)
        if self._django:
            connections, connection_created = _django_parts()
            connection_created.disconnect(self._created)
            for connection in connections.all(initialized_only=True):
                if self._execute in connection.execute_wrappers:
                    connection.execute_wrappers.remove(self._execute)

    def _asked(self, connection: Connection, *_: Any) -> None:
        if self._right or connection.engine.get_execution_options().get(OWN_ENGINE):
            return
        url = connection.engine.url
        self._seen.setdefault(url.render_as_string(hide_password=False), url)

    def _created(self, *, connection: Any, **_: Any) -> None:
        self._wrap(connection)

    def _wrap(self, connection: Any) -> None:
        if self._execute not in connection.execute_wrappers:
            connection.execute_wrappers.append(self._execute)

    def _execute(self, execute: Callable[..., Any], sql: Any, parameters: Any, many: bool, context: Any) -> Any:
        if not self._right:
            settings = context["connection"].settings_dict
            url = _django_url(settings)
            if url is not None:
                self._seen.setdefault(f"django {settings['NAME']} {settings['HOST']} {settings['PORT']}", url)
        return execute(sql, parameters, many, context)

    def _is_source(self, url: URL) -> bool:
        known = dialect_of(url.get_backend_name())
        if known.in_memory(url):
            return False
        url = known.absolute(url, Path.cwd())  # relative to where the reasoner runs
        try:
            return same_database(self._source, url, folder=self._folder)
        except SourceError:
            return True


def _django_parts() -> tuple[Any, Any]:
    """Return Django's connections, and the signal of a new one; only where Django is there already."""
    from django.db import connections  # type: ignore[import-untyped]  # Django has no types
    from django.db.backends.signals import connection_created  # type: ignore[import-untyped]

    return connections, connection_created


def _django_url(settings: Any) -> URL | None:
    known = dialect_of_django(str(settings["ENGINE"]))
    if known is None:
        return None
    port = str(settings.get("PORT") or "")
    return URL.create(
        _drivername(known),
        username=settings.get("USER") or None,
        password=settings.get("PASSWORD") or None,
        host=settings.get("HOST") or None,
        port=int(port) if port.isdecimal() else None,
        database=str(settings["NAME"]),
    )


def _drivername(known: Dialect) -> str:
    """Return SQLAlchemy's name of a database, with the driver that is loaded already, as Django uses one."""
    modules = known.django_drivers
    if not modules:
        return known.names[0]
    loaded = next((module for module in modules if module in sys.modules), next(iter(modules)))
    return f"{known.names[0]}+{modules[loaded]}"
