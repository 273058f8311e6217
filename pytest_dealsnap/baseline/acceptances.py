"""The ledger applied to deals that were judged from snapshots, with the fields that a gate would have asked."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from types import TracebackType
from typing import Any

from pytest_dealsnap.baseline.codec import Snapshot
from pytest_dealsnap.baseline.deal_features import looking_up
from pytest_dealsnap.baseline.extension import DealSnapshots
from pytest_dealsnap.baseline.ledger import Ledger
from pytest_dealsnap.config import Config
from pytest_dealsnap.deals.open_source import open_source
from pytest_dealsnap.deals.source import DealSource
from pytest_dealsnap.errors import DealNotFoundError, DealsnapError
from pytest_dealsnap.judging.findings import DealResult

__all__ = ["CurrentRows", "accepted"]


class CurrentRows:
    """The rows of deals as the database has them now, read only when an entry names a column; a context manager.

    ``problem`` says why they could not be read, where they could not: an entry that names a column takes no deal then.
    """

    def __init__(self, config: Config) -> None:
        self._config = config
        self._source: DealSource | None = None
        self.problem = ""

    def __enter__(self) -> CurrentRows:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._source is not None:
            self._source.close()

    def __call__(self, deal_id: str) -> Mapping[str, Any]:
        """Return the columns of one deal's row, by name; empty where there is no such row, or none can be read."""
        if self.problem:
            return {}
        try:
            if self._source is None:
                self._source = open_source(self._config)
            refs = self._source.refs([deal_id])
            return self._source.fetch(refs[0]).fields if len(refs) == 1 else {}
        except DealNotFoundError:
            return {}
        except DealsnapError as error:
            self.problem = str(error)
            return {}


def accepted(
    ledger: Ledger, results: Iterable[DealResult], recorded: DealSnapshots, rows: Callable[[str], Mapping[str, Any]]
) -> Iterator[tuple[DealResult, tuple[int, ...]]]:
    """Yield each of *results* as *ledger* leaves it, with the numbers of the entries that matched.

    An entry's fields are asked of the *recorded* outputs, and of *rows*, by a deal's id.
    """
    for result in results:
        look = looking_up(partial(_snapshot, recorded, result.id), partial(rows, result.id))
        yield ledger.apply(result, look)


def _snapshot(recorded: DealSnapshots, deal_id: str) -> Snapshot | None:
    data = recorded.recall(deal_id)
    return None if data is None else recorded.decode(deal_id, data)
