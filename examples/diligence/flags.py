"""The feature flag, read here and nowhere else, each time it is asked for.

The environment sets it when the system starts. A running system obeys the file that
`DEAL_TYPE_AWARENESS_FILE` names, which outranks the environment from the moment it holds a word: so all
workers of a deployment can be switched at once, with nothing restarted.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

DEAL_TYPE_AWARENESS = "DEAL_TYPE_AWARENESS"
DEAL_TYPE_AWARENESS_FILE = "DEAL_TYPE_AWARENESS_FILE"

_MEANINGS = {
    "": True,
    "true": True,
    "1": True,
    "yes": True,
    "on": True,
    "false": False,
    "0": False,
    "no": False,
    "off": False,
}


class FlagError(ValueError):
    """A flag holds a word that means neither yes nor no, or cannot be read or switched."""


def deal_type_awareness() -> bool:
    """Whether analysis follows the deal's type (default), or treats every deal as the old release did."""
    place, word = DEAL_TYPE_AWARENESS_FILE, _word_of_file()
    if not word:
        place, word = DEAL_TYPE_AWARENESS, os.environ.get(DEAL_TYPE_AWARENESS, "").strip().lower()
    if word not in _MEANINGS:
        raise FlagError(f"{place}={word!r}; valid are {', '.join(filter(None, _MEANINGS))}")
    return _MEANINGS[word]


def switch(on: bool) -> Path:
    """Write the flag's file, whole or not at all, and return where it is; `FlagError` if none is named."""
    name = os.environ.get(DEAL_TYPE_AWARENESS_FILE)
    if not name:
        raise FlagError(f"set {DEAL_TYPE_AWARENESS_FILE} to the file that the running system reads")
    path = Path(name).absolute()
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        unfinished = Path(folder) / path.name
        unfinished.write_text(f"{'true' if on else 'false'}\n")
        unfinished.replace(path)
    return path


def _word_of_file() -> str:
    name = os.environ.get(DEAL_TYPE_AWARENESS_FILE)
    if not name:
        return ""
    try:
        return Path(name).read_text(encoding="utf-8-sig", errors="replace").strip().lower()
    except FileNotFoundError:
        return ""
    except OSError as error:
        raise FlagError(f"{DEAL_TYPE_AWARENESS_FILE}={name!r} cannot be read: {error.strerror}") from None
