"""How the data directory of an embedded PostgreSQL comes to be, and whether this PostgreSQL can run it."""

from __future__ import annotations

import os
import secrets
import shlex
import shutil
import stat
from pathlib import Path
from tempfile import mkdtemp

from schemas.errors import ServerError
from tools import private
from tools.engine import Say
from tools.postgres.account import Account, choose
from tools.postgres.home import USER, Home
from tools.shell import Finished, inherited, run

__all__ = ["MAJOR", "prepare"]

MAJOR = "16"
OTHERS = stat.S_IRWXG | stat.S_IRWXO


def prepare(home: Home, programs: Path, say: Say, title: str = "the local PostgreSQL", settings: str = "") -> None:
    """Make what a start needs, the data directory too; ServerError for one that this PostgreSQL cannot run.

    A new data directory gets ``settings`` beside initdb's; ``title`` is how messages call the server.
    """
    account = choose(home.data, programs)
    if not home.data.exists():
        say(f"creating the data directory of {title}")
        _create(home, programs, account, settings)
    home.password()
    _check(home, account)
    for folder in (home.log, home.sockets):
        private.folder(folder, account)


def _check(home: Home, account: Account | None) -> None:
    """Refuse what the server would refuse, with a way out; put right what is safe to put right."""
    try:
        version = (home.data / "PG_VERSION").read_text(encoding="ascii").strip()
    except FileNotFoundError:
        raise ServerError(
            f"{home.data} is not a PostgreSQL data directory: it has no PG_VERSION", todo=home.aside()
        ) from None
    if version != MAJOR:
        raise ServerError(
            f"{home.data} was made by PostgreSQL {version}; here runs PostgreSQL {MAJOR}",
            why="a data directory cannot be used by another major version",
            todo=f"keep rows that you need: dump them with PostgreSQL {version}\n{home.aside()}",
        )
    status, us = home.data.stat(), account.uid if account else os.geteuid()
    if status.st_uid != us:
        raise ServerError(
            f"{home.data} belongs to another account (uid {status.st_uid})",
            todo=f"run the command as that account, or chown -R {us} {shlex.quote(str(home.data))}",
        )
    if stat.S_IMODE(status.st_mode) & OTHERS:  # PostgreSQL refuses a folder that others may read or write
        home.data.chmod(0o700)


def _create(home: Home, programs: Path, account: Account | None, settings: str) -> None:
    """Run initdb beside the place of the data directory and rename: an interrupted one leaves no half."""
    _sweep(home)
    if not (home.path / "password").exists():
        private.write(home.path / "password", secrets.token_urlsafe(24))
    place = Path(mkdtemp(prefix=".initdb-", dir=home.path))
    private.write(place / "password", home.password())
    if account:
        account.own(place)
        account.own(place / "password")
    try:
        done = _initdb(programs, account, place, "C.UTF-8")
        if done.code and "locale" in done.err:  # not every system has C.UTF-8
            done = _initdb(programs, account, place, "C")
        if done.code:
            full = "No space left" in done.err
            raise ServerError(
                "the data directory of the local PostgreSQL could not be made",
                why=done.err.strip(),
                todo=f"free some space on the disk of {home.path}" if full else "./run doit doctor",
            )
        with (place / "data" / "postgresql.conf").open("a", encoding="utf-8") as file:
            file.write(settings)
        (place / "data").rename(home.data)
    finally:
        _sweep(home)


def _sweep(home: Home) -> None:
    """Remove what initdb has made beside its place.

    The one of a killed run may still write there: what it adds to a folder that goes is left, so we look again later.
    """
    for old in home.path.glob(".initdb-*"):
        shutil.rmtree(old, ignore_errors=True)


def _initdb(programs: Path, account: Account | None, place: Path, locale: str) -> Finished:
    words: tuple[str, ...] = (
        str(programs / "initdb"),
        "-D",
        str(place / "data"),
        "-U",
        USER,
        "-A",
        "scram-sha-256",
    )
    words += ("-E", "UTF8", f"--locale={locale}", "--lc-messages=C", f"--pwfile={place / 'password'}")
    command = account.command(words) if account else words
    return run(command, environment={**inherited(), "LC_ALL": "C"}, timeout=300, cwd=Path("/"))
