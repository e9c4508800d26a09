"""The operation `init`: look through a monorepo and write the services.yaml that it has none of."""

from __future__ import annotations

import os
from pathlib import Path

from schemas import catalog_file
from schemas.catalog import Catalog
from schemas.errors import CatalogError, GanderError, Refused, ToolError
from tasks.init.draft import Draft, draft
from tasks.init.findings import findings
from tasks.init.survey import survey
from tasks.init.text import written
from tasks.work import Outcome, Work
from tools import git, tree, whole

__all__ = ["run"]

PROJECT = Path(__file__).resolve().parents[2]
FEW = 40  # databases that are listed
HEAD = """What exists in this monorepo: environments, services and their databases. Written by `doit init`.
Read what stands behind each `guess:`, put right what is wrong, and take the comment away."""


def run(work: Work) -> Outcome:
    """Write the file beside its place, load it as every command does, and only then give it its name.

    Prints what was found on stdout. Raises Refused where there is a file already, GanderError where nothing is found.
    """
    file = work.catalog.file
    whole.sweep(file.parent)
    if os.path.lexists(file):
        raise Refused(
            "there is a services.yaml already, and it is never overwritten",
            where=str(file),
            todo="for another monorepo: SERVICES=../other/services.yaml ./run doit init\n"
            f"to have this one made anew: move {file.name} away, then run it again",
        )
    root = Path(os.path.realpath(file.parent))
    if not root.is_dir():
        raise Refused("there is no such folder", where=str(file.parent), todo="give the folder of a monorepo")
    work.progress.now("looking through the files")
    seen = survey(tree.look(root, apart=[PROJECT] if root != PROJECT else []))
    base, branch = _branches(root)
    made = draft(seen, None if base else branch)
    told = findings(seen, made)
    if not made.document:
        raise _nothing(root, len(seen.paths), [str(finding) for finding in told])
    text = written(made.document, HEAD, schema=_schema(root))
    catalog = _write(file, text)
    for line in _listed(made):
        work.out(line)
    work.out(f"base branch: {base or branch or 'none, as this is no git repository'}")
    clusters = sorted({name for entry in made.entries if entry.stream for name in entry.stream.clusters})
    if clusters:
        work.out(f"ClickHouse clusters: {', '.join(clusters)}")
    for finding in told:
        work.out(str(finding))
    guesses = sum(" # guess: " in line for line in text.splitlines())
    first = next(catalog.databases()).label
    work.progress.line(f"→ read {file.name}: each guess says why\n→ doit migrate:{first}\n→ doit migrate")
    return Outcome(summary=f"{_count(len(catalog.services), 'service')}, {_count(guesses, 'guess')} to look at")


def _schema(root: Path) -> str:
    """Where editors find the form of the file; empty unless Gander lies in the monorepo."""
    return catalog_file.SCHEMA.relative_to(root).as_posix() if catalog_file.SCHEMA.is_relative_to(root) else ""


def _branches(root: Path) -> tuple[str | None, str | None]:
    """The base branch as it is found without being told, and the branch that is checked out."""
    try:
        repository = git.find(root)
        if repository is None:
            return None, None
        base = repository.base()
        current = repository.run("symbolic-ref", "--short", "--quiet", "HEAD").out.strip()
    except ToolError:
        return None, None
    return base.name if base else None, current or None


def _nothing(root: Path, files: int, told: list[str]) -> GanderError:
    looked = (
        f"{_count(files, 'file')} looked at, for folders with goose migrations: files named VERSION_what.sql, such as\n"
        "20250131120000_add_users.sql or 00001_init.sql, with a line `-- +goose Up`"
    )
    return GanderError(
        "no goose migrations were found, so nothing was written",
        where=str(root),
        why="\n".join([looked, *told]),
        todo="give the monorepo's root: SERVICES=../other/services.yaml ./run doit init\n"
        "or write the first migration of a service, and run it again",
    )


def _write(file: Path, text: str) -> Catalog:
    """The catalog of the text, which is in its place then, whole; a file that came in between stays."""
    try:
        with whole.beside(file, text) as part:
            catalog = catalog_file.load(part)
            os.link(part, file)  # unlike a rename it never replaces another
    except CatalogError as error:
        raise GanderError(
            "what was found does not fit into one services.yaml, so nothing was written",
            why="\n".join(f"{mistake.message} ({mistake.hint})".removesuffix(" ()") for mistake in error.mistakes),
            todo="write services.yaml by hand: docs/services-yaml.md",
        ) from error
    except OSError as error:
        raise Refused(
            f"the file cannot be written: {error.strerror}",
            where=str(file),
            todo=f"make {file.parent} a folder of yours that has no {file.name}",
        ) from error
    return catalog


def _listed(made: Draft) -> list[str]:
    """A line a database: what it is, where its files are."""
    rows = []
    for entry in sorted(made.entries, key=lambda one: (one.service, one.key)):
        if entry.stream:
            how = "numbered" if entry.stream.sequential else "by time"
            files = _count(len(entry.stream.files), "file")
            rows.append((entry.label, entry.verdict.engine, f"{entry.stream.folder}, {files}, {how}"))
        else:
            rows.append((entry.label, "reference", f"to {entry.owner}: {entry.why}"))
    rows, more = rows[:FEW], len(rows) - FEW
    widths = [max(len(row[column]) for row in rows) for column in range(2)]
    lines = ["  ".join((*(row[at].ljust(widths[at]) for at in range(2)), row[2])) for row in rows]
    return [*lines, *([f"and {more} more"] if more > 0 else [])]


def _count(number: int, what: str) -> str:
    several = f"{what}es" if what.endswith("s") else f"{what}s"
    return f"{number:,} {what if number == 1 else several}"
