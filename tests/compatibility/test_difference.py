"""What the job over plugins takes for a difference."""

from __future__ import annotations

from dataclasses import replace

from tests.compatibility.__main__ import Gate, difference
from tests.compatibility.plugins import PLUGINS, SHORT, Case

GREEN = Gate(0, "proceed", "verdict: PROCEED", {"d1": ("matched", []), "d2": ("matched", [])}, "")
WHOLE = Case("pytest-whole", ("whole",))
PART = Case("pytest-part", ("part",), part=True)


def test_a_whole_run_must_be_the_same_in_each_respect() -> None:
    """Exit status, verdict, deals, and what is shown."""
    assert difference(WHOLE, GREEN, GREEN) == ""
    red: dict[str, object] = {"d1": ("matched", []), "d2": ("regressed", [])}
    for other, told in (
        (replace(GREEN, status=1), "exit status 0 → 1"),
        (replace(GREEN, verdict=None), "verdict proceed → None"),
        (replace(GREEN, deals=red), "d2 differs"),
        (replace(GREEN, deals={}), "2 deals → 0"),
        (replace(GREEN, shown=""), "shows “”, not “verdict: PROCEED”"),
    ):
        assert difference(WHOLE, GREEN, other) == told


def test_a_part_has_fewer_deals_and_no_verdict() -> None:
    """A part that claims a verdict, or is the whole, differs."""
    some = replace(GREEN, verdict=None, shown="", deals={"d1": ("matched", [])})
    assert difference(PART, GREEN, some) == ""
    assert difference(PART, GREEN, replace(some, verdict="proceed")) == "a part has the verdict proceed over 1 deals"
    assert difference(PART, GREEN, replace(some, deals=GREEN.deals)) == "a part has the verdict None over 2 deals"


def test_each_plugin_of_the_short_job_is_in_the_table() -> None:
    """A misspelt one would be an error only in CI."""
    assert set(SHORT) <= {case.package for case in PLUGINS}
