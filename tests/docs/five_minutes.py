"""Follow a page word by word; by itself the README's five minutes: ``python tests/docs/five_minutes.py FOLDER``.

The first ``python``, ``pytest`` and ``dealsnap`` of ``PATH`` run. The installation is the caller's.
"""

from __future__ import annotations

import re
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

__all__ = ["FIVE_MINUTES", "follow"]

README = Path(__file__).parents[2] / "README.md"
FIVE_MINUTES = README.read_text(encoding="utf-8").split("in five minutes\n")[1].split("\n## ")[0]
FILES = ("python", "toml", "ini")
ENDS = re.compile(r"# exit status (\d)")


Run = Callable[[str, Path], "subprocess.CompletedProcess[str]"]


def by_shell(command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a line of a page as a reader does."""
    return subprocess.run(command, shell=True, cwd=folder, capture_output=True, text=True, check=False)


def follow(page: str, folder: Path, run: Run = by_shell) -> list[str]:
    """Write the files and run the commands of *page* in *folder*, which is empty.

    Args:
        page: Markdown. A block of code whose first line is ``# NAME`` is that file; ``# add to NAME`` adds it there.
        folder: Where to write and run.
        run: How to run a command.

    Returns:
        What each command printed.

    Raises:
        AssertionError: A command ended otherwise than the page says.
    """
    said = []
    for language, block in re.findall(r"^ *```(\w+)\n(.*?)^ *```$", page, re.MULTILINE | re.DOTALL):
        text = textwrap.dedent(block)
        if (named := re.match(r"# (add to )?(\S+\.\w+)\n", text)) and language in FILES:
            path = folder / named[2]
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("a" if named[1] else "w", encoding="utf-8") as file:
                file.write(f"\n{text}")
        if language != "console":
            continue
        for command in re.findall(r"^\$ (.*)$", text, re.MULTILINE):
            if " pip " in command:
                continue
            done = run(command, folder)
            ends = ENDS.search(command)
            expected = int(ends[1]) if ends else 0
            assert done.returncode == expected, f"$ {command}\n{done.stdout}{done.stderr}"
            said.append(done.stdout)
    return said


if __name__ == "__main__":
    print(*follow(FIVE_MINUTES, Path(sys.argv[1])), sep="\n")
