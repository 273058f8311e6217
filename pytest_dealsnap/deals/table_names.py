"""The name of a table as the configuration and reports write it: ``deals``, ``crm.deals``, ``crm."Deals.v2"``."""

from __future__ import annotations

import re

__all__ = ["place_of", "shown_place"]

_PART = r'(?:"(?:[^"]|"")+"|[^".]+)'
_QUALIFIED = re.compile(rf"(?:(?P<schema>{_PART}(?:\.{_PART})*)\.)?(?P<name>{_PART})")


def place_of(table: str) -> tuple[str | None, str]:
    """Return schema and name of *table*; the schema is ``None`` for the default one.

    A part in double quotes may hold dots; elsewhere the last dot parts schema and name.

    >>> place_of('crm."Deals.v2"'), place_of("deals")
    (('crm', 'Deals.v2'), (None, 'deals'))
    """
    found = _QUALIFIED.fullmatch(table)
    if found is None:  # a quote in the middle of a name
        schema, _, name = table.rpartition(".")
        return schema or None, name
    return _bare(found["schema"]) if found["schema"] else None, _bare(found["name"])


def shown_place(schema: str | None, name: str) -> str:
    """Return the text of which :func:`place_of` makes *schema* and *name*."""
    return ".".join(_quoted(part) for part in (schema, name) if part)


def _bare(part: str) -> str:
    if re.fullmatch(r'"(?:[^"]|"")+"', part):
        return part[1:-1].replace('""', '"')
    return part


def _quoted(part: str) -> str:
    return '"' + part.replace('"', '""') + '"' if "." in part or part.startswith('"') else part
