"""How the keeper runs an embedded PostgreSQL: start and recover it, look at it a last time, stop it."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from tools.ports import any_port, free
from tools.postgres import leftovers, settled
from tools.postgres.account import choose
from tools.postgres.home import Home
from tools.postgres.trouble import failure
from tools.shell import inherited

__all__ = ["PostgreSQL", "charge"]

SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_permissions": "0700",
    "max_connections": "200",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "lc_messages": "C",
    "client_connection_check_interval": "1s",  # a statement whose goose has died ends soon
    "logging_collector": "on",
    "log_destination": "jsonlog",  # has what goose leaves out: position, context, application
    "log_filename": "server-%Y%m%d-%H%M%S.log",
    "log_rotation_size": "8MB",
    "log_rotation_age": "0",
    "log_checkpoints": "off",
    "log_autovacuum_min_duration": "-1",
}
LOGS = 2  # log files that are kept
CLOCK = 0.02  # seconds by which a file's time may lag behind the clock
PORTS = 5  # ports to try when others take them between our look and the server's start
UNPRIVILEGED = range(1024, 65536)  # ports that the server's account can listen on
FAST, IMMEDIATE = signal.SIGINT, signal.SIGQUIT  # PostgreSQL's names of its ways to shut down
PATIENCE = 120.0  # seconds for a fast shutdown, before an immediate one


def charge(home: Path, arguments: list[str]) -> PostgreSQL:
    """The embedded server of this folder, for `tools.keeper`; the one argument is the folder of its programs."""
    (programs,) = arguments
    return PostgreSQL(Home(path=home), Path(programs))


class PostgreSQL:
    """One postgres process and the files around it."""

    def __init__(self, home: Home, programs: Path) -> None:
        self.home, self.programs = home, programs

    def start(self) -> tuple[subprocess.Popen[bytes], dict[str, Any]]:
        """Start postgres on the remembered port, else a free one, after ending what a crash left."""
        leftovers.end(self.home.data)
        for stale in self.home.sockets.glob(".s.PGSQL.*"):  # whose dead owner PostgreSQL may take for a living process
            stale.unlink(missing_ok=True)
        self.tend()
        began = time.time() - CLOCK
        remembered, problem = self._remembered(), ""
        for attempt in range(PORTS):
            port = remembered if remembered and attempt == 0 and free(remembered) else any_port()
            child = self._launch(port)
            problem = self._wait(child)
            if not problem:
                (self.home.path / "port").write_text(str(port), encoding="ascii")
                return child, {"port": port, "sockets": str(self.home.sockets), "pid": child.pid}
            if "shared memory block" in problem:  # sessions of a killed server that have not noticed yet
                leftovers.end_sessions(self.home.data)
            elif "Address already in use" not in problem:
                break
        raise failure(self.home, problem, began)

    def rest(self, child: subprocess.Popen[bytes]) -> None:
        """Note what all databases hold, shut down, and keep the note if nothing was written in between."""
        from tools.postgres.farewell import look  # noqa: PLC0415 - start-up: psycopg is only needed at the end

        seen = look(self.home)
        self.stop(child)
        if seen:
            settled.accept(self.home, seen.contents, seen.end)

    def stop(self, child: subprocess.Popen[bytes]) -> None:
        """End all sessions and shut down."""
        for how, patience in ((FAST, PATIENCE), (IMMEDIATE, PATIENCE), (signal.SIGKILL, None)):
            if child.poll() is not None:
                break
            child.send_signal(how)
            with suppress(subprocess.TimeoutExpired):
                child.wait(patience)
        if self.home.sockets.parent != self.home.path:  # nothing of ours stays in the machine's temporary folder
            with suppress(OSError):
                self.home.sockets.rmdir()

    def tend(self) -> None:
        """Remove all but the newest log files."""
        for kind in ("*.json", "*.log"):
            for old in sorted(self.home.log.glob(kind))[:-LOGS]:
                old.unlink(missing_ok=True)

    def _remembered(self) -> int:
        try:
            port = int((self.home.path / "port").read_text(encoding="ascii"))
        except (OSError, ValueError):
            return 0
        return port if port in UNPRIVILEGED else 0

    def _launch(self, port: int) -> subprocess.Popen[bytes]:
        (self.home.path / "settled.json").unlink(missing_ok=True)
        folder = str(self.home.sockets).replace('"', '""')
        settings = {**SETTINGS, "log_directory": str(self.home.log), "unix_socket_directories": f'"{folder}"'}
        words: tuple[str, ...] = (str(self.programs / "postgres"), "-D", str(self.home.data), "-p", str(port))
        words += tuple(word for name, value in settings.items() for word in ("-c", f"{name}={value}"))
        account = choose(self.home.data, self.programs)
        with (self.home.path / "start.log").open("wb") as log:
            return subprocess.Popen(
                account.command(words, ends_with_us=True) if account else words,
                env={**inherited(), "LC_ALL": "C"},
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=_end_with_us() if not account else None,  # noqa: PLW1509 - one system call, one thread
            )

    def _wait(self, child: subprocess.Popen[bytes]) -> str:
        """Wait until the server takes connections; what it said when it ends instead."""
        status = self.home.data / "postmaster.pid"
        while child.poll() is None:
            try:
                lines = status.read_text(encoding="utf-8", errors="replace").splitlines()
            except OSError:
                lines = []
            # postmaster.pid: process id, data directory, start, port, sockets, address, memory key, status
            if len(lines) > 7 and lines[0] == str(child.pid) and lines[7].strip() == "ready":  # noqa: PLR2004
                return ""
            time.sleep(0.005)
        said = (self.home.path / "start.log").read_text(encoding="utf-8", errors="replace")
        return said or f"postgres ended at once with exit code {child.returncode}"


def _end_with_us() -> Callable[[], None] | None:
    """A function for the child that has the kernel interrupt it when we die; None where there is none."""
    if os.uname().sysname != "Linux":
        return None
    import ctypes  # noqa: PLC0415 - start-up: root, who uses setpriv, does not need it

    prctl = ctypes.CDLL(None).prctl
    return lambda: prctl(1, FAST)  # 1 = PR_SET_PDEATHSIG, linux/prctl.h
