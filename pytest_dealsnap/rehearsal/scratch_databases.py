"""The scratch databases on a server: each says in its comment, where the server has such, which process made it."""

from __future__ import annotations

from sqlalchemy import text
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError

from pytest_dealsnap.deals.database import parse_url, public_url
from pytest_dealsnap.deals.dialects import dialect_of
from pytest_dealsnap.rehearsal.dump_copy import KEPT_COMMENT, PREFIX
from pytest_dealsnap.rehearsal.leftovers import CleaningError
from pytest_dealsnap.rehearsal.mysql_copy import drop_mysql, scratch_schemas
from pytest_dealsnap.rehearsal.owners import is_alive
from pytest_dealsnap.rehearsal.postgresql_copy import administration, drop_postgresql
from pytest_dealsnap.secrets import redact

__all__ = ["drop_scratch", "scratch_databases"]

_QUESTION = text(
    "SELECT datname, coalesce(shobj_description(oid, 'pg_database'), '') AS owner, "
    "(SELECT count(*) FROM pg_stat_activity WHERE pg_stat_activity.datname = pg_database.datname) AS sessions "
    "FROM pg_database WHERE datname LIKE :begin ORDER BY datname"
)


def scratch_databases(url: str, *, place: str) -> tuple[list[str], dict[str, str]]:
    """Return the scratch databases on the server of *url* whose rehearsal is dead, and why the others stay.

    One whose rehearsal runs, or that ``--keep`` kept, is in neither. Raises :class:`CleaningError` where the server
    cannot be asked.
    """
    source = parse_url(url, place)
    try:
        found = _found(source)
    except DBAPIError as error:
        reason = redact(" ".join(str(error.orig or error).split()))
        raise CleaningError(f"{place}: {public_url(source)} cannot be asked for scratch databases: {reason}") from None
    dead: list[str] = []
    unseen: dict[str, str] = {}
    for name, owner, sessions in found:
        alive = is_alive(str(owner))
        if owner == KEPT_COMMENT or alive:
            continue
        if alive is None:
            who = f"it was made on {str(owner).split()[0]}" if owner else "it does not say who made it"
            unseen[str(name)] = f"{who}; DROP DATABASE {name} drops it"
        elif not sessions:
            dead.append(str(name))
        else:
            unseen[str(name)] = "somebody is connected to it"
    return dead, unseen


def _found(source: URL) -> list[tuple[str, str, int]]:
    """Return each scratch database with its comment, and how many are connected to it."""
    if _is_dumped(source):
        return scratch_schemas(source)
    with administration(source) as connection:
        rows = connection.execute(_QUESTION, {"begin": PREFIX.replace("_", r"\_") + "%"}).all()
    return [(str(name), str(owner), int(sessions)) for name, owner, sessions in rows]


def _is_dumped(source: URL) -> bool:
    return dialect_of(source.get_backend_name()).copying == "dump"


def drop_scratch(url: str, name: str, *, place: str) -> None:
    """Drop the scratch database *name*; raises :class:`CleaningError`, without secrets."""
    source = parse_url(url, place)
    problem = drop_mysql(source, name) if _is_dumped(source) else drop_postgresql(source, name)
    if problem is not None:
        raise CleaningError(f"database {name} cannot be dropped: {problem}")
