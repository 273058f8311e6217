"""The HTML report in a real browser: what it looks like, to everybody, and that nothing hostile runs in it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pytest_dealsnap.text import printable
from tests.reporting.browsing import DESKTOP, LOWEST_CONTRAST, PHONE, Reader
from tests.reporting.runs import HOSTILE

VISIT_ALL = """
  const done = arguments[arguments.length - 1], seen = [];
  const deals = JSON.parse(document.getElementById("data").textContent).deals;
  const turned = () => new Promise((resolve) => addEventListener("hashchange", resolve, {once: true}));
  (async () => {
    for (const deal of deals) {
      const there = turned();
      location.hash = "#deal=" + encodeURIComponent(deal.id.toWellFormed());
      await there;
      const page = document.getElementById("deal");
      seen.push([deal.id.toWellFormed(), page.querySelector("h1")?.firstChild.textContent, document.title,
        page.querySelectorAll("script, img, svg, iframe").length]);
    }
    done(seen);
  })();
"""


def test_hostile_words_do_nothing(reader: Reader, pages: dict[str, Path], tmp_path: Path) -> None:
    """No name, id, metric, error or text of an output is run; each id has its page, and controls are shown."""
    reader.open(pages["hostile"])
    reader.keep(tmp_path / "hostile.png")
    reader.look()
    assert reader.ask("document.title") == "dealsnap gate: ROLL BACK"
    assert reader.ask("document.querySelectorAll('img, iframe, object, embed').length") == 0
    seen = reader.driver.execute_async_script(VISIT_ALL)
    assert len(seen) == 2 * len(HOSTILE)
    whole = [entry for entry in seen if "\ufffd" not in entry[0]]
    assert len(whole) == len(seen) - 1, "only a lone surrogate cannot stand in an address"
    for deal_id, heading, title, elements in whole:
        assert heading == f"Deal {printable(deal_id)}"
        assert title == f"Deal {printable(deal_id)} · dealsnap"
        assert elements == 0


def test_the_plot_counts_deals_by_type_and_size(reader: Reader, pages: dict[str, Path]) -> None:
    """Each type has its row; a bar says how many deals moved that far, and what the rules said of them."""
    reader.open(pages["small"])
    bars = "[...document.querySelectorAll('#plot .type .bars tr')]"
    bars += ".map((row) => row.innerText.split(/\\s*\\t\\s*/).join(' ') + ': ' + row.querySelector('svg').ariaLabel)"
    assert reader.ask(bars) == [
        "none 22: 22 unchanged",
        "10…25 % 3: 3 fails",
        "none 1: 1 unchanged",
        "100…200 % 1: 1 accepted",
    ]
    assert reader.text("#plot figcaption") == "cost_total by cause"
    steps = reader.ask("[...document.querySelectorAll('#plot .waterfall .number')].map((cell) => cell.textContent)")
    assert steps == ["400", "+200", "+36", "636 (+59 %)"]
    assert reader.ask("document.querySelectorAll('#plot .scatter .tolerance').length") == 2
    assert reader.ask("document.querySelector('#plot .scatter').ariaLabel") == (
        "cost_total of 3 changed acquisition deals, baseline against current"
    )


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_the_page_fits_and_can_be_read(
    reader: Reader, pages: dict[str, Path], tmp_path: Path, size: tuple[int, int], *, dark: bool
) -> None:
    """At desk and phone width, light and dark: nothing is cut off at the side, and text has contrast."""
    for name, place in (("small", ""), ("small", "#deal=1"), ("hostile", "#deal=1")):
        reader.look(size=size, dark=dark)
        reader.open(pages[name], place)
        width = reader.ask("[document.documentElement.scrollWidth, innerWidth]")
        assert width[0] <= width[1], (name, place)
        ratio, words = reader.driver.execute_script(LOWEST_CONTRAST)
        assert ratio >= 4.5, f"{words!r} on {name}{place}: {ratio:.2f}"
        reader.keep(tmp_path / f"{name}{'-deal' if place else ''}.png")


def test_colours_can_be_chosen_and_are_remembered(reader: Reader, pages: dict[str, Path]) -> None:
    """As the system, light, or dark."""
    reader.open(pages["small"])
    assert reader.ask("document.getElementById('theme').ariaLabel") == "Colours: auto"
    reader.click("#theme")
    reader.click("#theme")
    assert reader.ask("getComputedStyle(document.documentElement).colorScheme") == "dark"
    reader.open(pages["small"])
    assert reader.ask("document.getElementById('theme').ariaLabel") == "Colours: dark"


def axe_core() -> Path | None:
    """Return axe-core's script, which lies beside the commands of a folder that npm filled and PATH names."""
    folders = [Path(folder) for folder in os.environ["PATH"].split(os.pathsep) if folder.endswith("node_modules/.bin")]
    scripts = [folder.parent / "axe-core" / "axe.min.js" for folder in folders]
    return next((script for script in scripts if script.is_file()), None)


