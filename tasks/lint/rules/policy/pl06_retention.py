"""PL06 retention: ClickHouse keeps rows as long as services.yaml says, and no longer.

Problem: The TTL that a table ends up with lets rows go before `retention.min`, or after `retention.max`; or there is
none; or nobody can tell from it.

Consequence: Rows that must be kept for years are gone, and no rollback brings them back; or rows that must be gone are
still there, and the disk fills.

Solution: `TTL toDateTime(at) + INTERVAL 5 YEAR`, on a column that holds the row's time. With `ttl_only_drop_parts = 1`
rows go with their whole part, when its newest is old enough: subtract what a partition spans from the most allowed.
"""

from __future__ import annotations

from collections.abc import Iterator

from schemas.catalog import Retention
from tasks.lint.finding import Flaw, Severity
from tasks.lint.rule import Rule
from tasks.lint.rules.policy.expiry import Expiry, expiry, span, words
from tasks.lint.rules.policy.kept import Kept, Place, kept
from tasks.lint.stream import Stream

__all__ = ["RULE", "check"]

RULE = Rule(code="PL06", name="retention", severity="error", needs="stream", engines=("clickhouse",))

TIMES = ("Date", "Date32", "DateTime", "DateTime64")


def check(stream: Stream) -> Iterator[Flaw]:
    """Tables whose rows stay too short, too long, or nobody knows how long."""
    bounds = stream.database.retention
    if bounds.min_days is None and bounds.max_days is None:
        return
    for table in kept(stream):
        yield from _table(table, bounds)
        yield from _columns(table, bounds)


def _table(table: Kept, bounds: Retention) -> Iterator[Flaw]:
    going = [one for one in table.ttl if one.get("mode") == "DELETE"]
    always = [expiry(one["ttl_expr"], table.columns) for one in going if not one.get("where_expr")]
    some = [expiry(one["ttl_expr"], table.columns) for one in going if one.get("where_expr")]
    unknown = next((one.why for one in (*always, *some) if one.why), "")
    if any(one.get("mode") == "GROUP_BY" for one in table.ttl):
        unknown = unknown or "the TTL replaces rows by their sums (GROUP BY)"
    instead = f"TTL {_time(table)} + INTERVAL {_interval(_wanted(table, bounds))}"
    if not going and not unknown:
        yield _missing(table, bounds, instead)
        return
    if unknown:
        yield _flaw(table.place, f"How long rows of {table.name} are kept cannot be told: {unknown}.", "", "warning")
        return
    first = min(one.days for one in (*always, *some))
    if bounds.min_days is not None and round(first) < bounds.min_days:
        deleted = f"Rows of {table.name} are deleted after {words(first)}"
        yield _flaw(table.place, f"{deleted}, and services.yaml asks for at least {words(bounds.min_days)}.", instead)
    elif bounds.max_days is not None:
        yield from _too_long(table, bounds.max_days, always, instead)


def _missing(table: Kept, bounds: Retention, instead: str) -> Flaw:
    if bounds.max_days is None:
        message = f"Rows of {table.name} are kept for ever: nothing says that {words(bounds.min_days or 0)} are enough."
        return _flaw(table.place, message, instead, "warning")
    message = f"Rows of {table.name} are kept for ever, and services.yaml allows at most {words(bounds.max_days)}."
    return _flaw(table.place, message, instead)


def _too_long(table: Kept, most: int, always: list[Expiry], instead: str) -> Iterator[Flaw]:
    allowed = f"services.yaml allows at most {words(most)}"
    if not always:
        yield _flaw(
            table.place, f"Rows of {table.name} that its WHERE leaves are kept for ever, and {allowed}.", instead
        )
        return
    last = min(one.days for one in always)
    more = span(table.partition) or 0 if table.whole_parts else 0
    if round(last) > most:
        yield _flaw(table.place, f"Rows of {table.name} are kept for {words(last)}, and {allowed}.", instead)
    elif round(last) + more > most:
        stays = f"Rows of {table.name} go with their whole part, up to {more} days after the {words(last)} of the TTL"
        yield _flaw(table.place, f"{stays}, and {allowed}.", instead)


def _columns(table: Kept, bounds: Retention) -> Iterator[Flaw]:
    for name, declared in table.columns.items():
        if bounds.min_days is None or not declared.get("ttl"):
            continue
        found = expiry(declared["ttl"], table.columns)
        if not found.why and round(found.days) < bounds.min_days:
            emptied = f"{table.name}.{name} is emptied after {words(found.days)}"
            place = table.places.get(name, table.place)
            yield _flaw(place, f"{emptied}, and services.yaml asks for at least {words(bounds.min_days)}.", "")


def _wanted(table: Kept, bounds: Retention) -> int:
    """Days that keep within both bounds, whole parts counted."""
    if bounds.min_days is not None:
        return bounds.min_days
    more = span(table.partition) or 0 if table.whole_parts else 0
    return max((bounds.max_days or 0) - more, 1)


def _time(table: Kept) -> str:
    """The first column that holds a time, as a TTL takes it."""
    for name, declared in table.columns.items():
        kind = (declared.get("data_type") or {}).get("name", "")
        if kind in TIMES:
            return f"toDateTime({name})" if kind == "DateTime64" else str(name)
    return "at"


def _interval(days: int) -> str:
    return f"{days // 365} YEAR" if days % 365 == 0 else f"{days} DAY"


def _flaw(place: Place, message: str, instead: str, severity: Severity | None = None) -> Flaw:
    path, line, column = place
    return Flaw(message, line=line, column=column, instead=instead, path=path, severity=severity)
