"""The README's pictures: there, small, and made by a program that still works."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SHOWN = re.findall(r"!\[(.*?)\]\((.*?\.png)\)", (ROOT / "README.md").read_text(encoding="utf-8"))
CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")


def is_small_picture(path: Path) -> bool:
    """Whether *path* is a PNG that a page can afford."""
    data = path.read_bytes()
    return data.startswith(b"\x89PNG\r\n\x1a\n") and 5_000 < len(data) < 200_000


def test_the_readme_shows_pictures_and_says_what_they_show() -> None:
    """Each picture is in the repository, under 200 KB, and has a text for those who do not see it."""
    assert len(SHOWN) >= 2
    for words, path in SHOWN:
        assert len(words) > 20
        assert is_small_picture(ROOT / path), path


@pytest.mark.skipif(not (CHROMIUM and shutil.which("chromedriver")), reason="needs Chromium and chromedriver")
def test_the_pictures_can_be_made_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The program gates the example with faults on, and takes every picture that the README shows."""
    from examples.diligence import pictures  # it needs selenium

    pictures.main(tmp_path)
    assert {path.name for path in tmp_path.glob("*.png")} == {Path(path).name for _, path in SHOWN}
    assert all(is_small_picture(path) for path in tmp_path.glob("*.png"))
    assert capsys.readouterr().out.count("bytes") == len(SHOWN)