AXE = """
  const done = arguments[arguments.length - 1];
  axe.run(document).then(({violations}) => done(violations.map((one) => [one.id, one.nodes.map((node) => node.html)])));
"""


def test_axe_finds_no_violation(reader: Reader, pages: dict[str, Path]) -> None:
    """On the overview, a deal's page with an open decision, and the sheet; in light and dark, on desk and phone."""
    script = axe_core()
    if script is None:
        pytest.skip("needs axe-core: npm install axe-core, and its node_modules/.bin in PATH")
    looks = (("", DESKTOP, False), ("", PHONE, True), ("#deal=1", DESKTOP, True), ("#sheet", PHONE, False))
    for place, size, dark in looks:
        reader.look(size=size, dark=dark)
        reader.open(pages["small"], place)
        if place == "#deal=1":
            reader.click("#deal input[value=ledger]")
        reader.driver.execute_script(script.read_text(encoding="utf-8"))
        assert reader.driver.execute_async_script(AXE) == [], (place, size, dark)


def test_everything_has_a_name(reader: Reader, pages: dict[str, Path]) -> None:
    """Each field, button, link and picture has an accessible name, on the overview and on a deal's page."""
    nameless = """
      [...document.querySelectorAll("a, button, input, select, summary, svg[role=img], table, form")].filter((node) => {
        if (!node.checkVisibility()) return false;
        const label = node.labels?.length ? node.labels[0].textContent : "";
        const title = node.querySelector(":scope > caption, :scope > title")?.textContent;
        return !(node.ariaLabel || label || title || node.getAttribute("role") === "search"
          || (["A", "BUTTON", "SUMMARY"].includes(node.tagName) && node.textContent)).toString().trim();
      }).map((node) => node.outerHTML.slice(0, 80))
    """
    for place in ("", "#deal=1"):
        reader.open(pages["small"], place)
        assert reader.ask(nameless.strip()) == []


def test_without_javascript_the_core_can_be_read(reader: Reader, pages: dict[str, Path], tmp_path: Path) -> None:
    """Verdict, tree, causes, counts and the worst deals; nothing that would need a script is shown."""
    reader.look(scripts=False)
    reader.open(pages["small"])
    text = reader.driver.page_source
    assert "Roll back" in text
    tree = reader.command("DOM.getDocument", depth=0)
    shown = reader.command("DOM.querySelector", nodeId=tree["root"]["nodeId"], selector=".unscripted ul")
    assert reader.command("DOM.getBoxModel", nodeId=shown["nodeId"])["model"]["height"] > 0
    reader.command("Emulation.setScriptExecutionDisabled", value=False)


def test_on_paper_controls_are_gone(reader: Reader, pages: dict[str, Path]) -> None:
    """Printed, the page has its content and no controls."""
    reader.open(pages["small"])
    reader.command("Emulation.setEmulatedMedia", media="print")
    hidden = "['#theme', '#filters', '.keys', '.decide'].every((one) => !document.querySelector(one).checkVisibility())"
    assert reader.ask(hidden)
    assert reader.ask("document.querySelector('#verdict-title').checkVisibility()")
    reader.command("Emulation.setEmulatedMedia", media="")
