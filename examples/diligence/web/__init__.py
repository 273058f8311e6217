"""The web side of the system: an API, a page, and the metrics. `flask --app examples.diligence.web run` starts it."""

from __future__ import annotations

from .app import build_app, create_app

__all__ = ["build_app", "create_app"]
