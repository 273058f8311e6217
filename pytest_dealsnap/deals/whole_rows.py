"""Whole rows of deals, in which a value that cannot be read costs its own column only."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any

from sqlalchemy import ColumnElement, Select

from pytest_dealsnap.deals.deal import Unreadable
from pytest_dealsnap.deals.exact_values import Undecodable
from pytest_dealsnap.errors import SourceAwayError, SourceError

__all__ = ["WholeRows"]

Ask = Callable[[Select[Any]], Sequence[Mapping[str, Any]]]


class WholeRows:
    """Reads rows by *ask*, which raises :class:`SourceError` for a row that the driver cannot hand over.

    Such a row is read column by column. A column that failed once is asked for by itself from then on.
    """

    def __init__(self, columns: Mapping[str, ColumnElement[Any]], ask: Ask) -> None:
        self._columns = columns
        self._ask = ask
        self._failed: set[str] = set()

    def read(self, select_of: Callable[[Sequence[ColumnElement[Any]]], Select[Any]], key: str) -> list[dict[str, Any]]:
        """Return the rows that *select_of* asks for of given columns; the column *key* must be readable."""
        together = [name for name in self._columns if name not in self._failed]
        apart = [name for name in self._columns if name in self._failed]
        try:
            rows = self._rows(select_of, together)
        except SourceAwayError:
            raise
        except SourceError:
            rows = self._rows(select_of, [key])  # else it is not about one column
            if len(rows) != 1:
                raise
            apart = [name for name in self._columns if name != key]
        if len(rows) == 1:
            for name in apart:
                rows[0][name] = self._alone(select_of, name)
        return [{name: self._checked(name, row[name]) for name in self._columns if name in row} for row in rows]

    def _rows(
        self, select_of: Callable[[Sequence[ColumnElement[Any]]], Select[Any]], names: Sequence[str]
    ) -> list[dict[str, Any]]:
        rows = self._ask(select_of([self._columns[name].label(f"c{place}") for place, name in enumerate(names)]))
        return [{name: row[f"c{place}"] for place, name in enumerate(names)} for row in rows]

    def _alone(self, select_of: Callable[[Sequence[ColumnElement[Any]]], Select[Any]], name: str) -> Any:
        try:
            rows = self._rows(select_of, [name])
        except SourceAwayError:
            raise
        except SourceError as error:
            return self._unreadable(name, str(error))
        return rows[0][name] if rows else Unreadable("the row has gone")

    def _checked(self, name: str, value: Any) -> Any:
        return self._unreadable(name, "the text is no UTF-8") if isinstance(value, Undecodable) else value

    def _unreadable(self, name: str, reason: str) -> Unreadable:
        """Return the mark of a value that cannot be read, and say so the first time that it happens in a column."""
        if name not in self._failed:
            self._failed.add(name)
            with suppress(UserWarning):  # where warnings are errors, it is still the reader who gets the error
                warnings.warn(f'column "{name}" cannot be read in every deal: {reason}', stacklevel=2)
        return Unreadable(reason)
