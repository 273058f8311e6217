"""Deal types: what a stored value counts as."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pytest_dealsnap.config import DealsConfig

__all__ = ["DealTypes"]


@dataclass(frozen=True, slots=True)
class DealTypes:
    """The valid types, their aliases and the default.

    Matching is exact, as a CHECK constraint and a backfill's ``NOT IN`` match: ``Acquisition`` and
    ``"carve-out "`` are unknown, and unknown counts as the default.
    """

    valid: Sequence[str]
    default: str
    aliases: Mapping[str, str]

    @classmethod
    def of(cls, config: DealsConfig) -> DealTypes:
        """Return the types that *config* names."""
        return cls(config.types, config.default_type, config.aliases)

    def effective(self, stored: str | None) -> str:
        """Return what *stored* counts as."""
        if stored in self.valid:
            return str(stored)
        return self.aliases.get(stored, self.default) if stored is not None else self.default

    def recognizes(self, stored: str | None) -> bool:
        """Whether *stored* is a valid type or an alias of one."""
        return stored in self.valid or stored in self.aliases
