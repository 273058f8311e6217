"""The page: the list of deals, a form to create and edit them, and each deal's report."""

from __future__ import annotations

from collections.abc import Mapping

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import NotFound

from examples.diligence.deal_types import VALID_DEAL_TYPES, DealType, effective_deal_type
from examples.diligence.models import Deal

from . import deals, presentation
from .fields import InvalidDealError, Values, validate
from .reports import report_of

TEXTS = ("name", "target_name", "buyer_name", "parent_name")
NUMBERS = ("tsa_months", "inventory_from")

pages = Blueprint("pages", __name__)


@pages.get("/")
def home() -> ResponseReturnValue:
    """The list is the home page."""
    return redirect(url_for("pages.list_deals"))


@pages.get("/deals")
def list_deals() -> ResponseReturnValue:
    """Deals, newest first, by ?type=, ?q= and ?page=; what makes no sense of these is passed over."""
    wanted = request.args.get("type", "")
    text = deals.searchable(request.args.get("q", ""))
    number = request.args.get("page", "1")
    page = deals.find(
        DealType(wanted) if wanted in VALID_DEAL_TYPES else None,
        text,
        number=max(1, int(number)) if number.isascii() and number.isdecimal() and len(number) < 7 else 1,
    )
    if page.number > page.last:  # an old link, or deals deleted since
        return redirect(url_for("pages.list_deals", page=page.last, type=wanted or None, q=text or None))
    return render_template("deals.html", page=page, wanted=wanted, text=text)


@pages.get("/deals/new")
def new_deal() -> str:
    """An empty form; ?inventory_from= suggests another deal's inventory."""
    return _form({"inventory_from": request.args.get("inventory_from", "")})


@pages.post("/deals/new")
def create_deal() -> ResponseReturnValue:
    """Store a new deal, or show the form again with what is wrong (422)."""
    given = _given()
    try:
        deal = deals.create(validate(given, required=("name", "target_name", "deal_type")))
    except Exception as error:
        deals.count_failure(error)
        if isinstance(error, InvalidDealError):
            return _form(request.form, problems=error.fields), 422
        raise
    flash("Deal created.")
    return redirect(url_for("pages.show_deal", deal_id=deal.id), 303)


@pages.get("/deals/<int:deal_id>")
def show_deal(deal_id: int) -> str:
    """A deal's report."""
    deal = _deal(deal_id)
    report = report_of(deal)
    return render_template(
        "deal.html",
        deal=deal,
        deal_type=effective_deal_type(deal.deal_type).value,
        output=report.output,
        aware=report.aware,
        shown_type=report.output["cost_estimate"]["deal_type"],
        bars=presentation.bars(report.output["cost_estimate"]),
        total=presentation.total,
    )


@pages.get("/deals/<int:deal_id>/edit")
def edit_deal(deal_id: int) -> str:
    """The form with a deal in it."""
    deal = _deal(deal_id)
    return _form(_shown(deal), deal=deal)


@pages.post("/deals/<int:deal_id>/edit")
def change_deal(deal_id: int) -> ResponseReturnValue:
    """Store the changes, or show the form again with what is wrong (422)."""
    deal = _deal(deal_id)
    try:
        deals.change(deal, validate(_without_untouched(deal, _given())))
    except InvalidDealError as error:
        return _form(request.form, deal=deal, problems=error.fields), 422
    flash("Changes saved. The report follows them.")
    return redirect(url_for("pages.show_deal", deal_id=deal.id), 303)


def _form(values: Mapping[str, str], *, deal: Deal | None = None, problems: Mapping[str, str] | None = None) -> str:
    return render_template("deal_form.html", values=values, deal=deal, problems=problems or {})


def _given() -> Values:
    """The fields of the form that was sent; a blank one counts as not given, or as cleared if it may be."""
    given: Values = {name: request.form[name] for name in TEXTS if name in request.form}
    if request.form.get("deal_type"):
        given["deal_type"] = request.form["deal_type"]
    for name in NUMBERS:
        if text := request.form.get(name, "").strip():
            given[name] = int(text) if text.isascii() and text.isdecimal() and len(text) < 12 else text
        elif name == "tsa_months" and name in request.form:
            given[name] = None
    return given


def _shown(deal: Deal) -> dict[str, str]:
    # A field of one line cannot hold a line break: browsers would drop it and join the words.
    shown = {name: " ".join((getattr(deal, name) or "").splitlines()) for name in TEXTS}
    months = "" if deal.tsa_months is None else str(deal.tsa_months)
    return shown | {"deal_type": effective_deal_type(deal.deal_type).value, "tsa_months": months}


def _without_untouched(deal: Deal, given: Values) -> Values:
    shown = _shown(deal)
    return {name: value for name, value in given.items() if name not in TEXTS or value != shown[name]}


def _deal(deal_id: int) -> Deal:
    deal = deals.get(deal_id)
    if deal is None:
        raise NotFound(f"There is no deal {deal_id}.")
    return deal
