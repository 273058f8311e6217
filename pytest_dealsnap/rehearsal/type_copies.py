"""Scratch copies of a database in which every deal is of one type: for code that reads the type there itself."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager

from sqlalchemy import create_engine, text, update
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, NoSuchTableError, SQLAlchemyError
from sqlalchemy.pool import NullPool

from pytest_dealsnap.config import Config, DealsConfig
from pytest_dealsnap.deals.as_stored import reflect_table
from pytest_dealsnap.deals.deal import DealRef
from pytest_dealsnap.deals.dialects import dialect_of, unprepared
from pytest_dealsnap.deals.table_names import place_of
from pytest_dealsnap.deals.types import DealTypes
from pytest_dealsnap.errors import ConfigError, SourceError
from pytest_dealsnap.rehearsal.guard import ORDERS
from pytest_dealsnap.rehearsal.protection import target_of
from pytest_dealsnap.rehearsal.scratch import ScratchDatabase, scratch_copy
from pytest_dealsnap.secrets import redact

__all__ = ["guard_variables", "type_copies", "type_words"]


def type_words(refs: Iterable[DealRef], types: DealTypes) -> dict[str, str]:
    """Return the word by which the database stores each type: itself, or its commonest alias where only that is."""
    words = Counter(
        ref.stored_type for ref in refs if ref.stored_type is not None and types.recognizes(ref.stored_type)
    )
    spelt: dict[str, str] = {}
    for word, _ in words.most_common():
        spelt.setdefault(types.effective(word), word)
    return {name: name if name in words else spelt.get(name, name) for name in types.valid}


def guard_variables(config: Config, copy: str) -> dict[str, str]:
    """Return what the environment of a process that reasons on *copy* needs for ``guard_original`` to refuse the rest.

    The rest is the original: a reasoner that does not read its database where the copy is named would write there.
    """
    url = make_url(str(config.database))
    url = dialect_of(url.get_backend_name()).absolute(url, config.database_folder)
    original = target_of(url.render_as_string(hide_password=False))
    return {ORDERS: json.dumps({"original": original, "copy": target_of(copy)})}


@contextmanager
def type_copies(config: Config, words: Mapping[str, str]) -> Iterator[dict[str, str]]:
    """Yield the URL of one scratch copy for each type of *words*, in which each deal's column holds its word.

    The copies are dropped when the block is left. The original is only read. Raises :class:`ConfigError`
    where there is nothing to copy, :class:`SourceError` where a copy refuses a type.
    """
    if config.database is None or config.deals.source is not None or not config.deals.type:
        what = 'deals.type is ""' if not config.deals.type else "the deals do not come from a database"
        raise ConfigError(
            f"--dealsnap-matrix: the reasoner takes neither the deal nor its type, and {what}: there is no way to give "
            "it another type. Let it take deal_type, or the whole deal"
        )
    with ExitStack() as stack:
        copies = {}
        for name, word in words.items():
            scratch = stack.enter_context(
                scratch_copy(config.database, folder=config.database_folder, place=config.place("database"))
            )
            _give_type(scratch, config.deals, word)
            copies[name] = scratch.url
        yield copies


def _give_type(scratch: ScratchDatabase, deals: DealsConfig, word: str) -> None:
    """Change the type of every deal of a copy."""
    schema, name = place_of(deals.table)
    engine = create_engine(scratch.url, poolclass=NullPool, connect_args=unprepared(make_url(scratch.url)))
    try:
        with engine.begin() as connection:
            table = reflect_table(connection, name, schema=schema, as_stored=[deals.type])
            statement = update(table).values({table.columns[deals.type]: word})
            if deals.where.strip():
                escaped = deals.where.replace(":", r"\:")
                statement = statement.where(text(f"({escaped}\n)"))
            connection.execute(statement)
    except (SQLAlchemyError, LookupError) as error:
        missing = isinstance(error, (NoSuchTableError, KeyError))
        raise SourceError(_refused(error, deals, word, missing=missing)) from None
    finally:
        engine.dispose()


def _refused(error: Exception, deals: DealsConfig, word: str, *, missing: bool) -> str:
    cause = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
    reason = redact(" ".join(str(cause).split()))
    if missing:
        return f'--dealsnap-matrix: the scratch copy has no "{deals.type}" in "{deals.table}" to be changed: {reason}'
    return (
        f'--dealsnap-matrix: a scratch copy refuses the type "{word}" in "{deals.table}"."{deals.type}": '
        f"{type(cause).__name__}: {reason}. The database has to hold every type of deals.types, as it does after the "
        "migration; leave out of deals.types what it cannot hold, or let the reasoner take deal_type"
    )
