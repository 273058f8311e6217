"""All texts for people in one file, so that one reading can judge them.

``python -m tests.messages --write`` writes ``tests/messages.txt`` anew; a test holds that it is current.
"""

from __future__ import annotations

import argparse
import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from pytest_dealsnap.text import printable

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "pytest_dealsnap"
SNAPSHOT = Path(__file__).with_name("messages.txt")
# A sentence has three words; a key, a path or a pattern has not.
_SENTENCE = re.compile(r"[A-Za-z]{2,}[,:;.!?]?( \{[^{}]*\})* [A-Za-z]+[,:;.!?]?( \{[^{}]*\})* [A-Za-z]{2,}")
_CODE = re.compile(
    r"^\s*(SELECT|INSERT|UPDATE|DELETE|SET|CREATE|ALTER|DROP|SHOW|WITH|BEGIN|START|ROLLBACK|CASE|COMMENT|\(SELECT|\(\?)\b|\\[wsdb]"
)


def messages() -> str:
    """Return the texts of the package by module, each on one line, with the values in braces."""
    parts = []
    for path in sorted(PACKAGE.rglob("*.py")):
        found = list(dict.fromkeys(_texts(ast.parse(path.read_text(encoding="utf-8")))))
        if found:
            parts.append("\n".join([str(path.relative_to(PACKAGE)), *(f"  {text}" for text in found)]))
    return "\n\n".join(parts) + "\n"


def _texts(tree: ast.AST) -> Iterator[str]:
    """Yield the texts below *tree*, docstrings left out; what an f-string holds is a part of it."""
    skipped = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            skipped |= {id(part) for part in ast.walk(node) if part is not node}
    for node in ast.walk(tree):
        if id(node) in skipped:
            continue
        if isinstance(node, ast.JoinedStr):
            text = "".join(_part(one) for one in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            text = node.value
        else:
            continue
        text = printable(" ".join(text.split()))
        if _SENTENCE.search(text) and not _CODE.search(text):
            yield text


def _part(node: ast.expr) -> str:
    """Return a piece of an f-string; a value is its expression in braces."""
    if isinstance(node, ast.Constant):
        return str(node.value)
    assert isinstance(node, ast.FormattedValue)
    text = ast.unparse(node.value)
    return f"{{{text}}}" if len(text) <= 60 else f"{{{text[:57]}...}}"


def main() -> int:
    """Write the file, or print what would be in it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="write tests/messages.txt")
    if parser.parse_args().write:
        SNAPSHOT.write_text(messages(), encoding="utf-8")
    else:
        sys.stdout.write(messages())
    return 0


if __name__ == "__main__":
    sys.exit(main())
