"""Which exceptions of a reasoner are its environment's: by real drivers, without a server where they connect."""

from __future__ import annotations

import asyncio
import errno
import pickle
import socket
import urllib.request
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import create_engine, text

from pytest_dealsnap.errors import OutputError, ReasonerTimeoutError, SourceAwayError, SourceError
from pytest_dealsnap.reasoning.environment import Environment, is_source_away


def raised_by(act: Callable[[], Any]) -> BaseException:
    """Return what *act* raises."""
    try:
        act()
    except BaseException as error:
        return error
    raise AssertionError("it raised nothing")


def closed_port() -> int:
    """Return a port of this machine on which nobody listens."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return int(listening.getsockname()[1])


def connect_by(driver: str) -> None:
    """Connect to where nobody listens."""
    port = closed_port()
    if driver == "asyncpg":
        asyncpg = pytest.importorskip("asyncpg")
        asyncio.run(asyncpg.connect(host="127.0.0.1", port=port, user="ana", database="x"))
    elif driver == "urllib":
        urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=5)
    else:
        create_engine(f"{driver}://ana:pw@127.0.0.1:{port}/x").connect()


@pytest.mark.parametrize(
    "driver",
    ["postgresql+psycopg", "postgresql+psycopg2", "postgresql+pg8000", "mysql+pymysql", "asyncpg", "urllib"],
)
def test_a_refused_connection_is_the_environments_by_every_driver(driver: str) -> None:
    """Also wrapped into an error of the reasoner's own, and in a group."""
    error = raised_by(lambda: connect_by(driver))
    usual = Environment()
    assert usual.explains(error), repr(error)

    def wrapped() -> None:
        try:
            raise error
        except BaseException:
            raise ValueError("no rate") from None

    assert usual.explains(raised_by(wrapped))
    assert usual.explains(BaseExceptionGroup("all", [KeyError("x"), error]))


def test_a_server_that_ends_the_connection_is_told_from_a_wrong_statement(postgresql: str) -> None:
    """The SQLSTATE says which it is, by SQLAlchemy's error and by the driver's own."""
    usual = Environment()
    for driver in ("psycopg", "psycopg2"):
        engine = create_engine(postgresql.replace("postgresql://", f"postgresql+{driver}://"))
        with engine.connect() as connection:
            wrong = raised_by(lambda: connection.execute(text("SELECT no_such_column")))
            assert not usual.explains(wrong), repr(wrong)
            connection.rollback()
            ended = raised_by(lambda: connection.execute(text("SELECT pg_terminate_backend(pg_backend_pid())")))
            assert usual.explains(ended), repr(ended)
            assert usual.explains(ended.__cause__ or ended)
            connection.invalidate()
        engine.dispose()


def test_mysqls_numbers_are_told_apart(mariadb: str) -> None:
    """A wrong statement is the reasoner's; a killed connection is not."""
    usual = Environment()
    engine = create_engine(mariadb)
    with engine.connect() as connection:
        assert not usual.explains(raised_by(lambda: connection.execute(text("SELECT no_such_column"))))
        ended = raised_by(lambda: [connection.execute(text(q)) for q in ("KILL CONNECTION_ID()", "SELECT 1")])
        assert usual.explains(ended), repr(ended)
        connection.invalidate()
    engine.dispose()


class DownError(Exception):
    """An error of a user's own."""


class ClosedError(DownError):
    """One below it."""


def test_names_are_held_against_every_class_and_cause() -> None:
    """By the module that defines a class, by one that offers it, or a builtin's bare name."""
    caused = KeyError("x")
    caused.__cause__ = ClosedError()
    here = Environment([f"{__name__}.DownError"])
    assert here.explains(ClosedError())
    assert here.explains(caused)
    assert not here.explains(KeyError("x"))
    assert pickle.loads(pickle.dumps(here)).names == here.names
    assert Environment(["socket.timeout"]).explains(TimeoutError())
    assert Environment(["TimeoutError"]).explains(TimeoutError())
    assert not Environment(["no.such.module.Error", "Timeout"]).explains(TimeoutError())


@pytest.mark.parametrize(
    ("error", "excused"),
    [
        (ConnectionResetError(errno.ECONNRESET, "reset"), True),
        (OSError(errno.EHOSTUNREACH, "no route"), True),
        (socket.gaierror(socket.EAI_AGAIN, "try again"), True),
        (socket.gaierror(socket.EAI_NONAME, "no such name"), False),
        (FileNotFoundError(errno.ENOENT, "no file"), False),
        (BrokenPipeError(errno.EPIPE, "a child of the reasoner's"), False),
        (TimeoutError(), False),
        (SourceError("a row cannot be read"), True),
        (ReasonerTimeoutError("too long"), False),
        (OutputError("at x: no"), False),
        (ValueError("a bug"), False),
    ],
)
def test_the_usual_ones(error: BaseException, excused: bool) -> None:
    """What says that something did not answer, and nothing that a reasoner does wrong by itself."""
    assert Environment().explains(error) is excused


def test_a_chain_that_bites_its_tail_ends() -> None:
    """Causes may go round in a circle."""
    one, two = ValueError(1), ValueError(2)
    one.__cause__, two.__cause__ = two, one
    assert not Environment().explains(one)
    two.__context__ = SourceAwayError("gone")
    assert is_source_away(one)
