"""The API, asked over HTTP at the running system."""

from __future__ import annotations

import json
from http.client import HTTPConnection

import pytest

from examples.diligence.deal_types import ALIASES, VALID_DEAL_TYPES, DealType

from .serving import SECONDS, Visitor

DEALS = "/api/v1/deals"
NEW = {"name": "Test Deal", "target_name": "Target"}


def test_an_omitted_type_defaults_to_acquisition(visitor: Visitor) -> None:
    """The call of an old client still works, and can be read back from where the answer says."""
    reply = visitor.ask(DEALS, "POST", json_body=NEW)
    assert reply.status == 201
    assert reply.json["deal_type"] == "acquisition"
    assert visitor.ask(reply.headers["Location"]).json == reply.json


@pytest.mark.parametrize("deal_type", VALID_DEAL_TYPES)
def test_a_valid_type_is_taken(visitor: Visitor, deal_type: str) -> None:
    """The new call stores the type it names."""
    reply = visitor.ask(DEALS, "POST", json_body=NEW | {"deal_type": deal_type})
    assert (reply.status, reply.json["deal_type"]) == (201, deal_type)


@pytest.mark.parametrize(("alias", "meant"), ALIASES.items())
def test_an_alias_is_stored_as_what_it_means(visitor: Visitor, alias: str, meant: DealType) -> None:
    """Other names of a type are normalised, when a deal is created, changed and looked for."""
    created = visitor.ask(DEALS, "POST", json_body=NEW | {"deal_type": alias}).json
    changed = visitor.ask(f"{DEALS}/{created['id']}", "PATCH", json_body={"deal_type": alias}).json
    found = visitor.ask(f"{DEALS}?deal_type={alias}&per_page=1").json["deals"]
    assert [deal["deal_type"] for deal in (created, changed, *found)] == [meant] * 3


@pytest.mark.parametrize("deal_type", ["merger", "", "Acquisition", "carveout ", None, 7, ["carveout"], "é" * 300])
def test_an_invalid_type_is_refused_and_the_valid_ones_named(visitor: Visitor, deal_type: object) -> None:
    """422, in JSON, with the valid types both to read and to parse; nothing is stored."""
    before = visitor.ask(DEALS).json["total"]
    reply = visitor.ask(DEALS, "POST", json_body=NEW | {"deal_type": deal_type})
    error = reply.json["error"]
    assert reply.status == 422
    assert error["valid_deal_types"] == [*VALID_DEAL_TYPES]
    assert "valid are acquisition, carveout, divestiture" in error["fields"]["deal_type"]
    assert visitor.ask(DEALS).json["total"] == before


@pytest.mark.parametrize(
    ("fields", "bad"),
    [
        ({"name": "Only a name"}, {"target_name"}),
        ({"name": " ", "target_name": None}, {"name", "target_name"}),
        (NEW | {"name": "x" * 256}, {"name"}),
        (NEW | {"buyer_name": "nul\0"}, {"buyer_name"}),
        (NEW | {"parent_name": "\ud800"}, {"parent_name"}),
        (NEW | {"name": 7}, {"name"}),
        (NEW | {"name": "\u200b\x07 \u202e"}, {"name"}),
        (NEW | {"tsa_months": 25}, {"tsa_months"}),
        (NEW | {"tsa_months": True}, {"tsa_months"}),
        (NEW | {"inventory_from": 2**40}, {"inventory_from"}),
        (NEW | {"inventory_from": 100_000}, {"inventory_from"}),
        (NEW | {"dealtype": "carveout"}, {"dealtype"}),
    ],
)
def test_every_bad_field_is_named(visitor: Visitor, fields: dict[str, object], bad: set[str]) -> None:
    """A missing, misspelt or impossible field is 422 under its own name."""
    reply = visitor.ask(DEALS, "POST", json_body=fields)
    assert (reply.status, reply.json["error"]["fields"].keys()) == (422, bad)


def test_a_change_leaves_the_other_fields(visitor: Visitor) -> None:
    """PATCH changes what it names, says when, and refuses what creation refuses."""
    created = visitor.ask(DEALS, "POST", json_body=NEW | {"buyer_name": "Buyer", "tsa_months": 9}).json
    address = f"{DEALS}/{created['id']}"
    changed = visitor.ask(address, "PATCH", json_body={"deal_type": "carveout", "tsa_months": None}).json
    assert changed.pop("updated_at").endswith("+00:00")
    assert changed == {k: v for k, v in created.items() if k != "updated_at"} | {
        "deal_type": "carveout",
        "tsa_months": None,
    }
    assert visitor.ask(address, "PATCH", json_body={"deal_type": None}).status == 422
    assert visitor.ask(address, "PATCH", json_body={"inventory_from": 1}).status == 422
    assert visitor.ask(address).json["deal_type"] == "carveout"


def test_names_are_stored_as_they_are(visitor: Visitor) -> None:
    """Markup, quotes, emoji and line breaks come back unchanged, but for blanks at the ends."""
    name = "<script>alert('deal')</script> \"Ω\" 🚀\n'); DROP TABLE deals;--"
    created = visitor.ask(DEALS, "POST", json_body={"name": f"  {name} ", "target_name": name}).json
    assert visitor.ask(f"{DEALS}/{created['id']}").json["name"] == name


