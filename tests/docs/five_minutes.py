"""Follow a page word by word; by itself the README's five minutes: ``python tests/docs/five_minutes.py FOLDER``.

The first ``python``, ``pytest`` and ``dealsnap`` of ``PATH`` run. The installation is the caller's.
"""

from __future__ import annotations

import re
import subprocess
import sys
import textwrap
from pathlib import Path

__all__ = ["FIVE_MINUTES", "follow"]

README = Path(__file__).parents[2] / "README.md"
FIVE_MINUTES = README.read_text(encoding="utf-8").split("in five minutes\n")[1].split("\n## ")[0]
FAILS = "exit status 1"


def follow(page: str, folder: Path) -> list[str]:
    """Write the files and run the commands of *page* in *folder*, which is empty.

    Args:
        page: Markdown. A block of Python begins with its file's name; one of TOML is added to the file that it names.
        folder: Where to write and run.

    Returns:
        What each command printed.

    Raises:
        AssertionError: A command ended otherwise than the page says.
    """
    said = []
    for language, block in re.findall(r"^ *```(\w+)\n(.*?)^ *```$", page, re.MULTILINE | re.DOTALL):
        text = textwrap.dedent(block)
        name = text.partition("\n")[0].removeprefix("# ")
        if language == "python":
            (folder / name).write_text(text, encoding="utf-8")
        elif language == "toml":
            with (folder / name.removeprefix("add to ")).open("a", encoding="utf-8") as file:
                file.write(f"\n{text}")
        if language != "console":
            continue
        for command in re.findall(r"^\$ (.*)$", text, re.MULTILINE):
            if " pip " in command:
                continue
            done = subprocess.run(command, shell=True, cwd=folder, capture_output=True, text=True, check=False)
            expected = 1 if FAILS in command else 0
            assert done.returncode == expected, f"$ {command}\n{done.stdout}{done.stderr}"
            said.append(done.stdout)
    return said


if __name__ == "__main__":
    print(*follow(FIVE_MINUTES, Path(sys.argv[1])), sep="\n")
