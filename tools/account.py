"""Which account runs a server when root starts it, and how that account reaches files below closed folders."""

from __future__ import annotations

import os
import pwd
import shlex
import shutil
import stat
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from schemas.errors import ServerError

__all__ = ["Account", "choose"]

OF_ALL = "nobody"  # every system has this account
CAPABILITIES = {"dac_read_search": 2, "dac_override": 1}  # linux/capability.h


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """An unprivileged account that root hands a server to, and the capability that it needs on the way."""

    name: str
    uid: int
    gid: int
    capability: str = ""  # empty: it reaches everything by itself

    def command(self, words: tuple[str, ...], *, ends_with_us: bool = False) -> tuple[str, ...]:
        """The command that runs ``words`` as this account; optionally the kernel interrupts it when we die."""
        setpriv = shutil.which("setpriv")
        if not setpriv:
            raise ServerError(
                f"there is no setpriv to run a server as {self.name} instead of root",
                todo="install util-linux, or run the command as an ordinary user",
            )
        capabilities = f"-all,+{self.capability}" if self.capability else "-all"
        options = [f"--reuid={self.uid}", f"--regid={self.gid}", "--clear-groups"]
        options += [f"--inh-caps={capabilities}", f"--ambient-caps={capabilities}"]
        options += ["--pdeathsig=INT"] if ends_with_us else []
        return (setpriv, *options, *words)

    def own(self, path: Path) -> None:
        """Give a file or folder to the account."""
        os.chown(path, self.uid, self.gid)


def choose(data: Path, programs: Sequence[Path], *, title: str, named: str) -> Account | None:
    """The account for a data directory: its owner, else ``named``, else `nobody`; None: we are no root, run as we are.

    ``programs`` are the files that it executes; ``title`` is how messages call the server.
    Raises ServerError when no account fits or can reach the folders.
    """
    if os.geteuid() != 0:
        return None
    owner = data.stat().st_uid if data.exists() else 0
    for who in (owner,) if owner else (named, OF_ALL):
        try:
            entry = pwd.getpwuid(who) if isinstance(who, int) else pwd.getpwnam(who)
        except KeyError:
            continue
        account = Account(name=entry.pw_name, uid=entry.pw_uid, gid=entry.pw_gid)
        return replace(account, capability=_needed(account, data, programs, title))
    if owner:
        raise ServerError(
            f"{data} belongs to the account {owner}, which does not exist on this machine",
            todo=f"chown -R {OF_ALL} {shlex.quote(str(data))}",
        )
    raise ServerError(
        f"{title} does not run as root, and this machine has no account {named} or {OF_ALL} to run it as",
        todo=f"add one: useradd --system {named}\nor run the command as an ordinary user",
    )


def _needed(account: Account, data: Path, programs: Sequence[Path], title: str) -> str:
    """The capability that lets the account through to its data and programs."""
    folders = dict.fromkeys(parent for path in (data, *programs) for parent in path.parents)
    closed = [folder for folder in folders if not _passes(account, folder)]
    runs = all(_passes(account, program) for program in programs)
    if runs and not closed:
        return ""
    ours = _bounding_set()
    for name, number in CAPABILITIES.items():
        # the kernel lets dac_read_search pass folders and read files, never execute one
        if ours >> number & 1 and (runs or name == "dac_override"):
            return name
    where = closed[0] if closed else programs[0]
    raise ServerError(
        f"{title} runs as {account.name}, who cannot pass {where}",
        todo=f"chmod o+x {shlex.quote(str(where))}\nor run the command as an ordinary user",
    )


def _passes(account: Account, path: Path) -> bool:
    """Whether the account may search this folder or execute this file, as far as its mode tells."""
    try:
        status = path.stat()
    except FileNotFoundError:
        return True  # made later, by ourselves
    if status.st_uid == account.uid:
        return bool(status.st_mode & stat.S_IXUSR)
    if status.st_gid == account.gid:
        return bool(status.st_mode & stat.S_IXGRP)
    return bool(status.st_mode & stat.S_IXOTH)


def _bounding_set() -> int:
    try:
        text = Path("/proc/self/status").read_text(encoding="utf-8")
    except OSError:
        return 0
    return next((int(line.split()[1], 16) for line in text.splitlines() if line.startswith("CapBnd:")), 0)
