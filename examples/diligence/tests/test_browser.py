"""The plan's manual checklist, gone through in a real browser; the screenshots lie in `var/screenshots/`."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest
from selenium.webdriver import Chrome, ChromeOptions, ChromeService, Keys
from selenium.webdriver.common.by import By

from examples.diligence import database

from .browsing import DESKTOP, HIDDEN_BEYOND_THE_EDGE, LOWEST_CONTRAST, PHONE, SMALL_PHONE, Browser
from .serving import Visitor

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
DRIVER = shutil.which("chromedriver")
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update", "--hide-scrollbars",
)  # fmt: skip

pytestmark = pytest.mark.skipif(not (CHROMIUM and DRIVER), reason="needs Chromium and chromedriver")


@pytest.fixture(scope="module")
def driver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chrome]:
    """One Chromium for all tests here, with a profile of its own."""
    options = ChromeOptions()
    options.binary_location = str(CHROMIUM)
    for flag in (*FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('profile')}"):
        options.add_argument(flag)
    chrome = Chrome(options=options, service=ChromeService(DRIVER))
    yield chrome
    chrome.quit()


@pytest.fixture
def browser(driver: Chrome, visitor: Visitor, request: pytest.FixtureRequest) -> Browser:
    """The browser as a desktop, light, with JavaScript."""
    screenshots = database.VAR / "screenshots" / request.node.name
    screenshots.mkdir(parents=True, exist_ok=True)
    browser = Browser(driver, visitor.base, screenshots)
    browser.look()
    return browser


def create(browser: Browser, deal_type: str, inventory_from: int = 328) -> None:
    """Create a deal as a user does."""
    browser.open(f"/deals/new?inventory_from={inventory_from}")
    browser.click(f"#type-{deal_type}")
    browser.fill("name", f"New {deal_type}")
    browser.fill("target_name", "A target")
    browser.follow("form.deal-form button")


def test_creating_a_deal_requires_a_type(browser: Browser) -> None:
    """Checklist: without a type the browser does not send the form, and shows which field is missing."""
    browser.open("/deals/new")
    browser.fill("name", "Typeless")
    browser.fill("target_name", "A target")
    browser.click("form.deal-form button")
    assert browser.driver.current_url.endswith("/deals/new")
    missing = browser.driver.execute_script("return [...document.querySelectorAll('input:invalid')].map(i => i.name)")
    assert missing == ["deal_type"] * 3
    assert browser.driver.switch_to.active_element.get_attribute("name") == "deal_type"
    browser.keep("type-required")


def test_the_type_of_a_deal_can_be_edited(browser: Browser) -> None:
    """Checklist: an existing deal's type is changed, and its report follows."""
    create(browser, "acquisition")
    assert "Consolidation synergies" in browser.text()
    browser.follow("a[href$='/edit']")
    assert browser.driver.find_element(By.ID, "type-acquisition").is_selected()
    browser.click("#type-divestiture")
    browser.follow("form.deal-form button")
    assert "Changes saved." in browser.text()
    assert "Consolidation synergies" not in browser.text()
    assert browser.text(".headline .badge") == "Divestiture"
    browser.keep("edited")


def test_an_acquisition_shows_consolidation(browser: Browser) -> None:
    """Checklist: a new acquisition recommends consolidation, with savings, and has no TSA."""
    create(browser, "acquisition")
    assert "$" in browser.text("#synergies tbody tr")
    assert not browser.driver.find_elements(By.ID, "separation")
    assert "TSA" not in browser.text()
    browser.keep("acquisition")


def test_a_carveout_shows_separation_costs(browser: Browser) -> None:
    """Checklist: a new carve-out shows what separation costs, and nothing to consolidate."""
    create(browser, "carveout")
    assert "$" in browser.text("#separation tbody tr")
    assert not browser.driver.find_elements(By.ID, "synergies")
    browser.keep("carveout")


