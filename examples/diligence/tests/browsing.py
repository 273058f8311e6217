"""A real browser at the running system, and how readable it finds a page."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from selenium.common import WebDriverException
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.support.wait import WebDriverWait

from .serving import SECONDS

PHONE, DESKTOP = (390, 844), (1280, 900)
SMALL_PHONE = (320, 640)

# What is wider inside than outside, and so has to be scrolled sideways to be read.
HIDDEN_BEYOND_THE_EDGE = """
  return [...document.querySelectorAll("main *")]
    .filter((node) => node.checkVisibility() && node.clientWidth > 1 && node.scrollWidth > node.clientWidth)
    .map((node) => node.tagName + " " + node.className);
"""

# The lowest contrast of any text against what is behind it, as WCAG computes it.
LOWEST_CONTRAST = """
  const canvas = document.createElement("canvas").getContext("2d", {willReadFrequently: true});
  const over = (color, ground) => {
    canvas.fillStyle = `rgb(${ground})`; canvas.fillRect(0, 0, 1, 1);
    canvas.fillStyle = color; canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3);
  };
  const ground = (node) => node
    ? over(getComputedStyle(node).backgroundColor, ground(node.parentElement)) : [255, 255, 255];
  const light = (rgb) => rgb.map((v) => v / 255).map((v) => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  let lowest = [21, ""];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const node = walker.currentNode.parentElement;
    const text = walker.currentNode.data.trim();
    if (!text || !node.checkVisibility() || node.tagName === "OPTION") continue;
    const behind = ground(node);
    const [a, b] = [light(over(getComputedStyle(node).color, behind)), light(behind)].sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05);
    if (ratio < lowest[0]) lowest = [ratio, text];
  }
  return lowest;
"""


class Browser:
    """A headless Chromium at the running system."""

    def __init__(self, driver: Chrome, base: str, screenshots: Path) -> None:
        self.driver = driver
        self.base = base
        self.screenshots = screenshots

    def look(self, *, size: tuple[int, int] = DESKTOP, dark: bool = False, scripts: bool = True) -> None:
        """Be a desktop or a phone, light or dark, with or without JavaScript."""
        self.command(
            "Emulation.setDeviceMetricsOverride",
            width=size[0],
            height=size[1],
            deviceScaleFactor=1,
            mobile=size != DESKTOP,
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.command("Emulation.setEmulatedMedia", features=[scheme])
        self.command("Emulation.setScriptExecutionDisabled", value=not scripts)

    def command(self, name: str, **parameters: object) -> Any:
        """Send a command of the DevTools protocol."""
        return self.driver.execute_cdp_cmd(name, parameters)

    def open(self, path: str) -> None:
        """Load a page of the system."""
        self.driver.get(self.base + path)

    def text(self, selector: str = "main") -> str:
        """What a reader sees there."""
        return self.driver.find_element(By.CSS_SELECTOR, selector).text

    def click(self, selector: str) -> None:
        """Click what the selector finds."""
        self.driver.find_element(By.CSS_SELECTOR, selector).click()

    def follow(self, selector: str) -> None:
        """Click what leads to another page, and be there."""
        with self.leaving():
            self.click(selector)

    @contextmanager
    def leaving(self) -> Iterator[None]:
        """Whatever is done here, the next page is loaded at the end of it."""
        loaded = "return document.readyState === 'complete' && performance.timeOrigin"
        before = self.driver.execute_script(loaded)
        yield
        # While pages change, the browser may be unable to answer.
        wait = WebDriverWait(self.driver, SECONDS, ignored_exceptions=[WebDriverException])
        wait.until(lambda driver: driver.execute_script(loaded) not in (False, before))

    def fill(self, field: str, text: str) -> None:
        """Type into a field."""
        self.driver.find_element(By.ID, field).send_keys(text)

    def complaints(self) -> list[object]:
        """What the console has said since it was last asked."""
        log: list[object] = self.driver.get_log("browser")  # type: ignore[no-untyped-call]
        return log

    def keep(self, name: str) -> None:
        """Keep a screenshot of the whole page."""
        height = min(self.driver.execute_script("return document.documentElement.scrollHeight"), 4000)
        width = self.driver.execute_script("return innerWidth")
        self.command(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False
        )
        assert self.driver.save_screenshot(str(self.screenshots / f"{name}.png"))
