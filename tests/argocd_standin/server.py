"""A stand-in of Argo CD's API for what a real one cannot be made to do. What it answers is in recorded/README.md.

It claims: the form of the answers, and which requests change what. It does not claim when a real controller acts:
a test says step by step what the world is.
"""

from __future__ import annotations

import json
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from copy import deepcopy
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, unquote, urlsplit

if TYPE_CHECKING:
    import trustme

__all__ = ["TOKEN", "Fault", "World", "recorded", "serving"]

TOKEN = "a-token-that-nobody-may-see"
RECORDED = Path(__file__).parent / "recorded"

Document = dict[str, Any]


def recorded(name: str) -> Document:
    """A copy of what a real one answered."""
    document: Document = json.loads((RECORDED / f"{name}.json").read_text())
    return document


@dataclass(kw_only=True)
class Fault:
    """How a request goes wrong: an answer of its own, or none."""

    status: int = 0
    body: bytes = b"{}"
    headers: dict[str, str] = field(default_factory=dict)
    reset: bool = False
    cut: int = 0  # bytes that the answer lacks
    dribble: float = 0.0  # seconds between two bytes
    after: bool = False  # what was asked for is done before it goes wrong
    on: str = ""  # part of METHOD PATH
    times: int = 1_000_000
    hits: int = 0  # requests that it has met


@dataclass(kw_only=True)
class World:
    """What the stand-in knows, and what it was asked."""

    url: str = ""
    applications: dict[str, Document] = field(default_factory=dict)
    jobs: dict[str, Document] = field(default_factory=dict)
    pods: dict[str, Document] = field(default_factory=dict)
    logs: dict[str, str] = field(default_factory=dict)
    windows: Document = field(default_factory=lambda: {"canSync": True})
    events: list[Document] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    sent: list[Document] = field(default_factory=list)  # bodies of POST
    taken: int = 0  # of them, which became operations
    compared: bool = True  # whether it knows what is in the cluster; a refresh makes it so
    look: Callable[[World, str], None] | None = None  # called before an Application is told: the world goes on

    @property
    def host(self) -> str:
        """``127.0.0.1:PORT``."""
        return self.url.partition("://")[2]

    def state(self, name: str) -> Document:
        """The state of an Application's last operation, to be changed."""
        found: Document = self.applications[name]["status"]["operationState"]
        return found

    def fault(self, path: str) -> Fault | None:
        """What goes wrong with this request."""
        for one in self.faults:
            if one.on in path and one.times > 0:
                one.times -= 1
                one.hits += 1
                return one
        return None

    def told(self, method: str, path: str, query: dict[str, str], body: Document) -> tuple[int, bytes]:
        """Status and body of the answer to a request."""
        status, document = self.answer(method, path, query, body)
        lines = document if isinstance(document, list) else [document]
        return status, "\n".join(json.dumps(one, ensure_ascii=False) for one in lines).encode()  # as Go writes it

    def answer(self, method: str, path: str, query: dict[str, str], body: Document) -> tuple[int, Any]:
        """Status and document, or lines of one."""
        _, _, rest = path.partition("/api/v1/applications/")
        name, _, what = rest.partition("/")
        name = unquote(name)
        if name not in self.applications:
            return 403, recorded("answer_403")
        if method == "POST" and what == "sync":
            return self.synced(name, body)
        if method == "DELETE" and what == "operation":
            return self.terminated(name)
        if method != "GET":
            return 403, recorded("answer_403")
        if not what:
            if self.look:
                self.look(self, name)
            self.compared = self.compared or "refresh" in query
            return 200, self.applications[name]
        return self.behind(name, what, query)

    def synced(self, name: str, body: Document) -> tuple[int, Any]:
        """Take a request as Argo CD's API server does: the old state goes, the operation is there."""
        self.sent.append(body)
        application = self.applications[name]
        if "operation" in application:
            return 400, recorded("answer_400_busy")
        if application["spec"].get("syncPolicy", {}).get("automated") is not None:
            return 400, recorded("answer_400_automated")
        operation = deepcopy(recorded("requested")["operation"])
        operation["sync"]["revision"] = body["revision"]
        operation["info"] = body["infos"]
        application["operation"] = operation
        application["status"].pop("operationState", None)
        self.taken += 1
        return 200, application

    def terminated(self, name: str) -> tuple[int, Any]:
        """End an operation as Argo CD does: it fails, and its hook is deleted, of which the row says Succeeded."""
        application = self.applications[name]
        if "operation" not in application or "operationState" not in application["status"]:
            words = "Unable to terminate operation. No operation is in progress"
            return 400, {"error": words, "code": 3, "message": words}
        state, ended = self.state(name), recorded("terminated")["status"]["operationState"]
        del application["operation"]
        state |= {key: ended[key] for key in ("phase", "message", "finishedAt")}
        deleted = next(row for row in ended["syncResult"]["resources"] if row["kind"] == "Job")
        rows = [deleted | {"name": one} for one in self.jobs]
        state["syncResult"] = {"revision": state["operation"]["sync"]["revision"], "resources": rows}
        self.jobs.clear()
        self.pods.clear()
        return 200, {}

    def behind(self, name: str, what: str, query: dict[str, str]) -> tuple[int, Any]:
        """What lies behind an Application in the cluster."""
        if what == "resource-tree":
            return 200, {"nodes": list(self.nodes())}
        if what == "resource":
            held = self.jobs if query["kind"] == "Job" else self.pods
            called = query["resourceName"]
            if called not in held or not self.compared:
                words = f"{query['kind']} {query.get('group', '')} {called} not found as part of application {name}"
                return 400, {"error": words, "code": 3, "message": words}
            return 200, {"manifest": json.dumps(held[called])}
        if what in {"syncwindows", "events"}:
            return 200, self.windows if what == "syncwindows" else {"items": self.events}
        if what == "logs":
            lines = filter(None, self.logs.get(query["podName"], "").split("\n"))
            entries = [{"content": line, "last": False, "podName": query["podName"]} for line in lines]
            return 200, [{"result": one} for one in (*entries, {"content": "", "last": True})]
        return 404, {"error": "Not Found", "code": 5, "message": "Not Found"}

    def nodes(self) -> Iterator[Document]:
        """The tree's nodes: each pod with the Job that owns it."""
        if not self.compared:
            return
        for one in self.jobs.values():
            about = one["metadata"]
            yield {"kind": "Job", "group": "batch", "name": about["name"], "uid": about["uid"]}
        for one in self.pods.values():
            about = one["metadata"]
            parents = [{"kind": "Job", "uid": owner["uid"]} for owner in about["ownerReferences"]]
            yield {"kind": "Pod", "version": "v1", "name": about["name"], "uid": about["uid"], "parentRefs": parents}


