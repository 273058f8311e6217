"""A baseline that went bad: each file that cannot be used is one clear error, never a pass, never the end."""

from __future__ import annotations

from tests.plugin.project import Project, deal, deals

GOOD_ENTRY = '[[accepted]]\ndeals = ["d1"]\nmetric = "price"\nvalue = 200\nreason = "agreed"\nwho = "Ana"\n'


def test_each_bad_snapshot_is_one_error_and_the_others_are_judged(project: Project) -> None:
    """Truncated, empty, another deal's, unknown format, merge conflict: named with the way out; the rest is judged."""
    project = project.with_deals(*deals(10)).captured()
    good = (project.baseline / "d9.json").read_text()
    bad = {
        "d1": good[:-40],
        "d2": "",
        "d3": good,
        "d4": '{"format": 9, "deal_id": "d4"}',
        "d5": f"<<<<<<< HEAD\n{good}=======\n{good}>>>>>>> other\n",
        "d6": "[1, 2]",
        "d7": "\udcff",
        "d8": good.replace('"deal_id": "d9"', '"deal_id": "d8",\n  "deal_id": "d8"'),
    }
    for name, text in bad.items():
        (project.baseline / f"{name}.json").write_text(text, errors="surrogateescape")
    (project.baseline / "notes.txt").write_text("not ours")
    outcome = project.gate()
    assert outcome.code == 1
    assert outcome.action == "inconclusive"
    assert outcome.statuses == {**dict.fromkeys(bad, "errored"), "d9": "matched", "d10": "matched"}
    messages = {name: outcome.deal(name)["error"]["message"] for name in bad}
    for name, words in {
        "d1": "is truncated or no JSON",
        "d2": "is empty",
        "d3": "is of another deal: it says 'd9' where 'd3' belongs",
        "d4": "is of a format that this version of pytest-dealsnap does not know",
        "d5": "the markers of a merge conflict",
        "d6": "it holds a list",
        "d7": "is not UTF-8",
        "d8": "the key 'deal_id' stands there twice",
    }.items():
        assert words in messages[name]
        assert f"{name}.json" in messages[name]
        assert f'pytest --dealsnap-update --dealsnap-id "{name}"' in messages[name]
        assert outcome.deal(name)["error"]["type"] == "SnapshotError"
    assert "notes.txt in the baseline's folder is no snapshot" in outcome.text
    again = project.capture("--dealsnap-only", "errors")
    assert again.code == 0
    assert set(again.statuses) == set(bad), "a bad file is captured anew like an error"
    assert project.gate().code == 0


def test_a_bad_snapshot_of_a_deal_that_is_gone_is_no_pass_either(project: Project) -> None:
    """A broken file whose deal the database lost is errored, and the loss still asks for a rollback."""
    project = project.with_deals(*deals(3)).captured()
    (project.baseline / "d3.json").write_text("{")
    outcome = project.with_deals(*deals(2)).gate()
    assert outcome.statuses["d3"] == "errored"
    assert (outcome.code, outcome.action) == (1, "roll_back")


def test_a_bad_manifest_or_ledger_is_a_usage_error_that_says_what_to_do(project: Project) -> None:
    """What speaks for the whole baseline must be right before anything is judged: exit code 4, no traceback."""
    project = project.with_deals(*deals(2)).captured()
    snapshots = project.folder / "snapshots"
    manifest, ledger = snapshots / "manifest.json", snapshots / "accepted.toml"
    for path, text, words in (
        (manifest, "{", "manifest.json cannot be read"),
        (manifest, '{"format": 99}', "has format 99; this version of pytest-dealsnap knows format 1"),
        (ledger, "[[accepted", "accepted.toml cannot be read"),
        (ledger, GOOD_ENTRY.replace("who", "whom"), "unknown key 'whom'. Did you mean \"who\"?"),
        (ledger, GOOD_ENTRY.replace('reason = "agreed"\n', ""), "entry 1: reason is needed"),
        (ledger, GOOD_ENTRY + "range = [1, 2]\n", "entry 1: one of value, range, change_percent"),
    ):
        before = path.read_text() if path.exists() else None
        path.write_text(text)
        outcome = project.gate()
        assert outcome.code == 4, outcome.text
        assert words in outcome.text
        assert path.name in outcome.text
        assert "Traceback" not in outcome.text
        if before is None:
            path.unlink()
        else:
            path.write_text(before)
    manifest.write_text("{")
    for part in (["--dealsnap-id", "d1"], ["-k", "d1"], ["-k", "d1", "-n", "1"], ["--dealsnap-only", "errors"]):
        outcome = project.capture(*part)
        assert outcome.code == 4, "a part cannot repair what speaks for the whole"
        assert "manifest.json cannot be read" in outcome.text
        assert "Traceback" not in outcome.text
    assert project.capture().code == 0
    assert project.gate().code == 0
    manifest.unlink()
    without = project.gate()
    assert without.code == 0
    assert "the baseline has no manifest.json" in without.text
    assert without.report["baseline"] is None


def test_the_ledger_accepts_only_what_it_names_and_while_it_lives(project: Project) -> None:
    """Another value, another deal, a past expiry: regressed; a stale entry is reported."""
    project = project.with_deals(*deals(3)).captured()
    ledger = project.folder / "snapshots" / "accepted.toml"
    stale = GOOD_ENTRY.replace('"d1"', '"d3"').replace("agreed", "long gone")
    ledger.write_text(GOOD_ENTRY + stale)
    changed = project.with_deals(deal("d1", amount=200), deal("d2", amount=200), deal("d3"))
    outcome = changed.gate("-rx")
    assert outcome.statuses == {"d1": "accepted", "d2": "regressed", "d3": "matched"}
    assert "(long gone) matches nothing: stale" in outcome.text
    assert "accepted: agreed" in outcome.text
    assert outcome.deal("d1")["reason"] == "agreed"
    other = project.with_deals(deal("d1", amount=201), *deals(3)[1:]).gate()
    assert other.statuses["d1"] == "regressed"
    ledger.write_text(GOOD_ENTRY + "expires = 2020-01-31\n")
    expired = changed.gate()
    assert expired.statuses["d1"] == "regressed"
    assert "(agreed) expired on 2020-01-31" in expired.text


def test_an_accepted_deal_is_no_acceptance_of_an_error(project: Project) -> None:
    """No ledger entry makes a deal green that could not be reasoned, or that is gone."""
    project = project.with_deals(*deals(4)).captured()
    ledger = project.folder / "snapshots" / "accepted.toml"
    ledger.write_text("".join(GOOD_ENTRY.replace('"price"', f'"{m}"').replace("200", v) for m, v in (
        ("price", "200"), ("output", '"KeyError: 1"'), ("deal", '"x"'),
    )))  # fmt: skip
    outcome = (
        project.with_deals(*deals(4))
        .with_reasoner("def value(t):\n    raise KeyError(1)\n")
        .gate("--dealsnap-id", "d1")
    )
    assert outcome.statuses == {"d1": "errored"}
