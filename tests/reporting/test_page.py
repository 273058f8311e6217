"""The HTML report in a real browser: finding deals, going through them, reading one."""

from __future__ import annotations

import csv
from pathlib import Path

from selenium.webdriver.support.wait import WebDriverWait

from pytest_dealsnap.model.details import Details, Difference
from pytest_dealsnap.model.results import Failure
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
    reader.choose("by-cause", "cost_total +20.0% to +800.0%")
    assert (reader.rows(), reader.ask(changes)) == (["3", "2", "1"], ["+800.00 %", "+50.00 %", "+20.00 %"])
    listed = [line for line in summary_lines(finished(results)) if line.startswith("  deal ")]
    assert [line.split("(")[2].split(")")[0] for line in listed] == ["+50.00 %", "-75.00 %", "-10.00 %"], (
        "crashes and money first"
    )


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


def test_the_page_of_a_crash_shows_its_traceback(reader: Reader, tmp_path: Path) -> None:
    """As text, with the error at its end, and without an empty table of metrics."""
    error = Failure("KeyError", "<b>'x'</b>")
    trace = '  File "app.py", line 7, in price\n    return rates["<b>x</b>"]\n'
    failed = finding("output", None, str(error), issue="reasoning_failed", allowed="no new errors")
    path = tmp_path / "crash.html"
    crash = result("1", "errored", failed, error=error, details=Details(traceback=trace))
    path.write_text(render_html(finished([crash, result("2")])), encoding="utf-8")
    reader.open(path, "#deal=1")
    assert reader.text("#deal pre.traceback").splitlines() == [
        '  File "app.py", line 7, in price',
        '    return rates["<b>x</b>"]',
        "KeyError: <b>'x'</b>",
    ]


def test_a_list_in_another_order_is_told_as_such(reader: Reader, tmp_path: Path) -> None:
    """With its items as they stand now, and nothing struck out."""
    kept = Details(differences=(Difference("steps", "reordered", ["a", "<b>"], ["<b>", "a"]),), total=1)
    path = tmp_path / "order.html"
    moved = result("1", "regressed", finding("cost_total", 100, 112, 12.0), details=kept)
    path.write_text(render_html(finished([moved, result("2")])), encoding="utf-8")
    reader.open(path, "#deal=1")
    told = reader.text("#deal .differences dd").splitlines()
    assert told == ["same items, another order:", '["<b>", "a"]']
    assert reader.ask("document.querySelectorAll('#deal .differences del').length") == 0


def test_the_lines_to_copy_name_the_report_of_the_run(reader: Reader, tmp_path: Path) -> None:
    """Without a word of the reader's; a decision's line at the foot names it too."""
    cost = finding("cost_total", 100, 112, 12.0, allowed="within 5%")
    path = tmp_path / "named.html"
    path.write_text(render_html(finished([result("1", "regressed", cost)], report="out/gate 1.json")), encoding="utf-8")
    reader.open(path)
    line = "#causes .cause .copy + .copy"
    reader.click(line)
    reader.until(f"document.querySelector('{line}').dataset.copied")
    copied = reader.ask(f"document.querySelector('{line}').dataset.copied")
    assert copied.startswith("dealsnap accept 'out/gate 1.json' --cause ")
    told = reader.ask("document.getElementById('accept-all').textContent")
    assert told == "dealsnap accept 'out/gate 1.json' --decisions dealsnap-decisions.json"
    reader.type("#report-path", "other.json")
    told = reader.ask("document.getElementById('accept-all').textContent")
    assert told == "dealsnap accept other.json --decisions dealsnap-decisions.json"


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


def test_a_long_narrative_is_aligned_whole(reader: Reader, tmp_path: Path) -> None:
    """Two changes far apart are two changes; what stayed is folded, counted and can be opened; both views agree."""
    lines = [f"Paragraph {n}. Both are integrated in a hundred days, for {n},500 dollars.\n" for n in range(400)]
    edited = [line.replace("hundred", "ninety") if n in (3, 390) else line for n, line in enumerate(lines)]
    edited.insert(200, "A new risk: the agreement ends early.\n")
    old, new = "".join(lines), "".join(edited)
    kept = Details((), (Difference("narrative", "changed", old, new),), 1)
    regressed = result("1", "regressed", finding("m", 1, 2, 100.0), details=kept)
    path = tmp_path / "long.html"
    path.write_text(render_html(finished([regressed, result("2", details=kept)])), encoding="utf-8")
    reader.open(path, "#deal=1")
    marks = "[...document.querySelectorAll('#deal .compared ' + arguments[0])].map((node) => node.textContent)"
    assert reader.ask(marks, "del") == ["hundred", "hundred"]
    assert [text.strip() for text in reader.ask(marks, "ins")] == [
        "ninety",
        "A new risk: the agreement ends early.",
        "ninety",
    ]
    reader.ask("void document.querySelectorAll('#deal .fold').forEach((button) => button.click())")
    shown = "[...document.querySelector('#deal .words').childNodes].filter((n) => n.nodeName !== arguments[0])"
    shown += ".map((n) => n.textContent).join('')"
    assert (reader.ask(shown, "INS"), reader.ask(shown, "DEL")) == (old, new), "nothing is lost"
    reader.click("#deal .ways [data-way=beside]")
    assert reader.ask(marks, "del") == ["hundred", "hundred"]
    folds = [int(text.split()[1].replace(",", "")) for text in reader.ask(marks, ".fold")]
    assert len(folds) == 3
    column = "[...document.querySelectorAll('#deal .beside p')].filter((p) => !p.matches('.both'))"
    left = reader.ask(f"{column}.filter((p, at) => at % 2 === 0).map((p) => p.textContent).join('')")
    assert len(left) + sum(folds) == len(old)
    reader.press("j")
    reader.until("document.getElementById('deal-title').textContent.startsWith('Deal 2')")
    assert reader.ask("document.querySelectorAll('#deal .beside').length") == 1, "the choice is kept"
    assert "null" not in reader.ask("document.getElementById('deal').textContent")
    reader.ask("void localStorage.clear()")


