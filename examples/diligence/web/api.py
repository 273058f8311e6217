"""The API: deals as JSON under /api/v1/deals."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import NoReturn

from flask import Blueprint, Response, current_app, jsonify, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import BadRequest, HTTPException, NotFound, RequestEntityTooLarge, UnsupportedMediaType

from examples.diligence.deal_types import DealType, effective_deal_type
from examples.diligence.models import Deal

from . import deals
from .fields import InvalidDealError, Values, validate
from .reports import report_of

MOST_A_PAGE = 100

api = Blueprint("api", __name__, url_prefix="/api/v1/deals")


@api.get("")
def list_deals() -> Response:
    """Some of the deals, newest first: ?deal_type=, ?q=, ?page= from 1, ?per_page= up to 100."""
    wanted: Values = {}
    if "deal_type" in request.args:
        wanted = validate({"deal_type": request.args["deal_type"]})
    page = deals.find(
        DealType(str(wanted["deal_type"])) if wanted else None,
        deals.searchable(request.args.get("q", "")),
        number=_number("page", 1, 1_000_000),
        size=_number("per_page", 25, MOST_A_PAGE),
    )
    found = [as_json(deal) for deal in page.deals]
    return jsonify(deals=found, page=page.number, per_page=page.size, total=page.total)


@api.post("")
def create_deal() -> ResponseReturnValue:
    """Store a deal: `name` and `target_name` are required, `deal_type` defaults to acquisition."""
    try:
        values = validate(_body(), required=("name", "target_name"))
        deal = deals.create({"deal_type": DealType.ACQUISITION.value} | values)
    except HTTPException:
        raise  # not a deal at all: no JSON, or too much of it
    except Exception as error:
        deals.count_failure(error)
        raise
    return jsonify(as_json(deal)), 201, {"Location": url_for("api.show_deal", deal_id=deal.id)}


@api.get("/<int:deal_id>")
def show_deal(deal_id: int) -> Response:
    """One deal."""
    return jsonify(as_json(_deal(deal_id)))


@api.patch("/<int:deal_id>")
def change_deal(deal_id: int) -> Response:
    """Change the fields given, leave the others."""
    deal = _deal(deal_id)
    deals.change(deal, validate(_body()))
    return jsonify(as_json(deal))


@api.get("/<int:deal_id>/report")
def show_report(deal_id: int) -> Response:
    """What the reasoner says about a deal now."""
    return jsonify(report_of(_deal(deal_id)).output)


def as_json(deal: Deal) -> dict[str, object]:
    """A deal as the API shows it; a type that the migration has yet to mend shows as what it counts as."""
    return {
        "id": deal.id,
        "name": deal.name,
        "target_name": deal.target_name,
        "buyer_name": deal.buyer_name,
        "parent_name": deal.parent_name,
        "deal_type": effective_deal_type(deal.deal_type).value,
        "tsa_months": deal.tsa_months,
        "status": deal.status,
        "created_at": _moment(deal.created_at),
        "updated_at": _moment(deal.updated_at),
    }


def _moment(value: datetime | None) -> str | None:
    if value is None:
        return None
    # SQLite gives back the time without its zone, which is always UTC.
    return (value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)).isoformat()


def _deal(deal_id: int) -> Deal:
    return deals.get(deal_id) or _not_found(deal_id)


def _not_found(deal_id: int) -> NoReturn:
    raise NotFound(f"There is no deal {deal_id}.")


def _body() -> dict[str, object]:
    if not request.is_json:
        raise UnsupportedMediaType("Send a JSON object, with the header Content-Type: application/json.")
    sent = request.get_data()
    if len(sent) >= current_app.config["MAX_CONTENT_LENGTH"]:  # of a body in chunks, more may have been cut off
        raise RequestEntityTooLarge
    try:
        body = json.loads(sent)
    except RecursionError:
        raise BadRequest("The body is nested too deeply.") from None
    except ValueError as error:
        raise BadRequest(f"The body is not JSON: {error}.") from None
    if not isinstance(body, dict):
        raise BadRequest("The body must be a JSON object.")
    return body


def _number(name: str, default: int, most: int) -> int:
    text = request.args.get(name, str(default))
    if not (text.isascii() and text.isdecimal() and len(text) < 9 and 1 <= int(text) <= most):
        raise InvalidDealError({name: f"must be a whole number from 1 to {most}"})
    return int(text)
