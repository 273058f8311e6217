"""Markdown: a pull-request comment that GitHub renders as it was meant, whatever deals are called."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from pytest_dealsnap.reporting.markdown_report import COMMENT, STEP_SUMMARY, code, render_markdown, text
from tests.reporting.runs import HOSTILE, finding, finished, hostile_run, large_run, result, small_run

RENDERER = MarkdownIt("gfm-like", {"html": True, "linkify": False})


def tokens(markdown: str) -> Iterator[Token]:
    """Return every token that a renderer sees."""
    for token in RENDERER.parse(markdown):
        yield token
        yield from token.children or ()


def inline(words: str) -> list[Token]:
    """Return the tokens of a text that stands in a table's cell."""
    found = list(tokens(f"| a | b |\n| --- | --- |\n| {words} | end |"))
    assert [token.type for token in found].count("td_open") == 2, "its row has two cells still"
    cell = [token for token in found if token.type == "inline"][2]
    return list(cell.children or ())


def test_a_cell_shows_the_text_and_nothing_else() -> None:
    """Each hostile text becomes text: no tag, link, emphasis, code, image or further cell."""
    for hostile in HOSTILE:
        assert {token.type for token in inline(text(hostile))} <= {"text", "text_special"}, hostile
        assert {token.type for token in inline(code(hostile))} == {"code_inline"}, hostile


@given(st.text(alphabet=st.sampled_from("ab_ *`[]()<>|\\~&$#@!:/.w-\n") | st.characters(), max_size=30))
def test_any_text_is_shown_as_it_is(words: str) -> None:
    """What a reader sees is the text, with controls escaped and invisible spaces before references."""
    shown = "".join(token.content for token in inline(text(words)))
    once = shown.replace("\u200b", "").replace("\\\\", "\\").strip()
    for plain in re.findall(r"[a-z]+", words):
        assert plain in once
    assert {token.type for token in inline(text(words))} <= {"text", "text_special"}


def test_nobody_is_mentioned() -> None:
    """`@octocat`, `#1` and `GH-1` in a deal's name reach neither a person nor an issue; no address is a link."""
    shown = text("@octocat #1 gh-1 https://x.example www.x.example")
    assert shown == "@\u200boctocat #\u200b1 gh-\u200b1 https\\://x.example www\\.x.example"


def test_a_hostile_run_makes_no_markup_of_its_own() -> None:
    """In the whole comment there are only the report's own tags, and the table rows are those of the report."""
    markdown = render_markdown(hostile_run())
    tags = {token.content for token in tokens(markdown) if token.type.startswith("html")}
    assert tags <= {"<sub>", "</sub>", "<br>"}
    assert not [token for token in tokens(markdown) if token.type in ("link_open", "image")]
    assert not [line for line in markdown.splitlines() if line.lstrip().startswith("::")]
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e]", markdown)


def test_a_comment_fits_and_a_step_summary_too() -> None:
    """10,000 deals, hostile words and very long ones: far below 65,536 characters, and below 1 MiB."""
    long = "x|" * 3000
    types = [f"{long}{n}" for n in range(300)]
    wordy = [
        result(f"{long}{n}", "regressed", finding(t, long, t, 9.0), name=long, deal_type=t) for n, t in enumerate(types)
    ]
    for run in (large_run(), hostile_run(), finished(wordy, strangers=tuple(types), database=long, snapshots=long)):
        assert len(render_markdown(run, COMMENT)) < 50_000
        assert len(render_markdown(run, STEP_SUMMARY).encode()) < 900_000


def test_causes_come_first_and_the_next_steps_last() -> None:
    """Headings in the order in which a reviewer asks."""
    headings = re.findall(r"^##+ (.*)$", render_markdown(small_run()), re.MULTILINE)
    assert headings == [
        "dealsnap: ROLL BACK",
        "5 causes",
        "Deals by type",
        "5 failed deals, the worst two of each cause",
        "Next",
    ]


@pytest.mark.parametrize("name", ["small.md"])
def test_the_golden_comment_renders_as_tables(name: str) -> None:
    """The approved text has three tables, and its numbers stand flush right."""
    markdown = (Path(__file__).parent / "golden" / name).read_text(encoding="utf-8")
    assert [token.type for token in tokens(markdown)].count("table_open") == 3
    assert "text-align:right" in RENDERER.render(markdown)


def test_a_part_says_so_and_a_capture_too() -> None:
    """A partial run's verdict is marked; a capture has none."""
    part = finished([result("1")], partial=True, total=7)
    assert "## dealsnap: PROCEED (a part of the deals)" in render_markdown(part)
    assert "this run was partial: 1 of 7 deals" in render_markdown(part)
    capture = render_markdown(finished([result("1", "new")], mode="capture"))
    assert capture.startswith("## dealsnap capture\n\n1 deal recorded\n")
    assert "git add snapshots" in capture
