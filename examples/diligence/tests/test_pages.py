"""The page, without a browser: what the server sends and what it refuses."""

from __future__ import annotations

import re
from html import escape
from html.parser import HTMLParser

import pytest

from examples.diligence.web import build_app
from examples.diligence.web.app import BEHIND_TLS
from examples.diligence.web.headers import HEADERS
from examples.diligence.web.type_help import TYPE_HELP

from .serving import Reply, Visitor

NEW = {"name": "A new deal", "target_name": "A target", "deal_type": "acquisition"}


def create(visitor: Visitor, **fields: str) -> Reply:
    """Create a deal by the form, and follow to its report."""
    return visitor.send_form("/deals/new", NEW | fields)


def test_creating_a_deal_requires_a_type(visitor: Visitor) -> None:
    """Nothing is preselected; a form sent without a type comes back with what was typed, and what is wrong."""
    assert "checked" not in visitor.ask("/deals/new").text
    reply = visitor.send_form("/deals/new", {"name": "Typeless <deal>", "target_name": "T"})
    assert reply.status == 422
    assert "The deal was not saved" in reply.text
    assert 'value="Typeless &lt;deal&gt;"' in reply.text
    assert visitor.ask("/api/v1/deals?q=Typeless").json["total"] == 0


def test_every_bad_field_of_the_form_is_marked(visitor: Visitor) -> None:
    """Each bad field is marked for screen readers and described by its problem."""
    page = visitor.send_form("/deals/new", {"name": "", "deal_type": "merger", "tsa_months": "soon"}).text
    for name in ("name", "tsa_months"):
        tag = re.search(rf'<input id="{name}"[^>]*>', page)
        assert tag is not None
        assert 'aria-invalid="true"' in tag[0]
        assert f'{name}-problem"' in tag[0]
    assert "valid are acquisition, carveout, divestiture" in page
    summary = page[page.index('id="problems"') : page.index("</section>")]
    assert re.findall(r'<a href="#([^"]+)">([^<]+)</a>: ', summary) == [
        ("target_name", "Target"),
        ("name", "Name of the deal"),
        ("type-acquisition", "Deal type"),
        ("tsa_months", "Months of transition services"),
    ]


def test_a_form_without_its_token_is_refused(visitor: Visitor) -> None:
    """Another site cannot create or change deals in a user's name."""
    for path in ("/deals/new", "/deals/3/edit"):
        reply = visitor.post(path, NEW | {"name": "Forged deal"})
        assert reply.status == 400
        assert "CSRF token is missing" in reply.text
    assert visitor.ask("/api/v1/deals?q=Forged").json["total"] == 0


def test_names_are_escaped_everywhere(visitor: Visitor) -> None:
    """Markup in a name is text in the list, the report and the form."""
    name = "<script>alert(1)</script>\"><img src=x onerror='x'>"
    shown = create(visitor, name=name, target_name=name)
    address = shown.address.removeprefix(visitor.base)
    for page in (shown, visitor.ask(f"{address}/edit"), visitor.ask("/deals")):
        assert page.status == 200
        assert str(escape("<script>alert(1)")) in page.text
        assert "<script>alert" not in page.text
        assert "<img" not in page.text


def test_a_name_does_not_turn_the_prose(visitor: Visitor) -> None:
    """What reverses or embeds text stays where the name stands alone, apart from the text beside it."""
    name = "Turn\u202eed \u2067Around"
    page = create(visitor, name=name, target_name=name).text
    assert f"<h1><bdi>{name}</bdi></h1>" in page
    assert "<p>Turned Around joins" in page


@pytest.mark.parametrize("path", ["/deals", "/deals/new", "/deals/3", "/deals/0", "/api/v1/deals", "/static/style.css"])
def test_every_response_has_the_security_headers(visitor: Visitor, path: str) -> None:
    """Pages, errors, data and files all tell the browser what to refuse."""
    reply = visitor.ask(path)
    assert {name: reply.headers[name] for name in HEADERS} == HEADERS
    assert reply.headers["Server"] == "diligence"


class Tags(HTMLParser):
    """The tags of a page with their attributes."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


@pytest.mark.parametrize("path", ["/deals", "/deals/new", "/deals/328", "/deals/328/edit", "/deals/0"])
def test_pages_bring_their_own_files_only(visitor: Visitor, path: str) -> None:
    """No page has inline scripts or styles, or anything from another server."""
    for tag, attributes in Tags(visitor.ask(path).text).found:
        assert tag != "style"
        assert tag != "script" or attributes.get("src")
        assert not [name for name in attributes if name == "style" or name.startswith("on")]
        assert all((attributes.get(name) or "/").startswith(("/", "#")) for name in ("src", "href", "action"))


def test_cookies_are_kept_from_scripts_and_other_sites(visitor: Visitor) -> None:
    """The session cookie is HttpOnly and SameSite."""
    cookie = Visitor(visitor.base).ask("/deals/new").headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie


@pytest.mark.parametrize(("setting", "insists"), [("", False), ("1", True)])
def test_behind_tls_browsers_are_told_to_keep_to_it(
    setting: str, insists: bool, after_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A proxy ends TLS before the application, so a setting says that it is there."""
    monkeypatch.setenv(BEHIND_TLS, setting)
    reply = build_app(after_url).test_client().get("/deals/new")
    assert ("Strict-Transport-Security" in reply.headers) is insists
    assert ("Secure" in reply.headers["Set-Cookie"]) is insists


