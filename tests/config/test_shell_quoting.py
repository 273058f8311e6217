"""Words of command lines are quoted for the shell that will read them."""

from __future__ import annotations

import os
import shlex
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_dealsnap.text import shell_quoted

WORDS = st.text(st.characters(min_codepoint=32, max_codepoint=0x2FFF, exclude_categories=["Cs"]))


@given(WORDS)
def test_a_posix_shell_reads_the_word(word: str) -> None:
    """Whatever it holds."""
    assert shlex.split(shell_quoted(word, windows=False)) == [word]


@given(WORDS)
def test_windows_takes_the_word_as_one_argument(word: str) -> None:
    """It is quoted as Python itself quotes for Windows, or between quotes where that would leave it bare."""
    quoted = shell_quoted(word, windows=True)
    bare = subprocess.list2cmdline([word])
    assert quoted in (bare, f'"{bare}"')


@pytest.mark.parametrize(
    ("word", "quoted"),
    [
        ("D-017", "D-017"),
        (r"C:\deals\gate.json", r"C:\deals\gate.json"),
        ("deal 1", '"deal 1"'),
        ("a&del b", '"a&del b"'),
        ("a^b|c>d", '"a^b|c>d"'),
        ('say "no"', r'"say \"no\""'),
        ("ends in \\", '"ends in \\\\"'),
        ("", '""'),
        ("naïve", '"naïve"'),
    ],
)
def test_cmd_exe_sees_no_operator(word: str, quoted: str) -> None:
    """A space, an ampersand or a pipe stands between double quotes; a plain word stays as it is."""
    assert shell_quoted(word, windows=True) == quoted


def test_the_system_decides() -> None:
    """Without a say, for the shell of the machine."""
    assert shell_quoted("a b") == shell_quoted("a b", windows=os.name == "nt")
