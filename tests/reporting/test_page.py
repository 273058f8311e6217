"""The HTML report in a real browser: finding deals, going through them, reading one."""

from __future__ import annotations

from pathlib import Path

from pytest_dealsnap.reporting.html_report import render_html
from pytest_dealsnap.reporting.summary_text import summary_lines
from tests.reporting.browsing import DOWN, ENTER, ESCAPE, UP, Reader
from tests.reporting.runs import finding, finished, result


def test_search_filters_and_sort(reader: Reader, pages: dict[str, Path]) -> None:
    """By words, status, type, metric and cause, alone and together; sorted both ways; cleared again."""
    reader.open(pages["small"])
    assert reader.rows()[:5] == ["1", "2", "3", "4", "5"], "what fails comes first"
    assert reader.text("#shown") == "1\u201330 of 30 deals"
    reader.type("#search", "twelve MONTHS")
    assert reader.rows() == ["7"]
    assert reader.text("#shown") == "1\u20131 of 1 deal (of 30)"
    reader.click("#filters button")
    reader.until("document.querySelectorAll('#table tbody tr').length === 30")
    reader.choose("by-status", "all that fail")
    assert reader.rows() == ["1", "2", "3", "4", "5"]
    reader.choose("by-metric", "cost_total")
    assert reader.rows() == ["1", "2", "3"]
    reader.choose("by-status", "any")
    reader.choose("by-type", "carveout")
    assert reader.rows() == ["7"]
    reader.type("#search", "nowhere")
    assert reader.text("#shown") == "No deal fits (of 30)"
    reader.click("#filters button")
    reader.until("document.querySelectorAll('#table tbody tr').length === 30")
    reader.choose("by-cause", "reasoning failed")
    assert reader.rows() == ["4"]
    reader.choose("by-cause", "any")
    reader.click("th[data-sort=id] button")
    assert reader.rows()[:11] == [str(n) for n in range(1, 12)], "in deal order, 2 before 10"
    reader.click("th[data-sort=id] button")
    assert reader.rows()[:2] == ["30", "29"]
    assert reader.ask("document.querySelector('th[data-sort=id]').ariaSort") == "descending"
    reader.click("th[data-sort=change] button")
    assert reader.rows()[0] == "7", "the largest change first"


def test_a_row_shows_what_it_is_sorted_by(reader: Reader, tmp_path: Path) -> None:
    """Of several changes the largest, of those that fail the deal; of one metric, where that was asked for."""
    seen = finding("cost_total", 100, 900, 800.0, gates=False)
    results = [
        result("1", "regressed", finding("cost_total", 100, 120, 20.0), finding("count", 4, 1, -75.0)),
        result("2", "regressed", finding("cost_total", 100, 150, 50.0)),
        result("3", "regressed", seen, finding("count", 10, 9, -10.0)),
    ]
    path = tmp_path / "rows.html"
    path.write_text(render_html(finished(results)), encoding="utf-8")
    reader.open(path)
    changes = "[...document.querySelectorAll('#table tbody td.number')].map((cell) => cell.textContent)"
    assert reader.rows() == ["1", "2", "3"]
    assert reader.ask(changes) == ["-75.00 %", "+50.00 %", "-10.00 %"]
    reader.choose("by-metric", "cost_total")
    assert reader.rows() == ["3", "2", "1"]
    assert reader.ask(changes) == ["+800.00 %", "+50.00 %", "+20.00 %"]
    reader.choose("by-metric", "any")
    reader.choose("by-cause", "cost_total +20.0% to +50.0%")
    assert (reader.rows(), reader.ask(changes)) == (["2", "1"], ["+50.00 %", "+20.00 %"])
    listed = [line for line in summary_lines(finished(results)) if line.startswith("  deal ")]
    assert [line.split("(")[2].split(")")[0] for line in listed] == ["-75.00 %", "+50.00 %", "-10.00 %"]


def test_a_cause_leads_to_its_deals(reader: Reader, pages: dict[str, Path]) -> None:
    """Its link filters the table by it, also when the page is opened there."""
    reader.open(pages["small"])
    reader.click("#causes .cause a.title")
    reader.until("document.querySelectorAll('#table tbody tr').length === 3")
    place = reader.ask("location.hash")
    reader.open(pages["small"], place)
    reader.until("document.querySelectorAll('#table tbody tr').length === 3")


