"""``python -m tests.architecture_picture``: ARCHITECTURE.md's picture of the rooms, made from the imports.

With ``--write`` it is put into ARCHITECTURE.md; without, it is printed.
"""

from __future__ import annotations

import re
import sys
from collections import defaultdict
from pathlib import Path

from tests.test_architecture import MODULES, OWN, SINGLE_MODULES, room

DOCUMENT = Path(__file__).parents[1] / "ARCHITECTURE.md"
BEGIN = "<!-- picture: made by `python -m tests.architecture_picture --write` -->\n"
END = "<!-- /picture -->"


def importers() -> dict[tuple[str, str], int]:
    """Return how many modules of one room import another room, for each pair; the lowest modules are no rooms."""
    pairs: dict[tuple[str, str], set[str]] = defaultdict(set)
    for one in OWN:
        if not one.typing_only and one.importer not in ("", "__main__", *SINGLE_MODULES):
            pairs[room(one.importer), room(one.imported)].add(one.importer)
    kept = {pair: len(modules) for pair, modules in pairs.items()}
    lowest = {"__init__", *SINGLE_MODULES}
    return {pair: count for pair, count in sorted(kept.items()) if pair[0] != pair[1] and pair[1] not in lowest}


def picture() -> str:
    """Return the picture as a Mermaid block: a box a room with its modules, an arrow with the importing modules."""
    arrows = importers()
    rooms = sorted({name for pair in arrows for name in pair})
    sizes = {name: sum(room(module) == name for module in MODULES) for name in rooms}
    lines = ["```mermaid", "flowchart TD"]
    lines += [f'  {name}["{name}/<br>{sizes[name]} modules"]' for name in rooms]
    lines += [f"  {importer} -->|{count}| {imported}" for (importer, imported), count in arrows.items()]
    return "\n".join([*lines, "```", ""])


def with_picture(text: str) -> str:
    """Return a document's *text* with the picture as the code has it now."""
    found = re.compile(f"{re.escape(BEGIN)}.*?{re.escape(END)}", re.DOTALL)
    if len(found.findall(text)) != 1:
        raise ValueError(f"{DOCUMENT.name} must hold {BEGIN.strip()} … {END} once")
    return found.sub(lambda match: f"{BEGIN}{picture()}{END}", text)


def main(argv: list[str]) -> int:
    """Print the picture, or put it into the document."""
    if argv == ["--write"]:
        DOCUMENT.write_text(with_picture(DOCUMENT.read_text(encoding="utf-8")), encoding="utf-8")
    else:
        print(picture(), end="")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