def test_the_list_can_be_filtered_and_paged(visitor: Visitor) -> None:
    """Each page holds other deals, all of the type asked for, and the total does not change."""
    pages = [visitor.ask(f"{DEALS}?deal_type=divestiture&per_page=5&page={page}").json for page in (1, 2)]
    ids = [deal["id"] for page in pages for deal in page["deals"]]
    assert len(set(ids)) == 10
    assert {deal["deal_type"] for page in pages for deal in page["deals"]} == {"divestiture"}
    assert pages[0]["total"] == pages[1]["total"] >= 12
    assert ids == sorted(ids, reverse=True)


@pytest.mark.parametrize("query", ["page=0", "page=x", "per_page=101", "page=99999999999999999999", "deal_type=merger"])
def test_a_bad_query_is_refused(visitor: Visitor, query: str) -> None:
    """A query that makes no sense is 422 rather than some other list."""
    assert visitor.ask(f"{DEALS}?{query}").status == 422


def test_a_copied_inventory_gives_the_same_report(visitor: Visitor) -> None:
    """The same inventory as another type costs by that type's multipliers; as the same type, the same."""
    original = visitor.ask(f"{DEALS}/329/report").json
    copies = {}
    for deal_type in ("acquisition", "carveout"):
        fields = NEW | {"deal_type": deal_type, "inventory_from": 329}
        copies[deal_type] = visitor.ask(
            f"{DEALS}/{visitor.ask(DEALS, 'POST', json_body=fields).json['id']}/report"
        ).json
    assert copies["acquisition"]["cost_estimate"] == original["cost_estimate"]
    assert copies["acquisition"]["synergies"] == original["synergies"] != []
    assert copies["carveout"]["cost_estimate"]["tsa_costs"] >= 600_000
    assert copies["carveout"]["synergies"] == []


@pytest.mark.parametrize(
    ("method", "path", "body", "kind", "status"),
    [
        ("GET", f"{DEALS}/100000", None, None, 404),
        ("GET", f"{DEALS}/99999999999999999999", None, None, 404),
        ("GET", "/api/v2/deals", None, None, 404),
        ("DELETE", f"{DEALS}/1", None, None, 405),
        ("POST", DEALS, b"{", "application/json", 400),
        ("POST", DEALS, b"", "application/json", 400),
        ("POST", DEALS, b"[]", "application/json", 400),
        ("POST", DEALS, b"null", "application/json", 400),
        ("POST", DEALS, b'{"name": "\xff"}', "application/json", 400),
        ("POST", DEALS, b'{"tsa_months": ' + b"9" * 5_000 + b"}", "application/json", 400),
        ("POST", DEALS, b"[" * 30_000 + b"]" * 30_000, "application/json", 400),
        ("PATCH", f"{DEALS}/3", b"{", "application/json", 400),
        ("POST", DEALS, b"name=x", "application/x-www-form-urlencoded", 415),
        ("POST", DEALS, b" " * 70_000, "application/json", 413),
    ],
)
def test_errors_are_json(
    visitor: Visitor, method: str, path: str, body: bytes | None, kind: str | None, status: int
) -> None:
    """Whatever is wrong, the answer is JSON with a code and a message."""
    reply = visitor.ask(path, method, body=body, headers={"Content-Type": kind} if kind else None)
    assert reply.status == status
    assert reply.json["error"].keys() == {"code", "message"}


def test_a_body_in_chunks_has_the_same_limit(visitor: Visitor) -> None:
    """No length is announced, and still nothing is stored of which the end was cut off."""
    connection = HTTPConnection(visitor.base.removeprefix("http://"), timeout=SECONDS)
    body = json.dumps(NEW | {"name": "Cut off"}).encode() + b" " * 70_000
    connection.request("POST", DEALS, iter([body]), {"Content-Type": "application/json"}, encode_chunked=True)
    assert connection.getresponse().status == 413
    connection.close()
    assert visitor.ask(f"{DEALS}?q=Cut+off").json["total"] == 0


def test_what_is_no_json_is_explained(visitor: Visitor) -> None:
    """The answer says where the JSON breaks, and which header was missing."""
    broken = visitor.ask(DEALS, "POST", body=b'{"name":', headers={"Content-Type": "application/json"})
    assert broken.json["error"]["message"] == "The body is not JSON: Expecting value: line 1 column 9 (char 8)."
    unnamed = visitor.ask(DEALS, "POST", body=b"{}", headers={"Content-Type": "text/plain"})
    assert "Content-Type: application/json" in unnamed.json["error"]["message"]


def test_a_slash_at_the_end_changes_nothing(visitor: Visitor) -> None:
    """An address with a slash at its end is the same address."""
    assert visitor.ask(f"{DEALS}/?per_page=1").json == visitor.ask(f"{DEALS}?per_page=1").json
    assert visitor.ask(f"{DEALS}/", "POST", json_body=NEW).status == 201


def test_a_refused_type_is_shown_as_it_was_sent(visitor: Visitor) -> None:
    """JSON's null is called null, and no list is quoted at length."""
    for sent, shown in ((None, "null is no"), ([["x"]] * 99, "a list is no"), ({}, "an object is"), ("x", "'x' is no")):
        reply = visitor.ask(DEALS, "POST", json_body=NEW | {"deal_type": sent})
        assert reply.json["error"]["fields"]["deal_type"].startswith(shown)


def test_a_deleted_deal_is_not_there(visitor: Visitor) -> None:
    """What was soft-deleted is neither listed nor shown."""
    ids = {
        deal["id"] for page in range(1, 6) for deal in visitor.ask(f"{DEALS}?per_page=100&page={page}").json["deals"]
    }
    (first, *_) = sorted(set(range(1, 330)) - ids)
    assert visitor.ask(f"{DEALS}/{first}").status == 404