def test_a_deals_page(reader: Reader, pages: dict[str, Path], tmp_path: Path) -> None:
    """Metrics side by side, structured differences, the narrative word by word, the way on and back."""
    reader.open(pages["small"], "#deal=1")
    assert reader.text("#deal h1").splitlines() == ["Deal 1", "Deal 1"]
    assert reader.text("#deal .metrics tbody tr").split("\n")[0] == "cost_total 100 112 +12.00 % within 5% fails"
    marks = "[...document.querySelectorAll('#deal .words ' + arguments[0])].map((node) => node.textContent)"
    assert reader.ask(marks, "del") == ["496,000"]
    assert reader.ask(marks, "ins") == ["375,000"]
    assert "… and 2 more" in reader.text("#deal")
    assert '"type": "license"' in reader.text("#deal .differences > :last-child del")
    reader.keep(tmp_path / "deal.png")
    reader.look()
    assert reader.ask("document.title") == "Deal 1 · dealsnap"
    reader.click("#deal a[data-key=next]")
    reader.until("document.getElementById('deal-title').textContent.startsWith('Deal 2')")
    reader.click("#deal a[data-key=back]")
    reader.until("document.getElementById('deal').hidden")
    assert reader.ask("document.activeElement.textContent") == "2", "back where the reader was"
    reader.open(pages["large"], "#deal=4002")
    assert "pytest --dealsnap --dealsnap-id 4002 --dealsnap-report html:deal.html" in reader.text("#deal .without")


def test_next_and_previous_follow_the_filtered_list(reader: Reader, pages: dict[str, Path]) -> None:
    """A reader who looks at the carve-outs goes through the carve-outs."""
    reader.open(pages["small"])
    reader.choose("by-type", "carveout")
    reader.click("#table tbody td.id a")
    reader.until("!document.getElementById('deal').hidden")
    assert reader.text(".steps .where") == "1 of 2"
    reader.press("j")
    reader.until("document.querySelector('.steps .where').textContent === '2 of 2'")
    assert reader.text("#deal h1").startswith("Deal 6")


def test_keys_are_enough(reader: Reader, pages: dict[str, Path]) -> None:
    """/ searches, Esc leaves, j k and arrows move, Enter opens, Esc goes back; a focused element is visible."""
    reader.open(pages["large"])
    reader.press("/")
    reader.until("document.activeElement.id === 'search'")
    reader.press("jj")
    assert reader.ask("document.getElementById('search').value") == "jj", "letters are typed in a field"
    reader.press(ESCAPE)
    reader.until("document.activeElement.id !== 'search'")
    reader.click("#filters button")
    reader.until("document.querySelectorAll('#table tbody tr').length === 50")
    first = reader.rows()
    reader.press("j")
    assert reader.ask("document.activeElement.textContent") == first[0]
    assert reader.ask("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    reader.press(DOWN, DOWN, UP)
    assert reader.ask("document.activeElement.textContent") == first[1]
    reader.press("k", "k")
    assert reader.ask("document.activeElement.textContent") == first[0], "there is nothing before the first"
    for _ in range(50):
        reader.press("j")
    assert reader.ask("document.activeElement.textContent") == reader.rows()[0], "over the end of a page"
    assert reader.text("#shown").startswith("51\u2013100 of")
    shown = reader.rows()[0]
    reader.press(ENTER)
    reader.until("!document.getElementById('deal').hidden")
    assert reader.text("#deal h1").startswith(f"Deal {shown}")
    reader.press(ESCAPE)
    reader.until("document.getElementById('deal').hidden")
    assert reader.ask("document.activeElement.textContent") == shown


def test_ten_thousand_deals_keep_the_document_small(reader: Reader, pages: dict[str, Path]) -> None:
    """All deals are found and sorted, while the document holds one page of them."""
    reader.open(pages["large"])
    assert reader.text("#shown") == "1\u201350 of 10,000 deals"
    for act, words in (
        (reader.click, ("#later",)),
        (reader.type, ("#search", "company 77")),
        (reader.click, ("th[data-sort=name] button",)),
        (reader.choose, ("by-status", "regressed")),
    ):
        act(*words)
        assert len(reader.rows()) == 50
        assert reader.ask("document.getElementsByTagName('*').length") < 1500
    assert reader.text("#shown") == "1\u201350 of 55 deals (of 10,000)"
    assert reader.rows()[:2] == ["770", "7700"]
