"""Waivers: ``-- lint:allow GS05 why until=2027-03-01``, where they stand and which lines they are about."""

from __future__ import annotations

import re
from datetime import date
from typing import NamedTuple

from tasks.lint.comments import Comment, in_sql, in_text
from tasks.lint.file import File
from tasks.lint.finding import Edit, Finding

__all__ = ["ALL", "UNTIL", "WORD", "Waiver", "of_file", "of_text"]

FORM = re.compile(r"(?P<word>lint\s*[:-]\s*(?:allow|ignore|disable))\b(?P<rest>.*)", re.IGNORECASE)
WORD = "lint:allow"
UNTIL = "until="
ALL = 1_000_000_000  # a line that no file has
BLOCKS = (".yaml", ".yml", ".tpl")


class Waiver(NamedTuple):
    """One waiver, as it is written."""

    path: str  # the file that it stands in
    line: int
    column: int
    end_column: int
    word: str  # lint:allow, or what was written in its place
    codes: tuple[str, ...]
    reason: str
    until: str
    covers: str  # the file whose findings it allows
    first: int  # the lines there
    last: int
    remove: tuple[Edit, ...] = ()
    merged: bool = False  # whether nobody may take it out of its file any more

    @property
    def end(self) -> date | None:
        """The last day on which it counts; None where it names none."""
        try:
            return date.fromisoformat(self.until)
        except ValueError:
            return None

    def about(self, finding: Finding) -> bool:
        """Whether the finding is one that it names, where it names it."""
        here = finding.path == self.covers and self.first <= finding.line <= self.last
        return here and finding.code in self.codes


def of_file(file: File, *, merged: bool) -> list[Waiver]:
    """The waivers of a migration: for the whole file before its first annotation, else for a statement."""
    if b"lint" not in file.data:
        return []
    comments = list(in_sql("\n".join(file.lines), file.engine))
    alone = {one.line for one in comments if one.alone}
    first_mark = min((mark.line for mark in file.marks), default=ALL)
    made = []
    for one in comments:
        if not FORM.match(one.text):
            continue
        lines = (1, ALL) if one.line < first_mark else _statement(file, one, alone)
        waiver = _waiver(file.path, one, len(file.line(one.line)), lines)
        made.append(waiver._replace(remove=(_removal(file, one),), merged=merged))
    return made


def of_text(path: str, text: str) -> list[Waiver]:
    """The waivers of another file: for all of it in the comments that begin it, else for the next line or its own.

    In YAML the lines that are indented below that line belong to it.
    """
    lines = [line.removesuffix("\r") for line in text.split("\n")]
    comments = list(in_text(path, lines)) if "lint" in text else []
    alone = {one.line for one in comments if one.alone}
    head = next((number for number, line in enumerate(lines, 1) if number not in alone and _says(line)), ALL)
    made = []
    for one in comments:
        if FORM.match(one.text):
            at = one.line
            while one.alone and at < len(lines) and (at in alone or not lines[at - 1].strip()):
                at += 1
            last = _block(lines, at) if path.endswith(BLOCKS) else at
            made.append(_waiver(path, one, len(lines[one.line - 1]), (1, ALL) if one.line < head else (one.line, last)))
    return made


def _statement(file: File, comment: Comment, alone: set[int]) -> tuple[int, int]:
    """The lines of the statement that a comment is in, behind or directly above; else of the comments around it."""
    for one in file.statements:
        if one.line <= comment.line <= one.statement.end_line:
            return one.line, one.statement.end_line
    below = comment.line
    if comment.alone:
        while below + 1 in alone:
            below += 1
        for one in file.statements:
            if one.line == below + 1:
                return comment.line, one.statement.end_line
    return comment.line, below


def _waiver(path: str, comment: Comment, width: int, lines: tuple[int, int]) -> Waiver:
    form = FORM.match(comment.text)
    words = form["rest"].split() if form else []
    codes, *rest = words or [""]
    until = [word for word in rest if word.startswith(UNTIL)]
    return Waiver(
        path=path,
        line=comment.line,
        column=comment.column,
        end_column=width + 1,
        word=form["word"] if form else "",
        codes=tuple(filter(None, codes.split(","))),
        reason=" ".join(word for word in rest if not word.startswith(UNTIL)),
        until=until[0].removeprefix(UNTIL) if until else "",
        covers=path,
        first=lines[0],
        last=lines[1],
    )


def _removal(file: File, comment: Comment) -> Edit:
    """What takes the comment out of its file, with its line where it stands alone."""
    begin, end = file.start(comment.line), file.start(comment.line + 1)
    if comment.alone:
        return Edit(begin, end, "")
    line = file.data[begin:end]
    before = file.line(comment.line)[: comment.column - 1].rstrip()
    ending = line[len(line.rstrip(b"\r\n")) :]
    return Edit(begin + len(before.encode(errors="surrogateescape")), end - len(ending), "")


def _says(line: str) -> bool:
    """Whether a line is more than blank, a document's mark or an interpreter's name."""
    return bool(line.strip()) and line.rstrip() != "---" and not line.startswith("#!")


def _block(lines: list[str], at: int) -> int:
    """The last of the lines that are indented below a line."""
    own = lines[at - 1]
    width = len(own) - len(own.lstrip())
    last = at
    for number in range(at + 1, len(lines) + 1):
        line = lines[number - 1]
        if line.strip():
            if len(line) - len(line.lstrip()) <= width:
                break
            last = number
    return last
