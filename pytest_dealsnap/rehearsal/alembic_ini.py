"""What an Alembic configuration file says, read without Alembic."""

from __future__ import annotations

import configparser
from pathlib import Path

__all__ = ["has_scripts"]


def has_scripts(ini: Path) -> bool:
    """Return whether an Alembic configuration says where its revisions are; Flask-Migrate's does not."""
    parser = configparser.ConfigParser(interpolation=None)
    try:
        parser.read_string(ini.read_text(encoding="utf-8"))
    except (configparser.Error, OSError, UnicodeDecodeError):
        return True  # Alembic itself says best what is wrong with it
    return parser.has_option("alembic", "script_location") or not parser.has_section("alembic")
