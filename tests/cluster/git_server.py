"""Repositories over HTTP, for reading and pushing: git's own `git http-backend` behind a server on loopback."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

__all__ = ["main"]

GIT = shutil.which("git") or "git"


def main(port: str, folder: str) -> None:
    """Serve every repository NAME.git below the folder; one that is asked for first is made, empty."""
    ThreadingHTTPServer(("127.0.0.1", int(port)), _handler(Path(folder))).serve_forever()


def _handler(folder: Path) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer(b"")

        def do_POST(self) -> None:
            self._answer(self._body())

        def _answer(self, body: bytes) -> None:
            asked = urlsplit(self.path)
            _make(folder / asked.path.lstrip("/").partition("/")[0])
            done = subprocess.run(
                [GIT, "http-backend"],
                input=body,
                env={
                    **os.environ,
                    "GIT_PROJECT_ROOT": str(folder),
                    "GIT_HTTP_EXPORT_ALL": "1",
                    "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
                    "REQUEST_METHOD": self.command,
                    "PATH_INFO": asked.path,
                    "QUERY_STRING": asked.query,
                    "CONTENT_TYPE": self.headers.get("Content-Type", ""),
                    "CONTENT_LENGTH": str(len(body)),
                    "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
                    "REMOTE_USER": "tests",  # git lets nobody push whom it does not know
                },
                capture_output=True,
                check=False,
            )
            head, _, content = done.stdout.partition(b"\r\n\r\n")
            fields = [tuple(line.split(": ", 1)) for line in head.decode().splitlines() if ": " in line]
            status = next((value for name, value in fields if name == "Status"), "200" if fields else "500")
            self.send_response(int(status.split()[0]))
            for name, value in fields:
                if name != "Status":
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def _body(self) -> bytes:
            """What was sent: by its length, or in chunks, as git sends what is large."""
            if self.headers.get("Transfer-Encoding") != "chunked":
                return self.rfile.read(int(self.headers.get("Content-Length", "0")))
            parts = []
            while size := int(self.rfile.readline(), 16):
                parts.append(self.rfile.read(size))
                self.rfile.readline()
            self.rfile.readline()
            return b"".join(parts)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    return Handler


def _make(repository: Path) -> None:
    if repository.suffix == ".git" and not repository.exists():
        subprocess.run([GIT, "init", "--quiet", "--bare", "--initial-branch=main", repository], check=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
