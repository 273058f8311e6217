"""Deals pinned with their accepted values: what shows such a value, and the file of many."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pytest_dealsnap.baseline.pins import pins_file, read_pins, shows
from pytest_dealsnap.errors import LedgerError
from pytest_dealsnap.judging.rules import parse_rule
from pytest_dealsnap.model.results import Finding, Kind

WITHIN = parse_rule("within 5%", place="rule", root=Path())


def moved(current: Any, **more: Any) -> Finding:
    """Return a finding of the metric ``price``."""
    return Finding("price", "price_changed", 100, current, **more)


@pytest.mark.parametrize(
    ("finding", "value", "rule", "shown"),
    [
        (moved(112), 112, None, True),
        (moved(112), 112.0, None, True),
        (moved(113), 112, None, False),
        (moved(113), 112, WITHIN, True),
        (moved(118), 112, WITHIN, False),
        (moved(113), 112, parse_rule("ratio 1.5..3.0", place="rule", root=Path()), False),
        (moved(113), 112, parse_rule("report", place="rule", root=Path()), False),
        (moved(float("nan")), "NaN", None, True),
        (Finding("price", "price_lost", 100, None, kind=Kind.LOST), 112, WITHIN, False),
        (Finding("output", "output_changed", count=3, digest="ab", kind=Kind.OUTPUT), "ab", None, True),
        (Finding("output", "output_changed", count=3, digest="ab", kind=Kind.OUTPUT), "cd", None, False),
        (Finding("output", "output_changed", count=3, kind=Kind.OUTPUT), "", None, False),
        (Finding("price", "price_changed", count=3, digest="ab"), "ab", WITHIN, True),
    ],
)
def test_what_shows_an_accepted_value(finding: Finding, value: Any, rule: Any, shown: bool) -> None:
    """The value itself, or one that the metric's own rule allows beside it; of outputs the digest."""
    assert shows(finding, value, rule) is shown


def kept(folder: Path, values: dict[str, Any]) -> str:
    """Write a file of values and return its name."""
    name, data = pins_file("price", values)
    (folder / "accepted").mkdir(exist_ok=True)
    (folder / name).write_bytes(data)
    return name


def test_values_are_read_back(tmp_path: Path) -> None:
    """Also those that are yet to be written."""
    name = kept(tmp_path, {"1": 112})
    assert read_pins(name, "price", tmp_path, {}) == {"1": 112}
    other, data = pins_file("price", {"2": 5})
    assert read_pins(other, "price", tmp_path, {other: data}) == {"2": 5}


@pytest.mark.parametrize("name", ["../x.json", "accepted/../x.json", "x.json", "other/x.json", "accepted/x.toml"])
def test_no_other_file_is_read(tmp_path: Path, name: str) -> None:
    """The ledger may come from a stranger."""
    with pytest.raises(LedgerError, match="must be a file in accepted/"):
        read_pins(name, "price", tmp_path, {})


def test_a_file_that_is_not_what_was_accepted_is_refused(tmp_path: Path) -> None:
    """Absent, unreadable, of another form or metric, or edited: each in its own words."""
    name = kept(tmp_path, {"1": 112})
    whole = (tmp_path / name).read_bytes()
    cases = {
        b"\xff": "cannot be read",
        b"[]": "no file of accepted values of format 1",
        whole.replace(b'"format": 1', b'"format": 2'): "no file of accepted values of format 1",
        whole.replace(b'"values"', b'"worth"'): "no file of accepted values of format 1",
        whole.replace(b'"price"', b'"cost"'): "is of the metric 'cost', and the entry of 'price'",
        whole.replace(b"112", b"113"): "is not as it was accepted",
    }
    for data, words in cases.items():
        assert data != whole
        (tmp_path / name).write_bytes(data)
        with pytest.raises(LedgerError, match=words):
            read_pins(name, "price", tmp_path, {})
    (tmp_path / name).unlink()
    with pytest.raises(LedgerError, match="does not exist"):
        read_pins(name, "price", tmp_path, {})