def test_tsa_costs_are_for_carveouts_only(browser: Browser, visitor: Visitor) -> None:
    """Checklist: of the same inventory under three types, the carve-out alone has TSA lines."""
    lines = {}
    for deal_type in ("acquisition", "carveout", "divestiture"):
        fields = {"name": "N", "target_name": "T", "deal_type": deal_type, "inventory_from": 328}
        browser.open(f"/deals/{visitor.ask('/api/v1/deals', 'POST', json_body=fields).json['id']}")
        lines[deal_type] = [line for line in browser.text().splitlines() if "TSA" in line]
        browser.keep(f"tsa-{deal_type}")
    assert lines["acquisition"] == lines["divestiture"] == []
    assert len(lines["carveout"]) >= 3


def test_the_help_follows_the_choice(browser: Browser) -> None:
    """With JavaScript only the chosen type's help is shown, and announced; without it, all three."""
    browser.open("/deals/new")
    assert "Choose a type" in browser.text("#type-help[aria-live=polite]")
    for deal_type, words in (("carveout", "rented for 6 to 24 months"), ("divestiture", "RemainCo")):
        browser.click(f"#type-{deal_type}")
        shown = [
            e.get_attribute("data-type")
            for e in browser.driver.find_elements(By.CLASS_NAME, "help")
            if e.is_displayed()
        ]
        assert shown == [deal_type]
        assert words in browser.text("#type-help")
    browser.look(scripts=False)
    browser.open("/deals/new")
    assert all(help_text.is_displayed() for help_text in browser.driver.find_elements(By.CLASS_NAME, "help"))
    browser.keep("without-javascript")


def test_a_phone_shows_every_tsa_line(browser: Browser) -> None:
    """No column hides beyond the edge of a narrow screen: each figure stands in sight, under its title."""
    browser.look(size=SMALL_PHONE)
    browser.open("/deals/328")
    assert browser.driver.execute_script(HIDDEN_BEYOND_THE_EDGE) == []
    cells = browser.driver.find_elements(By.CSS_SELECTOR, "#separation tbody td")
    assert len(cells) >= 4
    shown = "getComputedStyle(arguments[0], '::before').content"
    titles = [browser.driver.execute_script(f"return {shown}", cell).strip('"') for cell in cells[:4]]
    assert titles == ["Set-up", "TSA months", "TSA fee a month", "Criticality"]


def test_a_deal_can_be_created_by_keyboard(browser: Browser) -> None:
    """Tab, arrows and Enter are enough; the first stop leads past the navigation, and focus goes top down."""
    browser.open("/deals/new")
    stops = []
    for key in (Keys.TAB, *[Keys.TAB] * 4, Keys.ARROW_DOWN, Keys.ARROW_UP, Keys.TAB):
        browser.driver.switch_to.active_element.send_keys(key)
        active = browser.driver.switch_to.active_element
        stops.append(active.get_attribute("id") or active.text)
    assert stops[0] == "Skip to the content"
    assert stops[4:] == ["type-acquisition", "type-carveout", "type-acquisition", "name"]
    browser.driver.switch_to.active_element.send_keys("By keyboard", Keys.TAB)
    with browser.leaving():
        browser.driver.switch_to.active_element.send_keys("A target", Keys.ENTER)
    assert browser.text("h1") == "By keyboard"


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_pages_fit_and_can_be_read(browser: Browser, size: tuple[int, int], dark: bool) -> None:
    """On desktop and phone, light and dark: nothing sticks out sideways, and all text has contrast enough."""
    for name, path in (
        ("list", "/deals"),
        ("form", "/deals/new"),
        ("acquisition", "/deals/329"),
        ("carveout", "/deals/328"),
    ):
        browser.look(size=size, dark=dark)
        browser.open(path)
        assert browser.driver.execute_script("return document.documentElement.scrollWidth") <= size[0]
        contrast, words = browser.driver.execute_script(LOWEST_CONTRAST)
        assert contrast >= 4.5, f"{words!r} on {path}"
        browser.keep(name)


def test_the_browser_has_nothing_to_complain_about(browser: Browser) -> None:
    """No page breaks its own security policy or misses a file, whatever a deal is called."""
    browser.complaints()
    for path in ("/deals", "/deals?q=script", "/deals/new", "/deals/328", "/deals/328/edit"):
        browser.open(path)
    assert browser.complaints() == []