def test_the_list_stands_in_the_address(reader: Reader, pages: dict[str, Path]) -> None:
    """Filter, search, sort and page can be sent as a link; the way back from a deal leads there."""
    reader.open(pages["small"])
    reader.choose("by-metric", "cost_total")
    reader.choose("by-cause", "cost_total")
    reader.type("#search", "deal")
    reader.click("th[data-sort=id] button")
    reader.click("th[data-sort=id] button")
    place = reader.ask("location.hash")
    assert place.startswith("#deals?q=deal&metric=cost_total&cause=")
    assert place.endswith("&sort=id&down=1")
    reader.open(pages["small"], place)
    assert reader.rows() == ["3", "2", "1"]
    reader.press("j", ENTER)
    reader.until("!document.getElementById('deal').hidden")
    reader.click("#deal a[data-key=back]")
    reader.until("document.getElementById('deal').hidden")
    assert (reader.rows(), reader.ask("location.hash")) == (["3", "2", "1"], place)
    reader.open(pages["large"], "#deals?status=regressed&sort=nothing&page=3")
    assert reader.text("#shown") == "101\u2013150 of 5,000 deals (of 10,000)"
    reader.click("#filters button")
    assert reader.ask("location.hash") == "#deals"


def test_what_is_taken_along(reader: Reader, pages: dict[str, Path]) -> None:
    """Ids, a ready command, the listed deals as CSV, and a sheet with every cause and every failed deal."""
    reader.open(pages["small"])
    copied = "document.querySelector(arguments[0]).dataset.copied"
    reader.type("#report-path", "out/gate report.json")
    ids, line = ("#causes .cause:nth-child(1) .copy", "#causes .cause:nth-child(1) .copy + .copy")
    reader.click(ids)
    reader.until(f"document.querySelector('{ids}').dataset.copied")
    assert reader.ask(copied, ids) == "1\n2\n3"
    reader.click(line)
    reader.until(f"document.querySelector('{line}').dataset.copied")
    cause = reader.ask("JSON.parse(document.getElementById('data').textContent).causes[0].id")
    assert reader.ask(copied, line) == (
        f"dealsnap accept 'out/gate report.json' --cause {cause} --into ledger --reason 'WHY'"
    )
    assert reader.ask("document.querySelectorAll('#causes .cause:nth-child(3) .copy').length") == 1, "a crash"
    reader.choose("by-status", "all that fail")
    reader.click("#csv")
    path = reader.downloads / "dealsnap-deals.csv"
    WebDriverWait(reader.driver, 20).until(lambda _: path.is_file() and path.stat().st_size > 0)
    rows = list(csv.reader(path.read_text(encoding="utf-8-sig").splitlines()))
    assert rows[0][:5] == ["deal", "name", "type", "status", "metric"]
    assert rows[1] == [
        "1",
        "Deal 1",
        "acquisition",
        "regressed",
        "cost_total",
        "100",
        "112",
        "+12.00 %",
        "within 5%",
        cause,
    ]
    assert [row[0] for row in rows[1:]] == ["1", "2", "3", "4", "5"]
    reader.ask("void (location.hash = '#sheet')")
    reader.until("!document.getElementById('sheet').hidden")
    lines = (
        "[...document.querySelectorAll(`#sheet table:nth-of-type(${arguments[0]}) tbody tr`)].map((tr) => tr.innerText)"
    )
    assert len(reader.ask(lines, 1)) == 5
    assert [line.split()[0] for line in reader.ask(lines, 2)] == ["1", "2", "3", "4", "5"]
    assert reader.ask(lines, 2)[0].split("\t")[-2:] == ["+12.00 %", "open"]
    reader.ask("void localStorage.clear()")
