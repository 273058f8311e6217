"""The published JSON Schema of JSON reports."""

from __future__ import annotations

from importlib.resources import files

__all__ = ["schema_text"]


def schema_text() -> str:
    """Return the JSON Schema of the JSON report, as text."""
    return files("pytest_dealsnap.reporting").joinpath("report.schema.json").read_text(encoding="utf-8")
