"""A gating rule that has nothing to judge is no pass: a slip in a path, an output of another shape, metrics only."""

from __future__ import annotations

from tests.plugin.project import REASONER, Project, deals

SLIP = 'price = "offer.prise"'
PRICE = 'price = "offer.price"'
IDLE = 'rules.acquisition.price = "within 5%" judged nothing: no compared deal has price'


def test_a_path_with_a_slip_judges_nothing_and_says_so(project: Project) -> None:
    """The capture says it and exits 1, without advice to commit; the gate is inconclusive however far prices go."""
    slipped = project.with_config(project.config.replace(PRICE, SLIP)).with_deals(*deals(3))
    captured = slipped.capture()
    assert captured.code == 1, captured.text
    assert "metric price (offer.prise) is absent in every deal: is its path right?" in captured.text
    assert "git commit" not in captured.text
    outcome = slipped.with_deals(*deals(3, amount=9_000_000_000)).gate()
    assert (outcome.code, outcome.action) == (1, "inconclusive")
    assert outcome.report["verdict"]["reason"] == IDLE
    assert outcome.report["idle_rules"] == [{"deal_type": "acquisition", "metric": "price", "rule": "within 5%"}]


def test_an_output_of_another_shape_on_both_sides_judges_nothing(project: Project) -> None:
    """`{"result": {…}}` in place of the output: every gating rule is idle; shards merged say the same."""
    wrapped = REASONER.replace("return {", 'return {"result": {').replace('"as signed"}', '"as signed"}}')
    project = project.with_reasoner(wrapped).with_deals(*deals(4))
    assert project.capture().code == 1
    outcome = project.with_deals(*deals(4, amount=500)).gate()
    assert (outcome.code, outcome.action) == (1, "inconclusive")
    assert [rule["metric"] for rule in outcome.report["idle_rules"]] == ["price", "risk_count"]


def test_a_chosen_part_may_lack_a_metric(project: Project) -> None:
    """One deal without a metric that others have is judged by what it has."""
    source = """
def value(t):
    return {"risks": [], **({"offer": {"price": 1}} if t.id == "d1" else {})}
"""
    project = project.with_reasoner(source).with_deals(*deals(2)).captured()
    whole, part = project.gate(), project.gate("--dealsnap-id", "d2")
    assert (whole.code, whole.action) == (0, "proceed")
    assert (part.code, part.action) == (0, "none")


def test_a_metrics_only_run_judges_the_whole_output(project: Project) -> None:
    """Against a full baseline the rest of the output is judged, whatever the run would record."""
    strict = project.with_config(f'{project.config}"*" = "equal"\n').with_deals(*deals(2)).captured()
    same = strict.gate("--dealsnap-output-record", "metrics")
    assert (same.code, same.action) == (0, "proceed"), same.text
    changed = strict.with_reasoner(REASONER.replace("as signed", "as amended"))
    outcome = changed.gate("--dealsnap-output-record", "metrics")
    assert (outcome.code, outcome.statuses) == (1, {"d1": "regressed", "d2": "regressed"})


def test_a_metrics_only_baseline_cannot_answer_for_the_rest(project: Project) -> None:
    """Under a gating `"*"` the capture says so and exits 1, and the gate is inconclusive; else both pass."""
    strict = project.with_config(f'{project.config}"*" = "equal"\n').with_deals(*deals(2))
    captured = strict.capture("--dealsnap-output-record", "metrics")
    assert captured.code == 1, captured.text
    words = 'rules.acquisition."*" = "equal" cannot judge outputs of which only metrics are recorded'
    assert words in captured.text
    changed = strict.with_reasoner(REASONER.replace("as signed", "as amended"))
    for record in ("metrics", "full"):
        outcome = changed.gate("--dealsnap-output-record", record)
        assert (outcome.code, outcome.action) == (1, "inconclusive")
        assert outcome.report["verdict"]["reason"] == words
    lenient = project.with_deals(*deals(2)).gate("--dealsnap-output-record", "metrics")
    assert (lenient.code, lenient.action) == (0, "proceed")
