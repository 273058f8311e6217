"""The first error that a database gave during a step: the later ones often only follow from it."""

from __future__ import annotations

import re

from pytest_dealsnap.secrets import redact
from pytest_dealsnap.text import printable

__all__ = ["first_error"]

LONGEST = 300
# Classes of Python's drivers and of Django, as a traceback, a repr or SQLAlchemy's message names them.
_CLASS = re.compile(
    r"(?<!\w)(?:\w+\.)*"
    r"(?:\w*Violation|(?:Integrity|Operational|Programming|Data|Internal|Database|Interface|NotSupported)Error"
    r"|InFailedSqlTransaction|Undefined(?:Table|Column|Object|Function)|Duplicate(?:Table|Column|Object)"
    r"|DeadlockDetected|LockNotAvailable|QueryCanceled|InsufficientPrivilege|DependentObjectsStillExist)"
    r"(?=[\s:)('\"]|$)"
)
# psql, mariadb and mysql, sqlite3.
_CLIENT = re.compile(
    r"^(?:psql:\S*\s*)?(?:ERROR|FATAL):\s+\S|^ERROR \d+ \(\w+\)|^(?:(?:Runtime|Parse) e|E)rror:? (?:in |near )"
)
_FOLLOWS = re.compile(r"InFailedSqlTransaction|transaction is aborted|PendingRollbackError")
_IMPORT = re.compile(r"^\s*(?:from|import|raise|except|class|File)\b")


def first_error(output: str) -> str | None:
    """Return the line of *output* that tells the first database error, safe for a terminal and without secrets.

    An error that only says that the transaction had failed before counts where there is no other.
    """
    found = [line.strip() for line in output.splitlines() if _tells(line)]
    causes = [line for line in found if not _FOLLOWS.search(line)]
    line = next(iter(causes or found), None)
    return None if line is None else printable(redact(line))[:LONGEST]


def _tells(line: str) -> bool:
    return bool((_CLASS.search(line) or _CLIENT.search(line.strip())) and not _IMPORT.match(line))
