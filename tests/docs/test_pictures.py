"""The documentation's pictures: there, small, and made by a program that still works."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from tests.docs.pages import PAGES, ROOT

SHOWN = sorted(
    {
        (words, (ROOT / name).parent / path)
        for name, text in PAGES.items()
        for words, path in re.findall(r"!\[(.*?)\]\((.*?\.png)\)", text)
    }
)
CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")


def is_small_picture(path: Path) -> bool:
    """Whether *path* is a PNG that a page can afford."""
    data = path.read_bytes()
    return data.startswith(b"\x89PNG\r\n\x1a\n") and 5_000 < len(data) < 200_000


def test_the_pages_show_pictures_and_says_what_they_show() -> None:
    """Each picture is in the repository, under 200 KB, and has a text for those who do not see it."""
    assert len(SHOWN) >= 2
    for words, path in SHOWN:
        assert len(words) > 20
        assert is_small_picture(path), path


@pytest.mark.skipif(not (CHROMIUM and shutil.which("chromedriver")), reason="needs Chromium and chromedriver")
def test_the_pictures_can_be_made_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The program gates the example with faults on, and takes every picture that the pages show."""
    from examples.diligence import pictures  # it needs selenium

    pictures.main(tmp_path)
    assert {path.name for path in tmp_path.glob("*.png")} == {path.name for _, path in SHOWN}
    assert all(is_small_picture(path) for path in tmp_path.glob("*.png"))
    assert capsys.readouterr().out.count("bytes") == len({path.name for _, path in SHOWN})
