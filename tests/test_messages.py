"""What people read is in one file, which is current and holds to the English of CONTRIBUTING."""

from __future__ import annotations

import re

import pytest

from tests.messages import SNAPSHOT, messages


def test_the_file_of_all_messages_is_current() -> None:
    """A change of a text is a change of that file, so that it is reviewed: ``python -m tests.messages --write``."""
    assert SNAPSHOT.read_text(encoding="utf-8") == messages()


@pytest.mark.parametrize("words", ["in force", "so many", r"mend(s|ed|ing)?", "there is a hole", "tells? of"])
def test_no_message_says_it_in_words_that_readers_stumble_over(words: str) -> None:
    """The words that CONTRIBUTING's table replaces."""
    assert [line for line in messages().splitlines() if re.search(rf"\b{words}\b", line)] == []
