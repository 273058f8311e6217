"""PostgreSQL's drivers, taught to hand over dates, times and intervals exactly, or as the server writes them.

psycopg2 reads an infinite date as the last one that Python has, all three read a month as thirty days or refuse it, and
pg8000 is out of step with the server after a value that it cannot convert. Loaders are set on one connection of the
client; nothing is sent to the server.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from ipaddress import ip_address, ip_interface
from typing import Any

from sqlalchemy.engine import URL

__all__ = ["prepare_driver", "unprepared"]

Loads = Callable[[Any], Any]
# What Python has no value for: no end, before our era, after its year 9999, midnight as the end of a day.
_BEYOND = re.compile(r"infinity|BC|\A\d{5,}-|\A24:")
_MONTHS = re.compile(r"mon|year|infinity|[0-9][YM](?!.*T)|\A[+-]?\d+-\d+")
# As PostgreSQL writes them by default, without months.
_DAYS = re.compile(r"(?!$)(?:([+-]?\d+) days?(?: (?=.)|$))?(?:([+-])?(\d+):(\d\d):(\d\d)(?:\.(\d{1,6}))?)?")
_ARRAYS = {"date": 1182, "timestamp": 1115, "timestamptz": 1185, "time": 1183, "timetz": 1270, "interval": 1187}
_RANGES = {"timestamp": (3908, 4533), "timestamptz": (3910, 4534), "date": (3912, 4535)}
_INET, _INETS = 869, 1041
_DATES = {1082: "date", 1114: "timestamp", 1184: "timestamptz", 1083: "time", 1266: "timetz", 1186: "interval"}


def _interval(text: str) -> timedelta:
    """Return an interval of days, hours, minutes and seconds; raises ``ValueError`` for one of any other style.

    pg8000's own gives a minus to the hours alone, and none to ``-00:00:01``; psycopg2's reads other styles as numbers.
    """
    found = _DAYS.fullmatch(text)
    if found is None:
        raise ValueError(text)
    days, sign, hours, minutes, seconds, part = found.groups(default="0")
    clock = timedelta(
        hours=int(hours), minutes=int(minutes), seconds=int(seconds), microseconds=int(part.ljust(6, "0"))
    )
    return timedelta(days=int(days)) + (-clock if sign == "-" else clock)


def _is_beyond(name: str, text: str) -> bool:
    return bool((_MONTHS if name == "interval" else _BEYOND).search(text))


def _prepare_psycopg(connection: Any, loads: Loads) -> None:
    """Prepare a connection of psycopg 3."""
    from psycopg import DataError, Error
    from psycopg.types import datetime as loaders
    from psycopg.types.json import set_json_loads

    set_json_loads(loads, connection)
    named = {"date": "DateLoader", "timestamp": "TimestampLoader", "timestamptz": "TimestamptzLoader",
             "time": "TimeLoader", "timetz": "TimetzLoader", "interval": "IntervalLoader"}  # fmt: skip
    for name, loader in named.items():
        base: Any = getattr(loaders, loader)

        def load(self: Any, data: Any, base: Any = base, name: str = name) -> Any:
            text = bytes(data).decode()
            if _is_beyond(name, text):
                return text
            try:
                return base.load(self, data)
            except (DataError, Error, ValueError, OverflowError):
                return text

        connection.adapters.register_loader(name, type(f"Exact{loader}", (base,), {"load": load}))


def _prepare_psycopg2(connection: Any, loads: Loads) -> None:
    """Prepare a connection of psycopg2; its arrays and ranges are read by the same functions."""
    from psycopg2 import extensions, extras

    extras.register_default_json(connection, loads=loads)
    extras.register_default_jsonb(connection, loads=loads)
    own: dict[str, Any] = {
        "date": extensions.PYDATE,
        "timestamp": extensions.PYDATETIME,
        "timestamptz": extensions.PYDATETIMETZ,
        "time": extensions.PYTIME,
        "timetz": extensions.PYTIME,
        "interval": lambda text, cursor: _interval(text),
    }
    for number, name in _DATES.items():

        def read(text: Any, cursor: Any, name: str = name) -> Any:
            if text is None or _is_beyond(name, text):
                return text
            try:
                return own[name](text, cursor)
            except (ValueError, OverflowError):
                return text

        one = extensions.new_type((number,), f"EXACT_{name}", read)
        extensions.register_type(one, connection)
        extensions.register_type(extensions.new_array_type((_ARRAYS[name],), f"EXACT_{name}S", one), connection)


def _prepare_pg8000(connection: Any, loads: Loads) -> None:
    """Prepare a connection of pg8000. A function that raised would leave it out of step, so none does."""
    from pg8000 import converters  # type: ignore[import-untyped]  # it has no types

    own: dict[str, Loads] = {
        "date": date.fromisoformat,
        "timestamp": datetime.fromisoformat,
        "timestamptz": datetime.fromisoformat,
        "time": time.fromisoformat,
        "timetz": time.fromisoformat,
        "interval": _interval,
    }
    for number, name in _DATES.items():

        def read(text: str, name: str = name) -> Any:
            if _is_beyond(name, text):
                return text
            try:
                return own[name](text)
            except (ValueError, OverflowError):
                return text

        connection.register_in_adapter(number, read)
        connection.register_in_adapter(_ARRAYS[name], converters._array_in(read))
        if name in _RANGES:
            ranges, several = _RANGES[name]
            # Its own cuts the first and the last letter of a bound, in the belief that every bound is quoted.
            one = converters._range_in(lambda bound, read=read: read(bound.strip('"')))
            connection.register_in_adapter(ranges, one)
            connection.register_in_adapter(several, converters._multirange_in(one))
    connection.register_in_adapter(_INET, _address)
    connection.register_in_adapter(_INETS, converters._array_in(_address))
    for number, several in ((114, 199), (3802, 3807)):
        connection.register_in_adapter(number, loads)
        connection.register_in_adapter(several, converters._array_in(loads))


def _address(text: str) -> Any:
    """Return an address with its network; pg8000's own keeps the network alone."""
    return ip_interface(text) if "/" in text else ip_address(text)


_PREPARE: dict[str, Callable[[Any, Loads], None]] = {
    "psycopg": _prepare_psycopg,
    "psycopg2": _prepare_psycopg2,
    "pg8000": _prepare_pg8000,
}


def prepare_driver(connection: Any, driver: str, loads: Loads) -> None:
    """Prepare a connection of the driver that SQLAlchemy calls *driver*; one of another database stays as it is."""
    prepare = _PREPARE.get(driver)
    if prepare is not None:
        prepare(connection, loads)


def unprepared(url: URL) -> dict[str, Any]:
    """Return the driver's arguments with which it prepares no statement: one would stay in a pooler's session."""
    return {"prepare_threshold": None} if url.get_driver_name() == "psycopg" else {}
