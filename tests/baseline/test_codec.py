"""A snapshot as text, and every way in which a file can be wrong."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_dealsnap.baseline.codec import Snapshot, decode, encode
from pytest_dealsnap.errors import SnapshotError
from pytest_dealsnap.judging.values import same
from pytest_dealsnap.model.results import Failure
from tests.builders import canonical_values

GOOD: dict[str, Any] = {
    "deal_id": "12",
    "deal_name": "Acme",
    "deal_type": "acquisition",
    "metrics": {"cost_total": 1},
    "output": {"a": 1},
    "stored_type": None,
}


def test_a_snapshot_reads_as_a_list_of_facts() -> None:
    """Sorted keys, two spaces, one fact a line, a final newline."""
    snapshot = Snapshot("12", "Acme", "acquisition", None, {"cost_total": 1250000.0, "types": ["a", "b"]}, {"ä": 1})
    assert encode(snapshot).decode() == (
        '{\n  "deal_id": "12",\n  "deal_name": "Acme",\n  "deal_type": "acquisition",\n  "metrics": {\n'
        '    "cost_total": 1250000.0,\n    "types": [\n      "a",\n      "b"\n    ]\n  },\n'
        '  "output": {\n    "ä": 1\n  },\n  "stored_type": null\n}\n'
    )


def test_an_error_stands_in_place_of_metrics_and_output() -> None:
    """A deal that errored has type and message, and nothing else."""
    text = encode(Snapshot("1", None, "carveout", "x", error=Failure("ValueError", "boom")))
    assert json.loads(text) == {
        "deal_id": "1",
        "deal_name": None,
        "deal_type": "carveout",
        "error": {"message": "boom", "type": "ValueError"},
        "stored_type": "x",
    }


names = st.none() | st.text(max_size=8)
objects = st.dictionaries(st.text(max_size=4), canonical_values(), max_size=4)
snapshots = st.one_of(
    st.builds(Snapshot, st.text(max_size=8), names, st.text(max_size=8), names, objects, st.none() | objects),
    st.builds(
        Snapshot,
        st.text(max_size=8),
        names,
        st.text(max_size=8),
        names,
        error=st.builds(Failure, st.text(max_size=8), st.text(max_size=8)),
    ),
)


@given(snapshot=snapshots)
def test_a_snapshot_survives_its_file(snapshot: Snapshot) -> None:
    """Encoded and decoded, a snapshot says the same; encoded again, it has the same bytes."""
    data = encode(snapshot)
    back = decode(data, deal_id=snapshot.deal_id, path="x.json")
    assert (back.deal_id, back.deal_name, back.deal_type, back.stored_type, back.error) == (
        snapshot.deal_id,
        snapshot.deal_name,
        snapshot.deal_type,
        snapshot.stored_type,
        snapshot.error,
    )
    assert same(back.metrics, snapshot.metrics)
    assert same(back.output, snapshot.output)
    assert decode(data.decode(), deal_id=snapshot.deal_id, path="x.json").deal_name == snapshot.deal_name
    side = back.reasoned()
    assert (side.deal_type, side.stored_type, side.error) == (back.deal_type, back.stored_type, back.error)


def without(key: str) -> bytes:
    """Return the good document without *key*."""
    return json.dumps({name: value for name, value in GOOD.items() if name != key}).encode()


def having(**more: Any) -> bytes:
    """Return the good document with other entries."""
    return json.dumps({**GOOD, **more}).encode()


CONFLICT = b'{\n<<<<<<< HEAD\n  "deal_id": "12",\n=======\n  "deal_id": "13",\n>>>>>>> theirs\n}\n'
FACTS = {key: value for key, value in GOOD.items() if key not in ("metrics", "output")}
BAD: list[tuple[str, bytes, str]] = [
    ("nothing", b"", "is empty"),
    ("blanks", b" \n\n", "is empty"),
    ("half", json.dumps(GOOD).encode()[:40], "is truncated or no JSON: "),
    ("text", b"hello", "is truncated or no JSON: "),
    ("two", json.dumps(GOOD).encode() * 2, "is truncated or no JSON: Extra data"),
    ("zeros", b"\0" * 40, "is truncated or no JSON: "),
    ("bom", b"\xef\xbb\xbf" + json.dumps(GOOD).encode(), "is truncated or no JSON: "),
    ("latin", b'{"deal_id": "\xe9"}', "is not UTF-8"),
    ("conflict", CONFLICT, "is truncated or no JSON (it holds the markers of a merge conflict): "),
    ("twice", b'{"deal_id": "12", "deal_id": "12"}', "the key 'deal_id' stands there twice"),
    ("deep twice", b'{"deal_id": "12", "metrics": {"a": 1, "a": 2}}', "the key 'a' stands there twice"),
    ("deep", b"[" * 100_000, "is truncated or no JSON: "),
    ("long number", b'{"deal_id": ' + b"1" * 5000 + b"}", "is truncated or no JSON: "),
    ("wide exponent", b'{"deal_id": 1e999999999999999999999}', "is truncated or no JSON: "),
    ("list", b"[]", "does not know: it holds a list, not an object"),
    ("null", b"null", "does not know: it holds a NoneType, not an object"),
    ("lacking id", without("deal_id"), "does not know: missing keys ['deal_id']"),
    ("lacking type", without("stored_type"), "does not know: missing keys ['stored_type']"),
    ("lacking body", json.dumps(FACTS).encode(), "does not know: missing keys ['metrics or error']"),
    ("lacking metrics", without("metrics"), "does not know: missing keys ['metrics or error']"),
    ("both", having(error={"type": "E", "message": ""}), "does not know"),
    ("extra", having(format=2), "does not know: unknown keys ['format']"),
    ("id number", having(deal_id=12), "does not know: deal_id is 12"),
    ("name number", having(deal_name=5), "does not know: deal_name is 5"),
    ("type null", having(deal_type=None), "does not know: deal_type is None"),
    ("metrics list", having(metrics=[]), "does not know: metrics is []"),
    ("output null", having(output=None), "does not know: output is None"),
    ("error null", json.dumps({**FACTS, "error": None}).encode(), "does not know: error is None"),
    ("error text", json.dumps({**FACTS, "error": "x"}).encode(), "does not know: error is 'x'"),
    ("error shape", json.dumps({**FACTS, "error": {"type": "E"}}).encode(), "does not know: error is {'type': 'E'}"),
    ("error kinds", json.dumps({**FACTS, "error": {"type": 1, "message": ""}}).encode(), "does not know: error is"),
    ("other", having(deal_id="13"), "is of another deal: it says '13' where '12' belongs"),
]


@pytest.mark.parametrize(("data", "what"), [case[1:] for case in BAD], ids=[case[0] for case in BAD])
def test_a_bad_file_is_one_clear_error(data: bytes, what: str) -> None:
    """It names the file, what is wrong with it, and the way out."""
    with pytest.raises(SnapshotError) as caught:
        decode(data, deal_id="12", path="snapshots/deals/12.json")
    message = str(caught.value)
    assert message.startswith("the snapshot snapshots/deals/12.json ")
    assert what in message
    assert message.endswith(
        'Restore it from git, or capture the deal again: pytest --dealsnap-update --dealsnap-id "12"'
    )


def test_the_good_file_is_good() -> None:
    """What every bad case was made from is read without a word."""
    assert decode(json.dumps(GOOD), deal_id="12", path="x").metrics == {"cost_total": 1}
    assert decode(without("output"), deal_id="12", path="x").output is None


@given(cut=st.integers(0, 10**6))
def test_a_truncated_file_is_never_taken_for_a_snapshot(cut: int) -> None:
    """Cut at any byte but the final newline, a file is an error."""
    data = encode(Snapshot("12", "Äcme", "acquisition", None, {"cost": 1}, {"a": [1, {"b": "é"}]}))
    with pytest.raises(SnapshotError):
        decode(data[: cut % (len(data) - 1)], deal_id="12", path="x")
