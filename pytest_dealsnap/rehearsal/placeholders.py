"""The scratch copy as commands read it: placeholders of a command line, and the variables of databases' own tools."""

from __future__ import annotations

import re
from collections.abc import Mapping

from sqlalchemy.engine import make_url

from pytest_dealsnap.deals.dialects import dialect_of
from pytest_dealsnap.text import shell_quoted

__all__ = ["fill", "placeholders", "tool_variables"]

_IN_DOUBLE_QUOTES = re.compile(r'(["\\$`])')


def placeholders(text: str) -> dict[str, str]:
    """Return the values of the placeholders for the database at the URL *text*."""
    url = make_url(text)
    kind = url.get_backend_name()
    known = dialect_of(kind)
    plain, is_file = (known.names or (kind,))[0], known.is_file
    host = url.host or _socket(url.query.get("host")) or _socket(url.query.get("unix_socket"))
    port = url.port or _socket(url.query.get("port")) or known.default_port or ""
    return {
        "url": text,
        "plain_url": url.set(drivername=plain).render_as_string(hide_password=False),
        "host": "" if is_file else host or "localhost",
        "port": "" if is_file else str(port),
        "name": url.database or "",
        "user": url.username or "",
        "path": (url.database or "") if is_file else "",
    }


def _socket(value: str | tuple[str, ...] | None) -> str:
    return value if isinstance(value, str) else ",".join(value or ())


def fill(command: str, values: Mapping[str, str]) -> str:
    """Return the shell *command* with every placeholder as one word, wherever in quotes it stands; ``${name}`` stays.

    Braces with another content are the shell's, or another program's.
    """
    wanted = re.compile(r"(?<!\$)\{(" + "|".join(values) + r")\}")
    filled, quote, position = [], "", 0
    while position < len(command):
        character = command[position]
        if found := wanted.match(command, position):
            filled.append(_quoted(values[found[1]], quote))
            position = found.end()
            continue
        if character == "\\" and quote != "'":
            filled.append(command[position : position + 2])
            position += 2
            continue
        if character in "'\"" and quote in ("", character):
            quote = "" if quote else character
        filled.append(character)
        position += 1
    return "".join(filled)


def _quoted(value: str, quote: str) -> str:
    if quote == "'":
        return value.replace("'", "'\\''")
    if quote == '"':
        return _IN_DOUBLE_QUOTES.sub(r"\\\1", value)
    return shell_quoted(value)


def tool_variables(text: str) -> dict[str, str]:
    """Return what libpq's and MySQL's tools, and many applications, read of the database at the URL *text*."""
    url = make_url(text)
    found = dialect_of(url.get_backend_name()).tool_variables(url, placeholders(text))
    return {name: value for name, value in found.items() if value}
