"""Errors: JSON under /api/, a page elsewhere; never a stack trace."""

from __future__ import annotations

import logging

from flask import Flask, jsonify, render_template, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import HTTPException, InternalServerError

from examples.diligence.deal_types import VALID_DEAL_TYPES

from .fields import InvalidDealError

logger = logging.getLogger(__name__)


def register(app: Flask) -> None:
    """Have an application answer its errors so."""
    app.register_error_handler(InvalidDealError, _invalid)
    app.register_error_handler(HTTPException, _refused)
    app.register_error_handler(Exception, _failed)


def _invalid(error: InvalidDealError) -> ResponseReturnValue:
    body: dict[str, object] = {"code": "invalid_deal", "message": str(error), "fields": error.fields}
    if "deal_type" in error.fields:
        body["valid_deal_types"] = VALID_DEAL_TYPES
    return jsonify(error=body), 422


def _refused(error: HTTPException) -> ResponseReturnValue:
    status = error.code or 500
    if _wants_json():
        code = error.name.lower().replace(" ", "_")
        response = jsonify(error={"code": code, "message": error.description or error.name})
    else:
        response = error.get_response()  # type: ignore[assignment]  # werkzeug's own kind of response
        response.data = render_template("error.html", error=error)
        response.content_type = "text/html; charset=utf-8"
    for name, value in error.get_headers():
        if name not in ("Content-Type", "Content-Length"):
            response.headers[name] = value  # such as Allow and Retry-After
    return response, status


def _failed(error: Exception) -> ResponseReturnValue:
    logger.error("Request failed: %s %s: %s", request.method, request.path, type(error).__name__, exc_info=error)
    return _refused(InternalServerError("Something went wrong on our side; it has been logged."))


def _wants_json() -> bool:
    return request.path.startswith("/api/")
