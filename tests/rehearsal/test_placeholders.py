"""Placeholders are one word to the shell, whatever they hold and wherever they stand."""

from __future__ import annotations

import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_dealsnap.rehearsal.placeholders import fill, placeholders, tool_variables

PG = "postgresql+psycopg://ana:s%40c'r$et@db:6543/de als?sslmode=require"
WORDS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1, max_size=12)


@given(WORDS)
def test_every_value_reaches_the_program_as_it_is(value: str) -> None:
    """Bare, in either kind of quotes, and beside other text."""
    command = """printf '%s|' {name} "{name}" '{name}' a{name}b"""
    done = subprocess.run(["/bin/sh", "-c", fill(command, {"name": value})], capture_output=True, check=True)
    assert done.stdout.decode() == f"{value}|{value}|{value}|a{value}b|"


@pytest.mark.parametrize(
    "command", ["awk '{print $1}'", "echo ${name}", "echo {nothing}", 'echo "\\"" {}', "cat <<E\n{ x }\nE"]
)
def test_other_braces_stay(command: str) -> None:
    """They are the shell's, or another program's."""
    assert fill(command, placeholders(PG)) == command


def test_an_escaped_quote_opens_nothing() -> None:
    """The text between two of them is outside of quotes."""
    assert fill(r"echo \"{name}\"", {"name": "a b"}) == r"""echo \"'a b'\""""


def test_what_a_url_gives() -> None:
    """The plain URL has no driver, which libpq would take for a service of its own."""
    found = placeholders(PG)
    assert found["plain_url"].startswith("postgresql://ana:")
    assert {name: found[name] for name in ("host", "port", "name", "user", "path")} == {
        "host": "db", "port": "6543", "name": "de als", "user": "ana", "path": "",
    }  # fmt: skip
    assert tool_variables(PG) == {
        "PGHOST": "db", "PGPORT": "6543", "PGDATABASE": "de als", "PGUSER": "ana", "PGPASSWORD": "s@c'r$et",
    }  # fmt: skip
    assert placeholders("sqlite:////tmp/a b.db")["path"] == "/tmp/a b.db"
    assert placeholders("postgresql://ana@/deals?host=/run/pg&port=7")["host"] == "/run/pg"


def test_mysqls_variables() -> None:
    """By TCP, and by a Unix socket."""
    found = tool_variables("mysql+pymysql://root:pw@10.0.0.1/deals")
    assert found["MYSQL_TCP_PORT"] == "3306"
    assert (found["MYSQL_HOST"], found["MYSQL_PWD"], found["MYSQL_DATABASE"]) == ("10.0.0.1", "pw", "deals")
    by_socket = tool_variables("mariadb+pymysql://root@/deals?unix_socket=/run/m.sock")
    assert (by_socket["MYSQL_HOST"], by_socket["MYSQL_UNIX_PORT"]) == ("localhost", "/run/m.sock")
    assert placeholders("mariadb+pymysql://root@/deals")["plain_url"].startswith("mysql://")
    assert tool_variables("sqlite:///a.db") == {}
