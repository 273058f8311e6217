"""A terminal that is more than lines: single keys, colours, a pager, and how wide it is."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Sequence

from pytest_dealsnap.cli.terminal import has_terminal, say

__all__ = ["has_colors", "has_keys", "page", "read_key", "screen"]

_END_OF_INPUT = "\x04"


def has_keys() -> bool:
    """Whether single keys can be read; a dumb terminal and one that cannot be set get whole words."""
    if not has_terminal() or os.environ.get("TERM", "dumb") == "dumb":
        return False
    try:
        import termios  # noqa: F401  # absent on Windows
    except ImportError:
        return False
    return True


def has_colors() -> bool:
    """Whether colours are shown: at a terminal that has them, unless ``NO_COLOR`` is set."""
    return has_terminal() and not os.environ.get("NO_COLOR") and os.environ.get("TERM", "dumb") != "dumb"


def screen() -> tuple[int, int]:
    """Return the terminal's columns and lines."""
    size = shutil.get_terminal_size()
    return size.columns, size.lines


def read_key(prompt: str) -> str:
    """Show *prompt* and return the key that is pressed; a key that sends a sequence, such as an arrow, is ``""``.

    Raises :class:`EOFError` for Ctrl-D, and lets Ctrl-C through.
    """
    import termios
    import tty

    sys.stdout.write(prompt)
    sys.stdout.flush()
    handle = sys.stdin.fileno()
    before = termios.tcgetattr(handle)
    try:
        tty.setcbreak(handle, termios.TCSADRAIN)
        key = os.read(handle, 16).decode("utf-8", errors="replace")
    finally:
        termios.tcsetattr(handle, termios.TCSADRAIN, before)
    if key in ("", _END_OF_INPUT):
        raise EOFError
    shown = "" if key[0] < " " else key[0]
    say(shown)
    return shown


def page(lines: Sequence[str]) -> None:
    """Show *lines*, through the pager that ``PAGER`` names (``less``) where they are more than a screen."""
    if not has_keys() or len(lines) < screen()[1]:
        say(lines)
        return
    command = shlex.split(os.environ.get("PAGER", "")) or ["less"]
    environment = {"LESS": "FRX", "LESSCHARSET": "utf-8", **os.environ}
    try:
        subprocess.run(command, input="\n".join(lines) + "\n", encoding="utf-8", env=environment, check=False)  # noqa: S603  # the user's own
    except OSError:  # there is no such pager
        say(lines)
