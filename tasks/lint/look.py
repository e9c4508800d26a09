"""All findings of one stream: out of the records where its files are as they were, else by the rules."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from tasks.lint.check import check, check_along, check_stream
from tasks.lint.file import File
from tasks.lint.finding import Finding, in_order
from tasks.lint.record import Record, Records, key, program
from tasks.lint.rule import Listed, rules
from tasks.lint.schema import Schema, changes
from tasks.lint.stream import Stream

__all__ = ["Looked", "look"]


class Looked(NamedTuple):
    """What one stream holds."""

    findings: tuple[Finding, ...]
    parsed: int  # files that were looked at anew


class _Keys(NamedTuple):
    """Under what the records of a stream are kept."""

    alone: list[str]  # for each file: what it holds by itself
    along: list[str]  # for each file: what depends on the files before it too
    whole: str  # what depends on all files


def look(stream: Stream, records: Records) -> Looked:
    """The findings of every rule about migration files. Rules about git are asked each time: they parse nothing."""
    engine = stream.database.engine
    keys = _keys(stream)
    known = records.read([*keys.alone, *keys.along, keys.whole])
    new: dict[str, Record] = {}
    missing = [
        file
        for file, one, other in zip(stream.files, keys.alone, keys.along, strict=True)
        if {one, other} - known.keys()
    ]
    stream.readings.looked_at = stream.files if keys.whole not in known else tuple(missing)
    each, walking = rules(engine, "file", "statements"), rules(engine, "catalogue")
    merged = stream.base.merged if stream.base else frozenset(file.name for file in stream.files)
    schema = Schema()
    found: list[Finding] = []
    for file, one, other in zip(stream.files, keys.alone, keys.along, strict=True):
        if one not in known:
            known[one] = new[one] = _alone(file, each)
        if other not in known:
            known[other] = new[other] = Record(tuple(check_along(file, walking, schema, new=file.name not in merged)))
        else:
            schema.apply(known[one].changes, file.path, new=file.name not in merged)
        found += [*known[one].findings, *known[other].findings]
    if keys.whole not in known:
        known[keys.whole] = new[keys.whole] = Record(tuple(check_stream(stream, rules(engine, "stream"))))
    found += known[keys.whole].findings
    found += check_stream(stream, rules(engine, "git"))
    records.write(new)
    return Looked(tuple(in_order(found)), len(missing))


def _keys(stream: Stream) -> _Keys:
    general = (program(), repr(stream.database))
    merged = stream.base.merged if stream.base else None
    alone: list[str] = []
    along: list[str] = []
    so_far = ""
    for file in stream.files:
        alone.append(key("file", general, file.path, file.sha256))
        so_far = key("along", so_far, alone[-1], merged is not None and file.name not in merged)
        along.append(so_far)
    return _Keys(alone, along, key("whole", general, so_far, stream.problems, stream.dotenvs))


def _alone(file: File, each: Sequence[Listed]) -> Record:
    done = [change for sql in file.up for change in changes(sql, file)]
    return Record(tuple(check(file, each)), tuple(done))
