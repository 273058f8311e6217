"""The application, put together."""

from __future__ import annotations

import os
import secrets

from flask import Flask, Response
from sqlalchemy import make_url
from sqlalchemy.pool import NullPool

from examples.diligence import database, flags, logs, metrics

from . import errors, headers, presentation
from .api import api
from .extensions import absolute_url, csrf, db, migrate
from .pages import pages

SECRET_KEY = "DILIGENCE_SECRET_KEY"  # noqa: S105  # the variable's name, not the key
BEHIND_TLS = "DILIGENCE_BEHIND_TLS"
LARGEST_REQUEST = 64 * 1024  # bytes


def create_app() -> Flask:
    """The application as the environment configures it, for `flask run` and WSGI servers.

    DATABASE_URL names the database (default: an embedded one), DILIGENCE_SECRET_KEY the key that signs forms, which
    several workers must share. A mistyped flag stops the start with a `FlagError`, a mistyped day with a `ValueError`.
    """
    logs.configure()
    flags.deal_type_awareness()
    metrics.cleanup_due()
    return build_app(database.web_url())


def build_app(database_url: str) -> Flask:
    """The application over that database, which it expects to be migrated."""
    app = Flask(__package__)
    app.config.update(
        SQLALCHEMY_DATABASE_URI=absolute_url(database_url),
        SQLALCHEMY_ENGINE_OPTIONS=_engine_options(database_url),
        SECRET_KEY=os.environ.get(SECRET_KEY) or secrets.token_hex(),
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=bool(os.environ.get(BEHIND_TLS)),
        MAX_CONTENT_LENGTH=LARGEST_REQUEST,
        WTF_CSRF_TIME_LIMIT=None,  # as long as the session: nobody loses a form to a lunch break
    )
    app.json.sort_keys = False  # type: ignore[attr-defined]  # Flask's own provider has it
    app.url_map.strict_slashes = False  # /deals/ is /deals, and so in the API
    db.init_app(app)
    migrate.init_app(app, db)
    csrf.init_app(app)
    csrf.exempt(api)  # takes JSON only and knows no cookie, so another site has nothing to ride on
    app.register_blueprint(api)
    app.register_blueprint(pages)
    app.add_url_rule("/metrics", view_func=_metrics)
    errors.register(app)
    headers.register(app)
    presentation.register(app)
    return app


def _engine_options(database_url: str) -> dict[str, object]:
    if make_url(database_url).get_backend_name() == "sqlite":
        return {"poolclass": NullPool}  # the file may be replaced by a rebuilt one
    return {"pool_pre_ping": True}


def _metrics() -> Response:
    return Response(metrics.exposition(), content_type=metrics.CONTENT_TYPE)