@contextmanager
def serving(tls: trustme.CA | None = None, world: World | None = None) -> Iterator[World]:
    """A world that is served on loopback until the end, with a certificate of that authority where there is one."""
    world = world or World()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(world))
    server.daemon_threads = True
    if tls:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.issue_cert("127.0.0.1").configure_cert(context)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    world.url = f"{'https' if tls else 'http'}://127.0.0.1:{server.server_port}"
    try:
        yield world
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _handler(world: World) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _reply(self) -> None:
            parts = urlsplit(self.path)
            line = f"{self.command} {parts.path.partition('/api/v1/')[2]}"
            length = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(length)) if length else {}
            world.asked.append(line)
            query = {key: values[0] for key, values in parse_qs(parts.query).items()}
            if self.headers.get("Authorization") != f"Bearer {TOKEN}":
                self._send(401, json.dumps(recorded("answer_401")).encode(), Fault())
                return
            if self.command != "GET" and self.headers.get("Content-Type") != "application/json":
                self._send(415, b"Invalid content type\n", Fault())  # server/server.go: enforceContentTypes
                return
            fault = world.fault(line) or Fault()
            status, data = fault.status, fault.body
            if fault.after or not (status or fault.reset):
                done, data = world.told(self.command, parts.path, query, body)
                status, data = (status, fault.body) if status else (done, data)
            if fault.reset:
                self.close_connection = True
                with suppress(OSError):
                    self.connection.shutdown(socket.SHUT_RDWR)
                return
            self._send(status, data, fault)

        def _send(self, status: int, data: bytes, fault: Fault) -> None:
            self.send_response(status)
            for name, value in {**fault.headers, "Content-Length": str(len(data))}.items():
                self.send_header(name, value)
            self.end_headers()
            with suppress(OSError):
                for piece in _pieces(data[: len(data) - fault.cut], fault.dribble):
                    self.wfile.write(piece)
            self.close_connection = self.close_connection or bool(fault.cut)

        do_GET = do_POST = do_DELETE = _reply  # noqa: N815 - names of http.server

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    return Handler


def _pieces(data: bytes, pause: float) -> Iterator[bytes]:
    """The whole, or byte by byte with a pause after each."""
    if not pause:
        yield data
        return
    for number in range(len(data)):
        yield data[number : number + 1]
        time.sleep(pause)
