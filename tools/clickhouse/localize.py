"""Migration files as one server can run them: cluster clauses left out, and every statement proved to be the same else.

goose runs such a copy on a local server; the files themselves are what ships.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from schemas.errors import Refused, StreamError
from schemas.goose_file import GooseSyntax, parse
from schemas.statement import Statement
from tools.clickhouse.cuts import Cut, cuts, without
from tools.clickhouse.obstacles import obstacle
from tools.clickhouse.proof import Disproved, NotProvable, Proved, Reading, Verdict, judge, read
from tools.clickhouse.tokens import Ask, Token, tokenize

__all__ = ["Localized", "Outcome", "localize"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of one statement: whether it was changed, what that was judged to be, and what will stop it."""

    file: str
    line: int
    changed: bool
    verdict: Proved | NotProvable
    obstacle: str = ""  # why an embedded server cannot run it


@dataclass(frozen=True, slots=True, kw_only=True)
class Localized:
    """The copies for goose, by the names of their files, and one outcome a statement, in the files' order."""

    texts: Mapping[str, bytes]
    outcomes: tuple[Outcome, ...]


@dataclass(slots=True, kw_only=True)
class _Place:
    """A statement of a file: whole lines of it, since goose reads by lines."""

    file: str
    statement: Statement
    begin: int
    end: int
    data: bytes = field(repr=False)
    tokens: tuple[Token, ...] = ()
    cuts: tuple[Cut, ...] = ()

    @property
    def raw(self) -> bytes:
        return self.data[self.begin : self.end]

    @property
    def where(self) -> str:
        return f"{self.file}:{self.statement.line}"


def localize(files: Mapping[str, bytes], ask: Ask, environment: Mapping[str, str] | None = None) -> Localized:
    """Rewrite whole files for one server; ``environment`` is what ENVSUB sees, empty unless given.

    Two requests for all files, a few more where ClickHouse has no syntax tree of a statement. Raises StreamError for
    a file that goose refuses, and Refused where a rewritten statement is not what it should be.
    """
    places = [place for name, data in files.items() for place in _places(name, data, environment)]
    for place, found in zip(places, tokenize([place.raw.decode() for place in places], ask), strict=True):
        place.tokens, place.cuts = found, cuts(place.raw, found)
    texts = _written(files, places)
    after = _reread(texts, places, environment)
    readings = _readings([*(place.statement.text for place in places), *after], ask)
    for place in places:
        if readings[place.statement.text].canonical is None:  # the server shall see what its author wrote
            place.cuts = ()
    return Localized(
        texts=_written(files, places),
        outcomes=tuple(_outcome(place, text, readings) for place, text in zip(places, after, strict=True)),
    )


def _places(name: str, data: bytes, environment: Mapping[str, str] | None) -> list[_Place]:
    try:
        data.decode()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise StreamError("the line is not UTF-8", where=f"{name}:{line}", todo="save the file as UTF-8") from error
    try:
        parsed = parse(data, environment)
    except GooseSyntax as refusal:
        raise StreamError(refusal.message, where=f"{name}:{refusal.line}", todo=refusal.remedy) from refusal
    starts = [0]
    for text in data.split(b"\n"):
        starts.append(starts[-1] + len(text) + 1)
    return [
        _Place(
            file=name, statement=one, begin=starts[one.line - 1], end=min(starts[one.end_line], len(data)), data=data
        )
        for one in (*parsed.up, *parsed.down)
    ]


def _written(files: Mapping[str, bytes], places: Iterable[_Place]) -> dict[str, bytes]:
    left_out: dict[str, list[Cut]] = {name: [] for name in files}
    for place in places:
        left_out[place.file] += (Cut(place.begin + cut.begin, place.begin + cut.end) for cut in place.cuts)
    return {name: without(data, left_out[name]) for name, data in files.items()}


def _reread(texts: Mapping[str, bytes], places: Iterable[_Place], environment: Mapping[str, str] | None) -> list[str]:
    """The statements that goose will find in the copies; Refused when it would split one of them otherwise."""
    wanted: dict[str, list[_Place]] = {}
    for place in places:
        wanted.setdefault(place.file, []).append(place)
    found: list[str] = []
    for name, those in wanted.items():
        try:
            parsed = parse(texts[name], environment)
        except GooseSyntax as refusal:
            raise _refused(
                those[0], f"goose would refuse the file at line {refusal.line}: {refusal.message}"
            ) from refusal
        got = (*parsed.up, *parsed.down)
        for place, one in zip(those, got, strict=False):
            if (one.line, one.block) != (place.statement.line, place.statement.block):
                raise _refused(place, "goose would not find it where it stands")
        if len(those) != len(got):
            raise _refused(those[-1], f"goose would find {len(got)} statements in the file, not {len(those)}")
        found += (one.text for one in got)
    return found


def _readings(texts: Iterable[str], ask: Ask) -> dict[str, Reading]:
    different = list(dict.fromkeys(texts))
    return dict(zip(different, read(different, ask), strict=True))


def _outcome(place: _Place, text: str, readings: Mapping[str, Reading]) -> Outcome:
    verdict = _verdict(place, text, readings)
    if isinstance(verdict, Disproved):
        raise _refused(place, verdict.reason)
    return Outcome(
        file=place.file,
        line=place.statement.line,
        changed=bool(place.cuts),
        verdict=verdict,
        obstacle=obstacle(place.raw, place.tokens),
    )


def _verdict(place: _Place, text: str, readings: Mapping[str, Reading]) -> Verdict:
    before = place.statement.text
    verdict = judge(readings[before], readings[text])
    if before != text or readings[before].canonical is None:
        return verdict
    if isinstance(verdict, Disproved):
        return NotProvable("it speaks of the cluster where its tokens do not tell what to leave out")
    return Proved()  # what runs is what is written


def _refused(place: _Place, reason: str) -> Refused:
    return Refused(
        "this statement cannot be rewritten for one server: the result would be another statement",
        where=place.where,
        why=reason,
        todo="write ON CLUSTER 'name' after the object's name, and the engine's ZooKeeper path and replica as strings",
    )
