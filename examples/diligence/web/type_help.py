"""What the page says about each deal type, before and after one is chosen."""

from __future__ import annotations

from dataclasses import dataclass

from examples.diligence.deal_types import DealType


@dataclass(frozen=True, slots=True)
class TypeHelp:
    """A deal type in the words of someone who has to choose one."""

    deal_type: DealType
    title: str
    question: str
    when: str
    shows: tuple[str, ...]
    also_called: str


TYPE_HELP = {
    about.deal_type: about
    for about in (
        TypeHelp(
            DealType.ACQUISITION,
            "Acquisition",
            "How do we integrate?",
            "The target merges into the buyer: its systems are brought together with the buyer's.",
            ("Consolidation synergies with the buyer's systems", "One-time cost of integration by domain"),
            "bolt-on, platform",
        ),
        TypeHelp(
            DealType.CARVEOUT,
            "Carve-out",
            "How do we stand alone?",
            "The target leaves its parent and stands alone under a new owner: the buyer, who is never the parent.",
            (
                "What it costs to replace each system shared with the parent",
                "TSA costs: the parent's systems, rented for 6 to 24 months",
                "One-time cost of standing alone by domain",
            ),
            "spin-off",
        ),
        TypeHelp(
            DealType.DIVESTITURE,
            "Divestiture",
            "How do we separate cleanly?",
            "A unit is untangled from the seller's systems, with little harm to what remains (RemainCo).",
            ("What it costs to separate each shared system", "Impact on RemainCo", "One-time cost of it by domain"),
            "sale, disposal",
        ),
    )
}