def test_without_javascript_all_help_is_there(visitor: Visitor) -> None:
    """The page as it is sent hides no help text, and every field has a label."""
    page = visitor.ask("/deals/new").text
    for about in TYPE_HELP.values():
        assert f'<div class="help {about.deal_type}" data-type="{about.deal_type}">' in page
        assert escape(about.when, quote=False).replace("'", "&#39;") in page
    for field in re.findall(r'<(?:input|select)[^>]* id="([^"]+)"', page):
        assert f' for="{field}"' in page


@pytest.mark.parametrize(
    ("deal_type", "shows", "hides"),
    [
        ("acquisition", ["Consolidation synergies"], ["Separation costs", "TSA", "ransition service"]),
        ("carveout", ["Separation costs", "TSA fee a month", "of which TSA"], ["Consolidation synergies"]),
        ("divestiture", ["Separation costs", "RemainCo"], ["Consolidation synergies", "TSA", "ransition service"]),
    ],
)
def test_the_report_follows_the_type(visitor: Visitor, deal_type: str, shows: list[str], hides: list[str]) -> None:
    """The same inventory shows synergies, or separation costs, and TSA lines for carve-outs only."""
    page = create(visitor, deal_type=deal_type, inventory_from="328").text
    assert "Deal created." in page
    assert all(words in page for words in shows)
    assert not any(words in page for words in hides)


def test_the_chart_has_a_bar_for_every_domain(visitor: Visitor) -> None:
    """Six bars, longest first, and one more for a carve-out's TSA; each has its figure beside it."""
    for deal_id, bars in ((3, 6), (328, 7)):
        lengths = re.findall(r'<rect class="bar" width="([\d.]+)"', visitor.ask(f"/deals/{deal_id}").text)
        assert len(lengths) == bars
        assert max(map(float, lengths)) == 100
        assert [float(length) for length in lengths[:6]] == sorted(map(float, lengths[:6]), reverse=True)


def test_editing_the_type_changes_the_report(visitor: Visitor) -> None:
    """The form holds what is stored; a new type is stored and the report follows it."""
    address = create(visitor, inventory_from="328").address.removeprefix(visitor.base)
    form = visitor.ask(f"{address}/edit").text
    assert re.search(r'value="acquisition" required checked', form)
    reply = visitor.send_form(f"{address}/edit", NEW | {"deal_type": "carveout", "tsa_months": "6"})
    assert "Changes saved." in reply.text
    assert "TSA fee a month" in reply.text
    refused = visitor.send_form(f"{address}/edit", NEW | {"deal_type": "carveout", "tsa_months": "5"})
    assert refused.status == 422
    assert visitor.ask(f"/api/v1{address}").json["tsa_months"] == 6


def test_editing_keeps_a_name_that_no_field_can_hold(visitor: Visitor) -> None:
    """A line break in a name survives an edit of the type."""
    made = visitor.ask("/api/v1/deals", "POST", json_body=NEW | {"name": "Two\nLines"}).json
    visitor.send_form(f"/deals/{made['id']}/edit", NEW | {"name": "Two Lines", "deal_type": "divestiture"})
    changed = visitor.ask(f"/api/v1/deals/{made['id']}").json
    assert (changed["name"], changed["deal_type"]) == ("Two\nLines", "divestiture")


def test_the_list_finds_by_type_and_name(visitor: Visitor) -> None:
    """Both filters narrow the list; what is no page or type is passed over."""
    page = visitor.ask("/deals?type=divestiture&q=a").text
    assert 'class="badge divestiture"' in page
    assert 'class="badge acquisition"' not in page
    assert "No deal matches" in visitor.ask("/deals?q=%25_no_such_deal").text
    assert visitor.ask("/deals?type=merger&page=-1&q=%00").status == 200
    assert visitor.ask("/deals?type=divestiture&q=a&page=999").address.endswith("page=1&type=divestiture&q=a")


def test_errors_are_pages(visitor: Visitor) -> None:
    """A deal that is not there is a page that says so and leads back."""
    reply = visitor.ask("/deals/100000")
    assert reply.status == 404
    assert "There is no deal 100000." in reply.text
    assert 'href="/deals"' in reply.text
