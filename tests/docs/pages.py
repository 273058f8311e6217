"""The pages of the documentation, as their readers see them."""

from __future__ import annotations

from pathlib import Path

__all__ = ["DOCS", "PAGES", "ROOT", "WHOLE", "page"]

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = {
    path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8")
    for path in (ROOT / "README.md", *sorted(DOCS.rglob("*.md")))
}
WHOLE = "\n".join(PAGES.values())


def page(name: str) -> str:
    """Return the text of ``docs/NAME.md``."""
    return PAGES[f"docs/{name}.md"]
