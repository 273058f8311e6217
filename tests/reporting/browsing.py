"""A real browser at a report's file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from selenium.webdriver import ActionChains, Chrome, Keys
from selenium.webdriver.common.by import By
from selenium.webdriver.support.wait import WebDriverWait

from examples.diligence.tests.browsing import DESKTOP, LOWEST_CONTRAST, PHONE

__all__ = ["DESKTOP", "LOWEST_CONTRAST", "PHONE", "Reader"]

SECONDS = 20


class Reader:
    """A person with a headless Chromium, a mouse and a keyboard."""

    def __init__(self, driver: Chrome, downloads: Path) -> None:
        self.driver = driver
        self.downloads = downloads

    def look(self, *, size: tuple[int, int] = DESKTOP, dark: bool = False, scripts: bool = True) -> None:
        """Be a desktop or a phone, light or dark, with or without JavaScript."""
        mobile = size == PHONE
        self.command(
            "Emulation.setDeviceMetricsOverride", width=size[0], height=size[1], deviceScaleFactor=1, mobile=mobile
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.command("Emulation.setEmulatedMedia", features=[scheme])
        self.command("Emulation.setScriptExecutionDisabled", value=not scripts)

    def command(self, name: str, **parameters: object) -> Any:
        """Send a command of the DevTools protocol."""
        return self.driver.execute_cdp_cmd(name, parameters)

    def open(self, path: Path, place: str = "") -> None:
        """Open a report, from the start."""
        self.driver.get("about:blank")
        self.driver.get(f"{path.as_uri()}{place}")

    def ask(self, script: str, *values: object) -> Any:
        """Ask the page something."""
        return self.driver.execute_script(f"return {script}", *values)

    def text(self, selector: str) -> str:
        """What a reader sees there."""
        return self.driver.find_element(By.CSS_SELECTOR, selector).text

    def click(self, selector: str) -> None:
        """Click what the selector finds."""
        element = self.driver.find_element(By.CSS_SELECTOR, selector)
        self.driver.execute_script("arguments[0].scrollIntoView({block: 'center'})", element)
        element.click()

    def type(self, selector: str, text: str) -> None:
        """Type into a field."""
        self.driver.find_element(By.CSS_SELECTOR, selector).send_keys(text)

    def choose(self, field: str, text: str) -> None:
        """Choose an option by the words that it begins with."""
        chosen = self.ask(
            "[...document.getElementById(arguments[0]).options].find((o) => o.text.startsWith(arguments[1]))?.value",
            field,
            text,
        )
        assert chosen is not None, f"{field} offers nothing that begins with {text}"
        self.ask(
            "(document.getElementById(arguments[0]).value = arguments[1], "
            "document.getElementById(arguments[0]).dispatchEvent(new Event('input', {bubbles: true})))",
            field,
            chosen,
        )

    def press(self, *keys: str) -> None:
        """Press keys wherever the focus is."""
        ActionChains(self.driver).send_keys(*keys).perform()

    def until(self, script: str) -> None:
        """Wait until the page says so."""
        WebDriverWait(self.driver, SECONDS).until(lambda driver: driver.execute_script(f"return {script}"))

    def rows(self) -> list[str]:
        """The ids in the table, as they are shown."""
        ids: list[str] = self.ask("[...document.querySelectorAll('#table tbody td.id a')].map((a) => a.textContent)")
        return ids

    def complaints(self) -> list[object]:
        """What the console has said since it was last asked."""
        log: list[object] = self.driver.get_log("browser")  # type: ignore[no-untyped-call]
        return log

    def keep(self, path: Path, *, most: int = 3000) -> None:
        """Keep a screenshot of the whole page, down to *most* pixels."""
        height = min(self.ask("document.documentElement.scrollHeight"), most)
        width = self.ask("innerWidth")
        self.command(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False
        )
        assert self.driver.save_screenshot(str(path))


ENTER, ESCAPE, DOWN, UP = Keys.ENTER, Keys.ESCAPE, Keys.ARROW_DOWN, Keys.ARROW_UP
