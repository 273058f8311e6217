"""Follow the README's five minutes word by word: ``python -m tests.docs.five_minutes FOLDER``.

The first ``python``, ``pytest`` and ``dealsnap`` of ``PATH`` run. The installation is the caller's.
"""

from __future__ import annotations

import re
import subprocess
import sys
import textwrap
from pathlib import Path

__all__ = ["follow"]

README = Path(__file__).parents[2] / "README.md"
FAILS = "exit status 1"


def follow(folder: Path) -> list[str]:
    """Write the files and run the commands of the README's section, in *folder*, which is empty.

    Returns:
        What each command printed.

    Raises:
        AssertionError: A command ended otherwise than the README says.
    """
    section = README.read_text(encoding="utf-8").split("in five minutes\n")[1].split("\n## ")[0]
    said = []
    for language, block in re.findall(r"^ *```(\w+)\n(.*?)^ *```$", section, re.MULTILINE | re.DOTALL):
        text = textwrap.dedent(block)
        if language == "python":
            (folder / text.partition("\n")[0].removeprefix("# ")).write_text(text, encoding="utf-8")
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
    print(*follow(Path(sys.argv[1])), sep="\n")
