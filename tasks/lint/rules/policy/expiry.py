"""After how many days a TTL of ClickHouse lets rows go, as far as its syntax tree alone tells."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

__all__ = ["Expiry", "expiry", "settings", "span", "words"]

Node = Mapping[str, Any]
UNITS = {  # in days: a month is a twelfth of a year of 365, as in services.yaml
    "nanosecond": 1e-9 / 86400,
    "microsecond": 1e-6 / 86400,
    "millisecond": 1e-3 / 86400,
    "second": 1 / 86400,
    "minute": 1 / 1440,
    "hour": 1 / 24,
    "day": 1,
    "week": 7,
    "month": 365 / 12,
    "quarter": 365 / 4,
    "year": 365,
}
NOW = frozenset({"now", "now64", "today", "utctimestamp", "current_timestamp"})
SAME = frozenset({"todatetime", "todatetime64", "todate", "todate32", "totimezone", "assumenotnull", "cast", "_cast"})
SPANS = {  # days that a partition may hold at most
    "toyyyymm": 31,
    "tostartofmonth": 31,
    "toyyyymmdd": 1,
    "todate": 1,
    "tostartofday": 1,
    "tomonday": 7,
    "tostartofweek": 7,
    "tostartofquarter": 92,
    "toyear": 366,
    "tostartofyear": 366,
}
DEEPEST = 8  # defaults of defaults


class Expiry(NamedTuple):
    """Days after the time in a column; or why that cannot be told."""

    days: float = 0
    of: str = ""  # the column, or "now" for the time at which the row was written
    why: str = ""


def expiry(node: Node, columns: Mapping[str, Node]) -> Expiry:
    """What a TTL says; ``columns`` are the declarations of the table's columns."""
    found = _time(node, columns, 0)
    if not found.why and not found.days and found.of != "now":
        return Expiry(why=f"the TTL is the column {found.of} itself, which whoever writes a row fills in")
    return found


def _arguments(node: Node) -> list[Node]:
    """The arguments of a call."""
    return list((node.get("arguments") or {}).get("children", ()))


def span(partition: Node | None) -> int | None:
    """Days that one partition may hold at most; None where nobody knows, or there are no partitions."""
    return SPANS.get(str((partition or {}).get("name", "")).lower())


def words(days: float) -> str:
    """``5 years``, ``90 days``."""
    whole = round(days)
    number, unit = (whole // 365, "year") if whole and whole % 365 == 0 else (whole, "day")
    return f"{number} {unit}{'' if number == 1 else 's'}"


def _time(node: Node, columns: Mapping[str, Node], depth: int) -> Expiry:
    kind, name = node.get("type"), str(node.get("name", ""))
    if kind == "Identifier":
        return _column(name, columns, depth)
    if kind != "Function":
        return Expiry(why="the TTL is a fixed time")
    return _call(name, _arguments(node), columns, depth)


def _call(name: str, given: list[Node], columns: Mapping[str, Node], depth: int) -> Expiry:
    call = name.lower()
    unit = call.removeprefix("add").rstrip("s")
    if call in NOW:
        return Expiry(of="now")
    if given and (call in SAME or call.startswith("tostartof")):
        return _time(given[0], columns, depth)
    if call == "plus":
        return _sum(given, columns, depth)
    if len(given) > 1 and call.startswith("add") and unit in UNITS:
        return _later(_time(given[0], columns, depth), _number(given[1]), UNITS[unit])
    return Expiry(why=f"what {name} makes of a time cannot be computed")


def _column(name: str, columns: Mapping[str, Node], depth: int) -> Expiry:
    default = columns.get(name, {}).get("default_expression")
    if not default:
        return Expiry(of=name)
    found = _time(default, columns, depth + 1) if depth < DEEPEST else Expiry(why="it leads round in a circle")
    return Expiry(why=f"the default of the column {name} cannot be computed: {found.why}") if found.why else found


def _sum(given: list[Node], columns: Mapping[str, Node], depth: int) -> Expiry:
    intervals = [(_interval(one), one) for one in given]
    times = [one for days, one in intervals if days is None]
    if len(times) != 1:
        return Expiry(why="it is no time with an interval added")
    found = _time(times[0], columns, depth)
    return found._replace(days=found.days + sum(days for days, _ in intervals if days is not None))


def _later(time: Expiry, number: float | None, unit: float) -> Expiry:
    if number is None:
        return Expiry(why="the interval is no number")
    return time._replace(days=time.days + number * unit)


def _interval(node: Node) -> float | None:
    """Days of ``INTERVAL 5 YEAR``, ``toIntervalDay(90)`` or a sum of them; None for anything else."""
    name = str(node.get("name", "")).lower()
    given = _arguments(node)
    if name == "plus":
        parts = [_interval(one) for one in given]
        return None if None in parts else sum(part for part in parts if part is not None)
    unit = name.removeprefix("tointerval")
    if unit in UNITS and name != unit and len(given) == 1:
        number = _number(given[0])
        return None if number is None else number * UNITS[unit]
    return None


def _number(node: Node) -> float | None:
    value = node.get("value", {}) if node.get("type") == "Literal" else {}
    try:
        return float(value.get("value", ""))
    except (TypeError, ValueError):
        return None


def settings(node: Node | None) -> Iterator[tuple[str, Any]]:
    """The settings that a statement gives, with their values."""
    for one in (node or {}).get("changes", ()):
        yield one["name"], one["value"].get("value")
